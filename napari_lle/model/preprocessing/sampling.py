"""Parts of an image or stack that stand for all of it, where levels and statistics are found."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, DTypeLike, NDArray

from .margins import without_margins

SAMPLE = 2_000_000  # pixels that levels and statistics are taken from
CORNERED = 16  # planes whose corners are looked at for empty margins


def as_array(image: ArrayLike) -> Any:
    """The image as an array; what is one already, lazy or not, stays what it is."""
    return image if hasattr(image, "shape") else np.asarray(image)


def check_dtype(dtype: DTypeLike) -> np.dtype[Any]:
    """Return `dtype` as NumPy's, or raise TypeError where images cannot be of it."""
    dtype = np.dtype(dtype)
    if dtype.kind not in "buif":
        raise TypeError(f"An image holds integers, floats or booleans, not {dtype}: convert it.")
    return dtype


def blocks(plane: NDArray[Any], step: int, top: int = 0, left: int = 0) -> NDArray[Any]:
    """Squares of 2 x 2 neighbours at every `step`-th row and column of a plane.

    Parameters
    ----------
    plane : ndarray, (Y, X) or (Y, X, C)
    step : int
        At 2 the squares cover every pixel; in planes of odd extent the last ones overlap.
    top, left : int
        Where the first square lies.

    Returns
    -------
    ndarray, (N, 2, 2) or (N, 2, 2, C)
    """
    rows, columns = (
        [_neighbour_slices(length, step, offset, beside) for beside in (0, 1)]
        for length, offset in zip(plane.shape, (top, left), strict=False)
    )
    # All squares' pixels of one corner and colour lie together in memory: arithmetic runs along
    # these.
    colours = np.moveaxis(plane, 2, 0) if plane.ndim > 2 else plane
    corners = [colours[..., row, :][..., column] for row in rows for column in columns]
    # In an array of our own, or NumPy would keep the image's order.
    found = np.empty((4, *corners[0].shape), plane.dtype.newbyteorder("="))
    np.stack(corners, out=found)
    found = found.reshape(2, 2, *found.shape[1:-2], -1)
    return np.moveaxis(found, -1, 0)


def _neighbour_slices(length: int, step: int, offset: int, beside: int) -> slice | NDArray[np.intp]:
    """The first or second of two neighbours at every `step`-th place, as slices where those do."""
    start, end = min(offset, max(length - 2, 0)), max(length - 1, 1)
    if length > 2 and length % 2 and step == 2:
        return np.append(np.arange(start, end, step), length - 2) + beside
    if length < 2:
        return np.zeros(1, np.intp)
    return slice(start + beside, end + beside, step)


def sample(image: ArrayLike, *, rgb: bool = False) -> NDArray[Any]:
    """Squares of 2 x 2 neighbouring pixels, spread evenly, of at most about `SAMPLE` pixels.

    Few planes of a long stack are read, and each as a whole: right for lazy images.

    Returns
    -------
    ndarray, (N, 2, 2) or (N, 2, 2, 3)
        In the image's dtype; an alpha channel is left out, and so are empty margins, but for
        8-bit photographs, whose black bars the models for photographs learned with.
    """
    data = as_array(image)
    planes = planes_of(data, rgb)
    area = math.prod(planes[0].shape[:2])
    step = 2 * max(1, math.ceil(math.sqrt(area * len(planes) / SAMPLE)))
    parts = [blocks(plane, step) for plane in planes]
    found = np.concatenate(parts) if len(parts) > 1 else parts[0]
    return (
        found
        if is_photograph(found.dtype, rgb)
        else without_margins(found, planes[:: -(-len(planes) // CORNERED)])
    )


def planes_of(data: Any, rgb: bool) -> list[NDArray[Any]]:
    """Some planes of a stack, spread evenly, without alpha: those that levels are taken from."""
    lead = data.shape[: data.ndim - (3 if rgb else 2)]
    planes = list(np.ndindex(*lead))
    area = math.prod(data.shape[len(lead) : len(lead) + 2])
    kept = min(len(planes), max(16, SAMPLE // area))
    chosen = [planes[round(i * (len(planes) - 1) / max(kept - 1, 1))] for i in range(kept)]
    return [np.asarray(data[index])[..., : 3 if rgb else None] for index in chosen]


def is_photograph(dtype: np.dtype[Any], rgb: bool) -> bool:
    """8-bit colour, which keeps its full range."""
    return dtype == np.uint8 and rgb


def region_values(image: ArrayLike, roi: Any = None, *, rgb: bool = False) -> NDArray[np.float64]:
    """Finite values of an image, or of a region of its planes.

    Parameters
    ----------
    image : array_like, (..., Y, X) or (..., Y, X, 3 or 4)
    roi : ndarray of bool, (Y, X), or (slice, slice), optional
        The region, the same in all planes. Few planes of a long stack are read.

    Raises
    ------
    ValueError
        If the region holds no finite value.
    """
    data = as_array(image)
    check_dtype(data.dtype)
    if data.size == 0:
        raise ValueError(f"The image is empty (shape {tuple(data.shape)}): nothing to measure.")
    place = (slice(None), slice(None)) if roi is None else roi
    if isinstance(place, np.ndarray) and (place.dtype != bool or place.shape != _extent(data, rgb)):
        raise ValueError(
            f"A region is a mask of booleans, {_extent(data, rgb)}, or two slices, not an array "
            f"of {place.dtype}, {place.shape}."
        )
    values = np.concatenate([plane[place].ravel() for plane in planes_of(data, rgb)])
    values = values.astype(np.float64)
    values = values[np.isfinite(values)]
    if values.size == 0:
        raise ValueError("The region holds no values: choose one inside the image.")
    return values


def _extent(data: Any, rgb: bool) -> tuple[int, ...]:
    return tuple(data.shape[-3:-1] if rgb else data.shape[-2:])
