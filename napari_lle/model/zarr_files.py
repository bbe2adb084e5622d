"""OME-Zarr and plain Zarr arrays: what they say of their axes, and arrays left where they are."""

from __future__ import annotations

import math
import warnings
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from .filerecord import (
    SYMBOLS,
    FileError,
    FileRecord,
    Picture,
    default_axes,
    fitting,
    needs,
    own_letters,
)

SUFFIXES = (".zarr",)
DTYPES = (
    "bool",
    "int8",
    "int16",
    "int32",
    "int64",
    "uint8",
    "uint16",
    "uint32",
    "uint64",
    "float16",
    "float32",
    "float64",
)
KEY = "napari_lle"  # attribute that holds our axes, in their order, and the record of a result
ORDER = "TCSZYX"  # OME-Zarr wants time, channels, space; colours are channels to it
CHUNK = 512
COARSEST = 256  # a pyramid ends where no side is longer
COLOURS = {"red": "FF0000", "green": "00FF00", "blue": "0000FF"}
KINDS = {"T": "time", "C": "channel", "S": "channel", "Z": "space", "Y": "space", "X": "space"}


class Level(NamedTuple):
    """One array of a Zarr, addressed by our axes: planes, rows and columns, colours last."""

    array: Any
    order: tuple[int, ...]  # of our axes, as they are stored
    rgb: bool

    @property
    def shape(self) -> tuple[int, ...]:
        """Extent of our axes."""
        return tuple(self.array.shape[self.order.index(i)] for i in range(len(self.order)))

    def put(self, index: tuple[int, ...], rows: slice, columns: slice, block: NDArray[Any]) -> None:
        """Write a part of one plane; whole chunks appear whole or not at all."""
        block = block.reshape((1,) * len(index) + block.shape).transpose(self.order)
        self.array[self._place(index, rows, columns)] = block

    def get(self, index: tuple[int, ...], rows: slice, columns: slice) -> NDArray[Any]:
        """A part of one plane, (Y, X) or (Y, X, S)."""
        stored = self.array[self._place(index, rows, columns)]
        return stored.transpose(np.argsort(self.order))[(0,) * len(index)]

    def _place(self, index: tuple[int, ...], rows: slice, columns: slice) -> tuple[slice, ...]:
        ours = [*(slice(i, i + 1) for i in index), rows, columns]
        ours += [slice(None)] if self.rgb else []
        return tuple(ours[i] for i in self.order)


def read_zarr(path: Path, *, lazy: bool = False) -> Picture:
    """Read a Zarr array, or the finest level of the first image of an OME-Zarr.

    Parameters
    ----------
    path : Path
    lazy : bool
        Leave the pixels in the file: a dask array with the file's chunks.
    """
    with needs("zarr"):
        import zarr
    import dask.array as da

    try:
        node = zarr.open(path, mode="r")
    except FileNotFoundError:  # what Zarr says of any folder that holds none
        raise FileError(f"{path} holds no Zarr: is it complete?") from None
    kept: dict[str, Any] = dict(node.attrs.get(KEY, {}))
    if isinstance(node, zarr.Array):
        array, about = node, _plain_about(node, kept)
    else:
        array, about = _finest(path, node)
    pixels = da.from_zarr(array)
    ours = kept.get("axes", about.axes)
    stored = about.axes.replace("C", "S") if "S" in ours and "S" not in about.axes else about.axes
    if sorted(stored) == sorted(ours) and stored != ours:
        order = [stored.index(axis) for axis in ours]
        pixels = pixels.transpose(order)
        about = _picked(about, ours, order)
    pixels = pixels.astype(pixels.dtype.newbyteorder("="), copy=False)
    rgb = about.axes[-1] == "S"
    return Picture(pixels if lazy else pixels.compute(), rgb, kept.get("record"), about)


def create(
    folder: Path,
    shape: tuple[int, ...],
    dtype: np.dtype[Any],
    rgb: bool,
    record: dict[str, Any] | None,
    about: FileRecord | None,
) -> list[Level]:
    """Make an empty Zarr with its metadata; return its levels, finest first.

    It is OME-Zarr with a pyramid, unless the source was a plain array or OME-Zarr has no place
    for such axes.
    """
    with needs("zarr"):
        import zarr

    about = fitting(about, len(shape), rgb)
    order = tuple(sorted(range(len(shape)), key=lambda i: _rank(about.axes[i])))
    kept = {KEY: {"axes": about.axes, "record": record}}
    if about.plain or not _describable(about.axes):
        kept[KEY]["about"] = about.to_dict()
        order = tuple(range(len(shape)))
        array = zarr.create_array(
            folder, shape=shape, dtype=dtype, chunks=_chunks(shape, about.axes), attributes=kept
        )
        return [Level(array, order, rgb)]
    root = zarr.open_group(folder, mode="w", attributes=kept)
    levels = []
    for number, extent in enumerate(_pyramid(shape, rgb)):
        stored = tuple(extent[i] for i in order)
        axes = "".join(about.axes[i] for i in order)
        names = [_name(axis) for axis in axes]
        array = root.create_array(
            str(number),
            shape=stored,
            dtype=dtype,
            chunks=_chunks(stored, axes),
            dimension_names=names,
        )
        levels.append(Level(array, order, rgb))
    _describe(root, levels, about, order)
    return levels


def open_levels(
    folder: Path, shape: tuple[int, ...], rgb: bool, about: FileRecord | None
) -> list[Level]:
    """The levels that `create` made, to go on writing."""
    import zarr

    about = fitting(about, len(shape), rgb)
    node = zarr.open(folder, mode="r+")
    if isinstance(node, zarr.Array):
        return [Level(node, tuple(range(len(shape))), rgb)]
    order = tuple(sorted(range(len(shape)), key=lambda i: _rank(about.axes[i])))
    return [Level(node[str(i)], order, rgb) for i in range(len(_pyramid(shape, rgb)))]


def _rank(axis: str) -> int:
    """Axes that OME-Zarr has no name for stand between time and space."""
    return ORDER.index(axis) if axis in ORDER else ORDER.index("C")


def _name(axis: str) -> str:
    return "c" if axis == "S" else axis.lower()


def _describable(axes: str) -> bool:
    """At most one axis besides time and space, and five in all."""
    others = [axis for axis in axes if KINDS.get(axis) not in ("time", "space")]
    return len(axes) <= 5 and len(others) <= 1 and len(set(axes)) == len(axes)


def _chunks(shape: tuple[int, ...], axes: str) -> tuple[int, ...]:
    whole = {"Y": CHUNK, "X": CHUNK, "S": 4}
    return tuple(max(1, min(n, whole.get(a, 1))) for n, a in zip(shape, axes, strict=True))


def _pyramid(shape: tuple[int, ...], rgb: bool) -> list[tuple[int, ...]]:
    at = len(shape) - (3 if rgb else 2)
    shapes = [shape]
    while max(shapes[-1][at : at + 2]) > COARSEST:
        height, width = (math.ceil(n / 2) for n in shapes[-1][at : at + 2])
        shapes.append((*shape[:at], height, width, *shape[at + 2 :]))
    return shapes


def _describe(root: Any, levels: list[Level], about: FileRecord, order: tuple[int, ...]) -> None:
    """Write the metadata of OME-Zarr: axes, units, the scale and place of every level."""
    with needs("zarr"), warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # ome-zarr 0.18 warns of itself
        from ome_zarr.writer import write_multiscales_metadata

    axes: list[dict[str, str]] = []
    for i in order:
        axis = {"name": _name(about.axes[i])}
        if about.axes[i] in KINDS:
            axis["type"] = KINDS[about.axes[i]]
        axes.append(axis | ({"unit": about.units[i]} if about.units[i] else {}))
    datasets = []
    for number in range(len(levels)):
        factor = [2**number if about.axes[i] in "YX" else 1 for i in order]
        scale = [about.scale[i] * f for i, f in zip(order, factor, strict=True)]
        # The centre of the first pixel moves by half of what the pixel has grown.
        shift = [
            about.translate[i] + about.scale[i] * (f - 1) / 2
            for i, f in zip(order, factor, strict=True)
        ]
        transforms: list[dict[str, Any]] = [{"type": "scale", "scale": scale}]
        if any(shift):
            transforms.append({"type": "translation", "translation": shift})
        datasets.append({"path": str(number), "coordinateTransformations": transforms})
    write_multiscales_metadata(root, datasets, axes=axes, name="image")
    names = ("red", "green", "blue", "alpha") if about.axes[-1] == "S" else about.channels
    if names:
        low, high = _range(levels[0].array.dtype)
        window = {"min": low, "max": high, "start": low, "end": high}
        omero = {
            "channels": [
                {
                    "label": name,
                    "active": True,
                    "color": COLOURS.get(name, "FFFFFF"),
                    "window": window,
                }
                for name in names
            ]
        }
        root.attrs["ome"] = {**root.attrs["ome"], "omero": omero}


def _range(dtype: np.dtype[Any]) -> tuple[float, float]:
    """What viewers that know no better are to show."""
    if dtype.kind in "ui":
        return int(np.iinfo(dtype).min), int(np.iinfo(dtype).max)
    return 0.0, 1.0


def _finest(path: Path, group: Any) -> tuple[Any, FileRecord]:
    """Array and record of OME-Zarr 0.4 (Zarr 2) or 0.5 (Zarr 3)."""
    ome = group.attrs.get("ome", group.attrs)
    if not ome.get("multiscales"):
        raise FileError(f"{path} is a group without an OME-Zarr image: name the array inside it.")
    image = ome["multiscales"][0]
    finest = image["datasets"][0]
    array = group[finest["path"]]
    names: list[Any] = image.get("axes") or list("tczyx")[-array.ndim :]
    described = [axis if isinstance(axis, dict) else {"name": axis} for axis in names]
    scale, shift = np.ones(array.ndim), np.zeros(array.ndim)
    both = (finest, image)  # the transformation of one level, then that of all
    for transform in (t for part in both for t in part.get("coordinateTransformations", ())):
        if transform["type"] == "scale":
            scale, shift = scale * transform["scale"], shift * transform["scale"]
        elif transform["type"] == "translation":
            shift = shift + transform["translation"]
    units = tuple(axis.get("unit") or "" for axis in described)
    labels = [c.get("label") for c in ome.get("omero", {}).get("channels", [])]
    letters = own_letters([axis["name"] for axis in described])
    known = "C" in letters and all(labels) and len(labels) == array.shape[letters.index("C")]
    return array, FileRecord(
        letters,
        tuple(scale.tolist()),
        tuple(shift.tolist()),
        tuple(unit if unit in SYMBOLS else "" for unit in units),
        tuple(labels) if known else (),
    )


def _plain_about(array: Any, kept: dict[str, Any]) -> FileRecord:
    if "about" in kept:
        return FileRecord.from_dict(kept["about"])
    rgb = array.ndim > 2 and array.shape[-1] in (3, 4)
    return FileRecord(default_axes(array.ndim, rgb), plain=True)


def _picked(about: FileRecord, axes: str, order: list[int]) -> FileRecord:
    return FileRecord(
        axes,
        tuple(about.scale[i] for i in order),
        tuple(about.translate[i] for i in order),
        tuple(about.units[i] for i in order),
        () if "S" in axes else about.channels,
    )
