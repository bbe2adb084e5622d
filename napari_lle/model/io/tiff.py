"""TIFF: OME-TIFF where the axes are known, ImageJ's and plain ones besides."""

from __future__ import annotations

import json
import math
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .memory import check_memory
from .metadata import SYMBOLS, FileRecord, Picture, fitting, long_unit, own_letters, readable

SUFFIXES = (".tif", ".tiff")
OME_AXES = set("TCZYXS")
OME_DTYPES = ("int8", "int16", "int32", "uint8", "uint16", "uint32", "float32", "float64")
NAMESPACE = "napari-lle"  # of our record among the annotations of an OME-TIFF


def read_tiff(path: Path, *, lazy: bool = False) -> Picture:
    """Read the first series of a TIFF; of a pyramid, the finest level.

    Parameters
    ----------
    path : Path
    lazy : bool
        Leave the pixels in the file: a memory map, or a dask array of one chunk for each page.
    """
    import tifffile

    with tifffile.TiffFile(path) as file:
        series = file.series[0]
        if not lazy:
            check_memory(path, series.nbytes, "cut it into parts, or make a Zarr of it")
        pixels = _lazy_pixels(path, series) if lazy else series.asarray()
        axes = series.axes
        if "S" in axes:  # samples of a pixel: colours go last, anything else is channels
            rgb = series.shape[axes.index("S")] in (3, 4)
            place = -1 if rgb else -3
            pixels = np.moveaxis(pixels, axes.index("S"), place)
            rest = axes.replace("S", "")
            axes = f"{rest}S" if rgb else f"{rest[:-2]}C{rest[-2:]}"
        axes = own_letters(axes)
        ome = _ome(file)
        if ome:
            record, about = _ome_record(ome), _ome_about(ome, axes)
        else:
            described: Any = (file.shaped_metadata or ({},))[0]
            kept = described.get("napari_lle")
            record, about = kept and json.loads(kept), _imagej_about(file, axes)
    return Picture(_native(pixels), axes[-1] == "S", record, about)


def write_tiff(
    path: Path,
    pixels: NDArray[Any],
    rgb: bool,
    record: dict[str, Any] | None = None,
    about: FileRecord | None = None,
) -> None:
    """Write OME-TIFF where it can hold such axes and dtype, else a TIFF that tells its shape."""
    import tifffile

    about = fitting(about, pixels.ndim, rgb)
    axes, kept = about.axes, json.dumps(record) if record else None
    known = set(axes) <= OME_AXES and len(set(axes)) == len(axes)
    ome = known and pixels.dtype.name in OME_DTYPES and pixels.size > 0
    if ome:
        metadata = _ome_metadata(about, pixels.shape)
        if kept:
            metadata["CommentAnnotation"] = {"Namespace": NAMESPACE, "Value": kept}
    else:
        metadata = {"napari_lle": kept} if kept else {}
    tifffile.imwrite(
        path, pixels, photometric="rgb" if rgb else "minisblack", metadata=metadata, ome=ome
    )


def _native(pixels: Any) -> Any:
    """The same numbers in this machine's byte order."""
    return pixels.astype(pixels.dtype.newbyteorder("="), copy=False)


def _lazy_pixels(path: Path, series: Any) -> Any:
    import dask.array as da
    import tifffile

    if series.dataoffset is not None and series.dtype.isnative:
        return tifffile.memmap(path, series=0, mode="r")
    page = series.keyframe.shape
    lead = series.shape[: series.ndim - len(page)]
    if series.shape[len(lead) :] != page or math.prod(lead) != len(series.pages):
        return series.asarray()

    def read(block_info: Any = None) -> NDArray[Any]:
        place = block_info[None]["chunk-location"][: len(lead)]
        number = int(np.ravel_multi_index(place, lead)) if lead else 0
        with readable(path), tifffile.TiffFile(path) as file:
            return file.series[0].pages[number].asarray().reshape((1,) * len(lead) + page)

    chunks = (*((1,) * n for n in lead), *((n,) for n in page))
    return da.map_blocks(read, chunks=chunks, dtype=series.dtype, meta=np.empty(0, series.dtype))


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _ome(file: Any) -> dict[str, Any]:
    """The OME-XML of a file; nothing where it is not well-formed, for the pixels may be."""
    import tifffile

    if not file.is_ome:
        return {}
    with suppress(SyntaxError):  # that of XML too
        return tifffile.xml2dict(file.ome_metadata).get("OME") or {}
    return {}


def _ome_record(ome: dict[str, Any]) -> dict[str, Any] | None:
    comments = ome.get("StructuredAnnotations", {}).get("CommentAnnotation", [])
    for comment in _listed(comments):
        if isinstance(comment, dict) and comment.get("Namespace") == NAMESPACE:
            value = comment["Value"]  # parsed already where it looks like a number
            return json.loads(value) if isinstance(value, str) else None
    return None


def _ome_about(ome: dict[str, Any], axes: str) -> FileRecord:
    described = _listed(ome.get("Image", {}))[0].get("Pixels", {})
    scale, units = [], []
    for axis in axes:
        key = "TimeIncrement" if axis == "T" else f"PhysicalSize{axis}"
        default = "s" if axis == "T" else "µm"
        size = _positive(described.get(key))
        scale.append(size or 1.0)
        units.append(long_unit(described.get(f"{key}Unit", default)) if size else "")
    found = [c.get("Name") for c in _listed(described.get("Channel", [])) if isinstance(c, dict)]
    names = tuple(str(n) for n in found) if all(n is not None for n in found) else ()
    return FileRecord(axes, tuple(scale), units=tuple(units), channels=names)


def _positive(value: Any) -> float | None:
    """The extent that a file gives; none where it is no such number."""
    with suppress(TypeError, ValueError):
        size = abs(float(value))
        return size if 0 < size < math.inf else None
    return None


def _ome_metadata(about: FileRecord, shape: tuple[int, ...]) -> dict[str, Any]:
    metadata: dict[str, Any] = {"axes": about.axes}
    for axis, size, unit in zip(about.axes, about.scale, about.units, strict=True):
        if axis in "TXYZ" and unit in SYMBOLS:
            key = "TimeIncrement" if axis == "T" else f"PhysicalSize{axis}"
            metadata |= {key: size, f"{key}Unit": SYMBOLS[unit]}
    count = shape[about.axes.index("C")] if "C" in about.axes else 1
    if len(about.channels) == count:
        metadata["Channel"] = {"Name": list(about.channels)}
    return metadata


def _imagej_about(file: Any, axes: str) -> FileRecord:
    described = file.imagej_metadata or {}
    unit = long_unit(str(described.get("unit", "")))
    scale, units = dict.fromkeys(axes, 1.0), dict.fromkeys(axes, "")
    if unit:
        for axis, tag in (("X", 282), ("Y", 283)):
            count, length = file.pages[0].tags.valueof(tag, (1, 1))
            scale[axis], units[axis] = (length / count if count else 1.0), unit
        if "Z" in axes and "spacing" in described:
            scale["Z"], units["Z"] = _positive(described["spacing"]) or 1.0, unit
    if "T" in axes and _positive(described.get("finterval")):
        scale["T"] = float(described["finterval"])
        units["T"] = long_unit(str(described.get("tunit", "s"))) or "second"
    return FileRecord(axes, tuple(scale.values()), units=tuple(units.values()))
