"""TIFF read: OME-TIFF, ImageJ's and plain ones, each page upright and in its meaning."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .errors import FileError, readable
from .memory import READ, Use
from .metadata import Picture, own_letters
from .orientation import turned_record, upright
from .raster import image_number
from .tiff_about import about_pages, about_series
from .tiff_pixels import check_meaning, meant, orientation, premultiplied

SUFFIXES = (".tif", ".tiff")


def read_tiff(path: Path, *, lazy: bool = False, image: int = 1, use: Use = READ) -> Picture:
    """Read series `image` of a TIFF; of a pyramid, the finest level.

    Parameters
    ----------
    path : Path
    lazy : bool
        Leave the pixels in the file: a memory map, or a dask array of one chunk for each page.
    image : int
        Counted from 1, without thumbnails and masks.
    use : Use
        What is checked before pixels are read.
    """
    import tifffile

    with tifffile.TiffFile(path) as file:
        places = _images(path, file)
        number = image_number(path, image, len(places))
        place = places[number - 1]
        series = file.series[place]
        page = series.keyframe
        check_meaning(path, page)
        if not lazy:
            use.check(path, series.size, series.dtype.itemsize)
        raw = _lazy_series(path, series, place) if lazy else series.asarray()
        pixels, axes, alpha = _arranged(raw, series.axes, page)
        told = about_series(file, place, axes, pixels)
        about = about_pages(file, page, told.about)
    turn = orientation(page)
    rows = axes.index("Y")
    if alpha is not None:
        about = replace(about, alpha=_native(upright(alpha, turn, rows)))
    pixels = _native(upright(pixels, turn, rows))
    about = replace(about, premultiplied=premultiplied(page))
    about, rgb = turned_record(about, turn), axes[-1] == "S"
    return Picture(pixels, rgb, told.record, about, number, len(places), told.provenance)


def _images(path: Path, file: Any) -> list[int]:
    """Places of the series that are images of their own, not thumbnails or masks of others."""
    places = [i for i, series in enumerate(file.series) if series.ndim > 1 and series.size]
    if not places:
        raise FileError(f"{path} holds no image of two axes or more: name a TIFF that does.")
    own = [i for i in places if not file.series[i].keyframe.subfiletype & 0b101]
    return own or places


def _arranged(pixels: Any, axes: str, page: Any) -> tuple[Any, str, Any]:
    """Pixels with Y and X last but for colours, a letter for each axis, and alpha beside greys."""
    samples = 0
    if "S" in axes:
        pixels = np.moveaxis(pixels, axes.index("S"), -1)
        axes, samples = axes.replace("S", ""), pixels.shape[-1]
    if axes.find("X") - axes.find("Y") != 1 or axes[-2:] != "YX":
        pixels, axes = _planes_last(pixels, axes, samples)
    pixels, kind = meant(pixels, page, samples)
    alpha = None
    if kind == "A":
        pixels, alpha = pixels[..., 0], pixels[..., 1]
    elif kind == "C":
        pixels, axes = np.moveaxis(pixels, -1, -3), f"{axes[:-2]}C{axes[-2:]}"
    elif kind == "S":
        axes = f"{axes}S"
    elif samples:  # of one
        pixels = pixels[..., 0]
    return pixels, own_letters(axes), alpha


def _planes_last(pixels: Any, axes: str, samples: int) -> tuple[Any, str]:
    """Y and X behind the axes of planes; where either is missing, the last two stand for them."""
    if not {"Y", "X"} <= set(axes):
        return pixels, f"{axes[:-2]}YX"
    order = [i for i, axis in enumerate(axes) if axis not in "YX"]
    order += [axes.index("Y"), axes.index("X")]
    axes = "".join(axes[i] for i in order)
    return pixels.transpose(*order, *([len(order)] if samples else [])), axes


def _native(pixels: Any) -> Any:
    """The same numbers in this machine's byte order."""
    return pixels.astype(pixels.dtype.newbyteorder("="), copy=False)


def _lazy_series(path: Path, series: Any, place: int) -> Any:
    import dask.array as da
    import tifffile

    if series.dataoffset is not None and series.dtype.isnative and not series.is_multifile:
        return tifffile.memmap(path, series=place, mode="r")
    page = series.keyframe.shape
    lead = series.shape[: series.ndim - len(page)]
    if series.shape[len(lead) :] != page or math.prod(lead) != len(series.pages):
        return series.asarray()

    def read(block_info: Any = None) -> NDArray[Any]:
        at = block_info[None]["chunk-location"][: len(lead)]
        number = int(np.ravel_multi_index(at, lead)) if lead else 0
        with readable(path), tifffile.TiffFile(path) as file:
            found = file.series[place].pages[number]
            pixels = np.zeros(page, series.dtype) if found is None else found.asarray()
            return pixels.reshape((1,) * len(lead) + page)

    chunks = (*((1,) * n for n in lead), *((n,) for n in page))
    return da.map_blocks(read, chunks=chunks, dtype=series.dtype, meta=np.empty(0, series.dtype))
