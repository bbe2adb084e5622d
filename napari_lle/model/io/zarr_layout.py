"""How a result lies in a Zarr: the order of axes, chunks, the pyramid and its metadata."""

from __future__ import annotations

import json
import math
import warnings
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from .errors import needs
from .metadata import FileRecord, default_axes, fitting
from .roles import note_of, word_of
from .tiff_about import value_range

# Attribute that holds our axes, in their order, and the record of a result.
ATTRIBUTE = "napari_lle"
PROVENANCE = "provenance"  # attribute that holds how an image came about
AXIS_ORDER = "TCSZYX"  # OME-Zarr wants time, channels, space; colours are channels to it
OMERO_DISPLAY = ("label", "color", "window")  # of a channel of omero: in fields of a record
CHUNK_SIDE = 512
COARSEST = 256  # a pyramid ends where no side is longer
OMERO_COLOURS = {"red": "FF0000", "green": "00FF00", "blue": "0000FF"}
AXIS_TYPES = {"T": "time", "C": "channel", "S": "channel", "Z": "space", "Y": "space", "X": "space"}


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


class StoredPlanes:
    """A level as an array in our order of axes, read by parts of planes."""

    def __init__(self, level: Level) -> None:
        self._level = level
        self.shape, self.dtype = level.shape, level.array.dtype

    def __getitem__(self, key: tuple[Any, ...]) -> NDArray[Any]:
        *index, part = key
        if len(index) == len(self.shape) - 2 - self._level.rgb:  # rows of a plane
            return self._level.get(tuple(index), part, slice(None))
        places = range(*part.indices(self.shape[len(index)]))
        return np.stack([self[(*index, place, slice(None))] for place in places])


def tell_origin(folder: Path, document: dict[str, Any]) -> None:
    """Write into a Zarr how its pixels came about."""
    import zarr

    node = zarr.open(folder, mode="r+")
    node.attrs[PROVENANCE] = document


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
    order = tuple(sorted(range(len(shape)), key=lambda i: _axis_rank(about.axes[i])))
    kept = {ATTRIBUTE: {"axes": about.axes, "record": record, **_role_of(record), **_more(about)}}
    if about.plain or not _describable(about.axes):
        kept[ATTRIBUTE]["about"] = about.to_dict()
        return [_create_plain(folder, shape, dtype, rgb, about.axes, kept)]
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


def _create_plain(
    folder: Path,
    shape: tuple[int, ...],
    dtype: np.dtype[Any],
    rgb: bool,
    axes: str,
    kept: dict[str, Any],
) -> Level:
    """An array by itself, in our order of axes."""
    import zarr

    named = axes != default_axes(len(shape), rgb)
    array = zarr.create_array(
        folder,
        shape=shape,
        dtype=dtype,
        chunks=_chunks(shape, axes),
        attributes=kept,
        dimension_names=[_name(axis) for axis in axes] if named else None,
    )
    return Level(array, tuple(range(len(shape))), rgb)


def open_levels(
    folder: Path, shape: tuple[int, ...], rgb: bool, about: FileRecord | None
) -> list[Level]:
    """The levels that `create` made, to go on writing."""
    import zarr

    about = fitting(about, len(shape), rgb)
    node = zarr.open(folder, mode="r+")
    if isinstance(node, zarr.Array):
        return [Level(node, tuple(range(len(shape))), rgb)]
    order = tuple(sorted(range(len(shape)), key=lambda i: _axis_rank(about.axes[i])))
    return [Level(node[str(i)], order, rgb) for i in range(len(_pyramid(shape, rgb)))]


def _axis_rank(axis: str) -> int:
    """Axes that OME-Zarr has no name for stand between time and space."""
    return AXIS_ORDER.index(axis) if axis in AXIS_ORDER else AXIS_ORDER.index("C")


def _name(axis: str) -> str:
    return "c" if axis == "S" else axis.lower()


def _describable(axes: str) -> bool:
    """At most one axis besides time and space, and five in all."""
    others = [axis for axis in axes if AXIS_TYPES.get(axis) not in ("time", "space")]
    return len(axes) <= 5 and len(others) <= 1 and len(set(axes)) == len(axes)


def _chunks(shape: tuple[int, ...], axes: str) -> tuple[int, ...]:
    whole = {"Y": CHUNK_SIDE, "X": CHUNK_SIDE, "S": 4}
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
        if about.axes[i] in AXIS_TYPES:
            axis["type"] = AXIS_TYPES[about.axes[i]]
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
    write_multiscales_metadata(root, datasets, axes=axes, name=about.name or "image")
    channels = _omero(about, levels[0])
    more = json.loads(about.rendering) if about.rendering and not levels[0].rgb else {}
    if channels or more:
        kept = more.pop("channels", [{}] * len(channels))
        channels = channels or [_omero_channel(i, (), (), (), levels[0]) for i in range(len(kept))]
        told = [{**each, **own} for each, own in zip(channels, kept, strict=False)]
        root.attrs["ome"] = {**root.attrs["ome"], "omero": {**more, "channels": told}}


def _omero(about: FileRecord, level: Level) -> list[dict[str, Any]]:
    """How viewers are to show the channels; nothing where that is not known."""
    names, colours, windows = about.channels, about.colours, about.windows
    count = level.shape[about.axes.index("C")] if "C" in about.axes else 1
    if level.rgb:
        names = ("red", "green", "blue", "alpha")[: level.shape[-1]]
        colours, windows, count = (
            tuple(OMERO_COLOURS.get(n, "FFFFFF") for n in names),
            (),
            len(names),
        )
    told = {count} & {len(names), len(colours), len(windows)}
    return [_omero_channel(i, names, colours, windows, level) for i in range(count)] if told else []


def _omero_channel(i: int, names: Any, colours: Any, windows: Any, level: Level) -> dict[str, Any]:
    low, high = value_range(level.array.dtype)
    low, high = (int(low), int(high)) if level.array.dtype.kind in "ui" else (low, high)
    window = windows[i] if i < len(windows) else (low, high, low, high)
    return {
        **({"label": names[i]} if i < len(names) else {}),
        "active": True,
        "color": colours[i] if i < len(colours) else "FFFFFF",
        "window": dict(zip(("min", "max", "start", "end"), window, strict=True)),
    }


def rendering(omero: dict[str, Any]) -> str:
    """What omero says beside labels, colours and windows, as JSON; empty where that is nothing."""
    own = [
        {k: v for k, v in c.items() if k not in OMERO_DISPLAY} for c in omero.get("channels", [])
    ]
    rest = {k: v for k, v in omero.items() if k not in ("channels", "version", "id")}
    own = own if any(c.get("active", True) is not True or len(c) > 1 for c in own) else []
    found = {**rest, **({"channels": own} if own else {})}
    return json.dumps(found) if found else ""


def _role_of(record: dict[str, Any] | None) -> dict[str, str]:
    """What the numbers of a result are: none of them has a unit."""
    if record is None:
        return {}
    return {"quantity": word_of(record), "unit": "1", "note": note_of(record)}


def _more(about: FileRecord) -> dict[str, Any]:
    """What OME-Zarr has no place for."""
    told = about.to_dict()
    more = {k: told[k] for k in ("profile", "exif", "taken", "labels", "luts") if k in told}
    return {"more": more} if more else {}
