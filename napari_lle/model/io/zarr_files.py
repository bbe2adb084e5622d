"""OME-Zarr and plain Zarr arrays read: what they say of their axes, pixels left where they are."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from .metadata import (
    SYMBOLS,
    FileError,
    FileRecord,
    Picture,
    default_axes,
    needs,
    own_letters,
    readable,
)
from .zarr_layout import KEY

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


class Stored:
    """A Zarr array that names its file where a chunk of it is damaged."""

    def __init__(self, path: Path, array: Any) -> None:
        self.path, self.array = path, array
        self.shape, self.dtype, self.ndim = array.shape, array.dtype, array.ndim

    def __getitem__(self, key: Any) -> Any:
        with readable(self.path):
            return self.array[key]


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
    pixels = da.from_array(Stored(path, array), chunks=array.chunks, name=False)
    ours = kept.get("axes", about.axes)
    stored = about.axes.replace("C", "S") if "S" in ours and "S" not in about.axes else about.axes
    if sorted(stored) == sorted(ours) and stored != ours:
        order = [stored.index(axis) for axis in ours]
        pixels = pixels.transpose(order)
        about = _picked(about, ours, order)
    pixels = pixels.astype(pixels.dtype.newbyteorder("="), copy=False)
    rgb = about.axes[-1] == "S"
    return Picture(pixels if lazy else pixels.compute(), rgb, kept.get("record"), about)


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
