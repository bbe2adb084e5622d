"""Whether what an image shows is soft: evident in wide means, and nowhere sharp.

Out of focus, dim fluorescence shows broad bodies alone. There an unproven speck is noise, most
likely, while among stars or filaments it may be one more of them.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .noise import Noise, left_in_means, single_planes
from .sampling import as_array

LOOKED_AT = 64  # pixels along the blocks that are looked at
MOST_BLOCKS = 256  # at most, of all planes together
BLOCKS_AT_ONCE = 16  # whose pixels lie in a core's cache
STANDS_OUT = 5.0  # deviations beyond which a difference is structure
MIDDLE_TWO = 1.1  # deviation of the mean of the middle two of four, over that of all four
SHARP_SIDE, FINE_SIDE, WIDE_SIDE = 2, 4, 16  # pixels along the squares that are told apart
# Shares of differences that are structure, where nothing is soft and where all is: of squares of
# `SHARP_SIDE` pixels, of `WIDE_SIDE`, and those of `FINE_SIDE` over these.
NO_SHARP_SHARE = (1e-4, 2e-5)
WIDE_EVIDENT = (0.002, 0.012)
FEW_FINE = (0.05, 0.02)

BlockPixels = NDArray[np.floating[Any]]


def softness(image: ArrayLike, noise: Noise, *, rgb: bool = False) -> float:
    """How far an image, a stack or a series shows soft things only.

    Parameters
    ----------
    image : array_like, (..., Y, X) or (..., Y, X, C)
        Few planes of a long stack are read.
    noise : Noise
        Of the image, in its units.
    rgb : bool
        The last axis holds colours, which are taken together.

    Returns
    -------
    float
        0..1: 1 where structure stands out of the noise in squares of 16 pixels, but hardly any in
        those of 4 and none in those of 2; 0 where anything sharp does, or nothing at all.
    """
    if noise.read_noise == 0 and math.isinf(noise.gain):
        return 0.0
    count, shares = 0, np.zeros(3)
    for pixels in _looked_at(single_planes(as_array(image), rgb)):
        middle = _middle_two(pixels)
        each = [_structured(middle, side, noise) for side in (SHARP_SIDE, FINE_SIDE, WIDE_SIDE)]
        count, shares = count + len(pixels), shares + len(pixels) * np.array(each)
    sharp, fine, wide = (shares / max(count, 1)).tolist()
    if wide == 0:
        return 0.0
    return (
        _fading(sharp, *NO_SHARP_SHARE)
        * _fading(wide, *WIDE_EVIDENT)
        * _fading(fine / wide, *FEW_FINE)
    )


def _looked_at(planes: list[NDArray[Any]]) -> Iterator[BlockPixels]:
    """Blocks of planes, spread evenly, a few at a time: (N, `LOOKED_AT`, `LOOKED_AT`), N > 0."""
    narrow = planes[0].dtype.kind in "ui" and planes[0].dtype.itemsize <= 2
    kind = np.float32 if narrow else np.float64  # which holds a pixel exactly
    corners = [(plane, y, x) for plane in planes for y, x in _block_corners(plane, len(planes))]
    for begin in range(0, len(corners), BLOCKS_AT_ONCE):
        parts = [
            plane[y : y + LOOKED_AT, x : x + LOOKED_AT]
            for plane, y, x in corners[begin : begin + BLOCKS_AT_ONCE]
        ]
        pixels: BlockPixels = np.stack(parts).astype(kind, copy=False)
        pixels = pixels if narrow else pixels[np.isfinite(pixels).all(axis=(1, 2))]
        if len(pixels):
            yield pixels


def _block_corners(plane: NDArray[Any], planes: int) -> Iterator[tuple[int, int]]:
    rows, columns = (n // LOOKED_AT for n in plane.shape)
    step = max(1, math.ceil(math.sqrt(rows * columns * planes / MOST_BLOCKS)))
    for y in range(0, rows, step):
        for x in range(0, columns, step):
            yield y * LOOKED_AT, x * LOOKED_AT


def _middle_two(pixels: BlockPixels) -> BlockPixels:
    """Means of 2 x 2 pixels without the brightest and the darkest: a lone pixel moves nothing."""
    four = [pixels[:, y::2, x::2] for y in (0, 1) for x in (0, 1)]
    low = np.minimum(np.minimum(four[0], four[1]), np.minimum(four[2], four[3]))
    high = np.maximum(np.maximum(four[0], four[1]), np.maximum(four[2], four[3]))
    return np.asarray((sum(four) - low - high) / 2)


def _structured(middle: BlockPixels, side: int, noise: Noise) -> float:
    """Share of second differences of squares' means beyond what noise explains."""
    means = middle
    for _ in range((side // 2).bit_length() - 1):  # twice as wide each time
        rows = means[:, 0::2] + means[:, 1::2]
        means = (rows[..., 0::2] + rows[..., 1::2]) / 4
    found = [_beyond_noise(each, side, noise) for each in (means, means.transpose(0, 2, 1))]
    return float(np.mean(found))


def _beyond_noise(means: BlockPixels, side: int, noise: Noise) -> float:
    here, beside = means[:, 1:-1], means[:, :-2] + means[:, 2:]
    left = MIDDLE_TWO * left_in_means(noise.grain, side.bit_length() - 1)
    variance = noise.variance((2 * here + beside) / 4, means.dtype)
    expected = 1.5 * left**2 * np.maximum(variance, 1e-30)
    return float((np.square(here - beside / 2) > STANDS_OUT**2 * expected).mean())


def _fading(value: float, none: float, full: float) -> float:
    """0 at `none`, 1 at `full`, straight between."""
    return min(max((value - none) / (full - none), 0.0), 1.0)
