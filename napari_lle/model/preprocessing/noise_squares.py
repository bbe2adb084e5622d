"""Squares of 4 x 4 pixels, and what each of them tells of noise and of structure.

The squares are the last axis of all arrays, so that all arithmetic runs along numbers that lie
side by side.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..array_types import Float64

SQUARES = 120_000  # of 4 x 4 pixels, at most, that are looked at
SQUARES_AT_ONCE = 4096  # whose figures lie in a core's cache


class Squares(NamedTuple):
    """What N squares tell, see `measured`.

    Attributes
    ----------
    bright : ndarray, (N,)
        Means without the extremes: a hot pixel would make a brightness of its own.
    mean : ndarray, (N,)
    crossed : ndarray, (4, N)
        Differences across the diagonals of 2 x 2 pixels, of the variance of one pixel.
    coarse : ndarray, (N,)
        The same of the means of 2 x 2 pixels.
    lines : ndarray, (2, 2, N)
        Differences between the means of neighbouring columns, and of neighbouring rows.
    energy : ndarray, (N,)
        Structure, told by differences that share no noise with `crossed`.
    clipped : ndarray of bool, (N,)
        Whether they hold pixels as dark, or as bright, as many others.
    cut_off : float
        Share of the darkest value among the pixels of those that hold something brighter, too.
    """

    bright: Float64
    mean: Float64
    crossed: Float64
    coarse: Float64
    lines: Float64
    energy: Float64
    clipped: NDArray[np.bool_]
    cut_off: float


def measured(planes: list[NDArray[Any]], dtype: np.dtype[Any]) -> Squares:
    """Look at squares of planes, (Y, X), spread evenly: those that are finite."""
    area = math.prod(planes[0].shape)
    step = 4 * max(1, math.ceil(math.sqrt(area * len(planes) / 16 / SQUARES)))
    parts = [_pixels(plane, step) for plane in planes]
    pixels = np.concatenate(parts, axis=-1) if len(parts) > 1 else parts[0]
    if dtype.kind == "f":
        pixels = pixels[..., np.isfinite(pixels).all(axis=(0, 1))]
    count = pixels.shape[-1]
    begins = range(0, max(count, 1), SQUARES_AT_ONCE)
    blocks = [_of_block(pixels[..., i : i + SQUARES_AT_ONCE]) for i in begins]
    flat = pixels.reshape(16, -1)
    bright, mean, crossed, coarse, lines, energy = (
        np.concatenate(parts, axis=-1) for parts in zip(*blocks, strict=True)
    )
    ends, cut = _at_an_end(flat, dtype), _cut_off(flat)
    return Squares(bright, mean, crossed, coarse, lines, energy, ends, cut)


def _of_block(pixels: NDArray[Any]) -> tuple[Float64, ...]:
    """The first figures of `Squares` of a few squares, (4, 4, N)."""
    upper, lower = pixels[0::2], pixels[1::2]
    left, right = upper[:, 0::2] - lower[:, 0::2], upper[:, 1::2] - lower[:, 1::2]
    rows = upper + lower
    crossed = (left - right) / 2  # 2, 2, N
    (p, q), (r, s) = (rows[:, 0::2] + rows[:, 1::2]) / 4
    diagonal, down, along = p - q - r + s, p + q - (r + s), p + r - (q + s)
    sums = pixels.sum(axis=0), pixels.sum(axis=1)
    figures = (
        _without_extremes(pixels.reshape(16, -1)),
        (p + q + r + s) / 4,
        crossed.reshape(4, -1),
        diagonal / 2,
        np.stack([(each[::2] - each[1::2]) / 4 for each in sums]),
    )
    energy = sum(np.square(each, dtype=np.float64) for each in (down, along, diagonal))
    return *(each.astype(np.float64, copy=False) for each in figures), np.asarray(energy)


def _without_extremes(values: NDArray[Any]) -> Float64:
    """The means of columns of 16 without their two least and two greatest values."""
    a, b = np.minimum(values[:8], values[8:]), np.maximum(values[:8], values[8:])
    least, low = a, b  # the two least of ever more
    most, high = b, a
    while len(least) > 1:
        half = len(least) // 2
        low = np.minimum(np.maximum(least[:half], least[half:]), np.minimum(low[:half], low[half:]))
        least = np.minimum(least[:half], least[half:])
        high = np.maximum(
            np.minimum(most[:half], most[half:]), np.maximum(high[:half], high[half:])
        )
        most = np.maximum(most[:half], most[half:])
    inner = np.clip(values, low, high).sum(axis=0) - 2 * (low[0] + high[0])
    return np.divide(inner, 12, dtype=np.float64)


def _pixels(plane: NDArray[Any], step: int) -> NDArray[Any]:
    """Squares of a plane, (4, 4, N), as floats that hold a pixel, and sums of 16, exactly."""
    rows, columns = (len(range(0, n - 3, step)) for n in plane.shape)
    narrow = plane.dtype.kind in "ui" and plane.dtype.itemsize <= 2
    found = np.empty((4, 4, rows, columns), np.float32 if narrow else np.float64)
    for y in range(4):
        for x in range(4):
            found[y, x] = plane[y::step, x::step][:rows, :columns]
    return found.reshape(4, 4, -1)


def _at_an_end(pixels: Float64, dtype: np.dtype[Any]) -> NDArray[np.bool_]:
    """Squares, (16, N), that hold pixels as dark, or as bright, as many others: clipped ones."""
    count = pixels.shape[1]
    found = np.zeros(count, bool)
    if not count:
        return found
    ends = {float(pixels.min()), float(pixels.max())}
    if dtype.kind in "ui":
        limits = {float(np.iinfo(dtype).min), float(np.iinfo(dtype).max)}
        ends |= {end for end in limits if min(ends) <= end <= max(ends)}
    for end in ends:
        at = (pixels == end).any(axis=0)
        # The extreme of noise is reached once or so, that of a clipped image everywhere.
        if at.sum() > max(4, 1e-4 * count):
            found |= at
    return found


def _cut_off(pixels: Float64) -> float:
    """How much of squares, (16, N), is cut off at the dark end.

    A frame of zeros around an image, or what is masked, holds nothing else: it does not count.
    """
    darkest = (pixels == pixels.min(initial=np.inf)).sum(axis=0, dtype=np.uint8)
    seen = darkest[darkest < len(pixels)]
    return float(seen.mean()) / len(pixels) if seen.size else 0.0
