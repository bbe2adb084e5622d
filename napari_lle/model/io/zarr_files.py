"""OME-Zarr and plain Zarr arrays read: what they say of their axes, pixels left where they are."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from .errors import FileError, needs, readable
from .memory import READ, Use
from .metadata import FileRecord, Picture, default_axes, own_letters
from .names import ZARR
from .raster import image_number
from .tiff_about import value_range
from .units import long_unit
from .zarr_images import ome, zarr_images
from .zarr_labels import labels_of
from .zarr_layout import ATTRIBUTE, PROVENANCE, rendering

SUFFIXES = (ZARR,)
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
# Names that others give to axes, as letters.
AXIS_LETTERS = {"time": "T", "channel": "C", "channels": "C", "depth": "Z", "band": "C"}
COLOUR_AXES = ("s", "sample", "samples", "rgb", "rgba", "c", "channel", "channels", "band")


class StoredArray:
    """A Zarr array that names its file where a chunk of it is damaged."""

    def __init__(self, path: Path, array: Any) -> None:
        self.path, self.array = path, array
        self.shape, self.dtype, self.ndim = array.shape, array.dtype, array.ndim

    def __getitem__(self, key: Any) -> Any:
        with readable(self.path):
            return self.array[key]


def read_zarr(path: Path, *, lazy: bool = False, image: int = 1, use: Use = READ) -> Picture:
    """Read a Zarr array, or the finest level of an image inside a Zarr.

    Parameters
    ----------
    path : Path
        Of the Zarr, or of a group or an array inside it.
    lazy : bool
        Leave the pixels in the file: a dask array with the file's chunks.
    image : int
        Counted from 1: over the series, or the fields of the wells of a plate, or the arrays.
    use : Use
        What is checked before pixels are read.
    """
    with needs("zarr"):
        import zarr
    import dask.array as da

    try:
        node = zarr.open(path, mode="r")
    except FileNotFoundError:  # what Zarr says of any folder that holds none
        raise FileError(f"{path} holds no Zarr: is it complete?") from None
    found = zarr_images(path, node)
    number = image_number(path, image, len(found))
    at = found[number - 1]
    node = node[at.place] if at.place else node
    kept: dict[str, Any] = dict(node.attrs.get(ATTRIBUTE, {}))
    array, about = _plain(node, kept) if at.multiscale < 0 else _finest(node, at.multiscale)
    about = replace(_with_kept(about, kept), segmentations=labels_of(path, at.place, node))
    if array.ndim < 2:
        raise FileError(f"{path} holds no image of two axes or more: name a Zarr that does.")
    pixels = da.from_array(StoredArray(path, array), chunks=array.chunks, name=False)
    order, about = _as_ours(about, kept.get("axes"))
    if order != list(range(array.ndim)):
        pixels = pixels.transpose(order)
    pixels = pixels.astype(pixels.dtype.newbyteorder("="), copy=False)
    rgb = about.axes[-1] == "S"
    if not lazy:
        use.check(path, pixels.size, pixels.dtype.itemsize)
        pixels = pixels.compute()
    provenance = node.attrs.get(PROVENANCE)
    told = dict(provenance) if isinstance(provenance, dict) else None
    return Picture(pixels, rgb, kept.get("record"), about, number, len(found), told)


def _as_ours(about: FileRecord, ours: str | None) -> tuple[list[int], FileRecord]:
    """The order of the file's axes in our array: as the result had them, else Y and X last."""
    stored = about.axes
    if ours and "S" in ours and "S" not in stored:
        stored = stored.replace("C", "S")
    if not ours or sorted(stored) != sorted(ours):
        stored = about.axes
        planes = "YX" if {"Y", "X"} <= set(stored) else ""
        colours = "S" if stored[-1] == "S" else ""
        ours = "".join(a for a in stored if a not in planes + colours) + planes + colours
    order = [stored.index(axis) for axis in ours]
    about = about.picked(ours, order)
    return order, replace(about, channels=(), colours=(), windows=()) if "S" in ours else about


def _finest(group: Any, number: int) -> tuple[Any, FileRecord]:
    """Array and record of OME-Zarr 0.4 (Zarr 2) or 0.5 (Zarr 3)."""
    told = ome(group)
    image = told["multiscales"][number]
    finest = image["datasets"][0]
    array = group[finest["path"]]
    names: list[Any] = image.get("axes") or list("tczyx")[-array.ndim :]
    described = [axis if isinstance(axis, dict) else {"name": axis} for axis in names]
    scale, shift = np.ones(array.ndim), np.zeros(array.ndim)
    both = (finest, image)  # the transformation of one level, then that of all
    for transform in (t for part in both for t in part.get("coordinateTransformations") or ()):
        if transform["type"] == "scale" and "scale" in transform:
            scale, shift = scale * transform["scale"], shift * transform["scale"]
        elif transform["type"] == "translation" and "translation" in transform:
            shift = shift + transform["translation"]
    letters = _lettered([str(axis["name"]) for axis in described])
    channels = told.get("omero", {}).get("channels", [])
    count = array.shape[letters.index("C")] if "C" in letters else 1
    about = FileRecord(
        letters,
        tuple(scale.tolist()),
        tuple(shift.tolist()),
        tuple(long_unit(axis.get("unit")) for axis in described),
        **(_omero_display(channels, "C" in letters, array.dtype) if len(channels) == count else {}),
        rendering=rendering(told.get("omero", {})) if len(channels) == count else "",
    )
    name = str(image.get("name") or "")
    return array, replace(about, name="" if name in ("image", "/") else name)


def _omero_display(
    channels: list[dict[str, Any]], named: bool, dtype: np.dtype[Any]
) -> dict[str, Any]:
    """Names, colours and windows of the channels of omero, each where all have it.

    White and the whole range are what is written where nothing is known, and tell nothing.
    """
    labels, colours, windows = zip(
        *((c.get("label"), c.get("color"), c.get("window")) for c in channels), strict=True
    )
    told: dict[str, Any] = {"channels": tuple(map(str, labels))} if named and all(labels) else {}
    if all(colours):
        tints = tuple(str(c).lstrip("#").upper()[:6] for c in colours)
        told["colours"] = tints if set(tints) != {"FFFFFF"} else ()
    keys = ("min", "max", "start", "end")
    given = [w for w in windows if isinstance(w, dict) and set(keys) <= w.keys()]
    if len(given) == len(channels):
        found = tuple(tuple(w[key] for key in keys) for w in given)
        told["windows"] = found if set(found) != {2 * value_range(dtype)} else ()
    return told


def _plain(array: Any, kept: dict[str, Any]) -> tuple[Any, FileRecord]:
    """An array with the axes that it names; where it names none, three or four last are colours."""
    if "about" in kept:
        return array, FileRecord.from_dict(kept["about"])
    names: Any = getattr(array.metadata, "dimension_names", None)
    names = names or array.attrs.get("_ARRAY_DIMENSIONS")  # of Zarr 2, by xarray
    few = array.ndim > 2 and array.shape[-1] in (3, 4)
    if not names or len(names) != array.ndim or None in names:
        return array, FileRecord(default_axes(array.ndim, few), plain=True)
    rgb = few and str(names[-1]).lower() in COLOUR_AXES
    letters = _lettered([str(name) for name in names[: len(names) - rgb]])
    return array, FileRecord(letters + "S" * rgb, plain=True)


def _lettered(names: list[str]) -> str:
    """Letters for named axes; where none is Y or X, the last two are."""
    letters = own_letters([AXIS_LETTERS.get(name.lower(), name) for name in names])
    return letters if {"Y", "X"} & set(letters) else f"{letters[:-2]}YX"


def _with_kept(about: FileRecord, kept: dict[str, Any]) -> FileRecord:
    """A record with what OME-Zarr has no place for and our attribute holds."""
    return FileRecord.from_dict({**about.to_dict(), **(kept.get("more") or {})})
