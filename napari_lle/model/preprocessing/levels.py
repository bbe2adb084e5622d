"""Black and white levels of an image: found once, given, or near its background.

What they do stands in `normalizing`, whose names are offered here, too.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .normalizing import (
    AnyLevels,
    ChannelLevels,
    Levels,
    denormalize,
    network_input,
    normalize,
    normalized,
    working_dtype,
)
from .quantiles import Ordered
from .sampling import SAMPLE, as_array, blocks, check_dtype, is_photograph, region_values, sample
from .sky import NEAR_SKY, find_sky, white_for_sky
from .tally import Tally

__all__ = [
    "SAMPLE",
    "AnyLevels",
    "ChannelLevels",
    "Levels",
    "blocks",
    "check_dtype",
    "denormalize",
    "find_levels",
    "network_input",
    "normalize",
    "normalized",
    "sample",
    "working_dtype",
]

BLACK_PERCENTILE = 0.1
NOISE_MEDIAN = 0.24  # at most, where the levels have little but noise between them
NOISE_SHARE = (0.5, 0.8)  # of an image's variance: from nothing of that to all of it
WHITE_PERCENTILE = 99.9  # survives stars and hot pixels, which go above 1


def find_levels(
    image: ArrayLike,
    *,
    rgb: bool = False,
    black: float | str | None = None,
    white: float | None = None,
    sky: float | None = None,
    roi: Any = None,
    tally: Tally | None = None,
) -> Levels:
    """Choose the black and white levels of a whole image, stack or series.

    Parameters
    ----------
    image : array_like, any shape
        Integers, floats or booleans; NaN and infinities are passed over.
    rgb : bool
        The last axis holds colours. An RGB image of dtype uint8 is a photograph: 0 and 255.
    black, white : float, optional
        Levels in the input's units that replace the automatic ones: the 0.1 and 99.9 percentiles
        without empty margins. Of mere noise white lies so much higher that its median is .24:
        there is nothing to stretch, and noise is not to look like a scene. ``"sky"`` for black is
        2.8 deviations of its noise below the background, see `find_sky`.
    sky : float, optional
        The brightness, 0..1, that a stretch is to bring the background to. Where white is not
        given, it is raised or lowered until a stretch can do that.
    roi : ndarray of bool, (Y, X), or (slice, slice), optional
        A region of the planes that the percentiles are taken from instead.
    tally : Tally, optional
        Of what `sample` gave, where that is known.

    Returns
    -------
    Levels

    Raises
    ------
    TypeError
        If the dtype is not that of an image.
    ValueError
        If the image is empty, or a given level leaves nothing between black and white.
    """
    data = as_array(image)
    dtype = check_dtype(data.dtype)
    if data.size == 0:
        raise ValueError(f"The image is empty (shape {tuple(data.shape)}): nothing to enhance.")
    seen = tally if roi is None else Tally(region_values(data, roi, rgb=rgb))
    background = None
    if sky or black == NEAR_SKY:
        seen = seen or Tally(sample(data, rgb=rgb))
        background = find_sky(seen.squares)
    if isinstance(black, str):
        black = background.black if background else None
    automatic = _automatic(data, (black, white), seen, rgb=rgb, whole=roi is None)
    low = automatic[0] if black is None else float(black)
    high = automatic[1] if white is None else float(white)
    if sky and background and white is None:
        high = white_for_sky(low, high, background.level, sky)
    if high <= low and (black is None) != (white is None):
        typed = f"black level ({low:g})" if white is None else f"white level ({high:g})"
        raise ValueError(
            f"The {typed} leaves nothing of the image, whose own levels are {automatic[0]:g} and "
            f"{automatic[1]:g}: change it, or give both."
        )
    return Levels(low, high, dtype.name)


def _automatic(
    data: Any,
    given: tuple[float | None, float | None],
    seen: Tally | None,
    *,
    rgb: bool,
    whole: bool,
) -> tuple[float, float]:
    """Black and white where they are not given: of the whole, or of a region's values."""
    dtype, (black, white) = np.dtype(data.dtype), given
    if whole and dtype.kind == "b":
        return 0.0, 1.0
    if whole and is_photograph(dtype, rgb):
        return 0.0, 255.0
    if whole and black is not None and white is not None:
        return black, white
    seen = seen or Tally(sample(data, rgb=rgb))
    low, high = _both_percentiles(seen.ordered, dtype)
    return low, _above_noise(seen.squares, seen.ordered, low, high) if whole else high


def _both_percentiles(values: Ordered, dtype: np.dtype[Any]) -> tuple[float, float]:
    if values.size == 0:
        return 0.0, 1.0
    low, high = values.quantiles([BLACK_PERCENTILE, WHITE_PERCENTILE])
    if high <= low:
        low, high = values.extremes()
    if high <= low:  # constant
        return low, low + (1.0 if dtype.kind in "ui" else max(abs(low), 1.0))
    return low, high


def _above_noise(squares: NDArray[Any], values: Ordered, low: float, high: float) -> float:
    """The white level that keeps mere noise dark; `high` where the image holds more than that.

    Squares are of 2 x 2 neighbours, (N, 2, 2[, C]), values those of their pixels.
    """
    if squares.dtype.kind == "f":
        known = np.isfinite(squares).all(axis=tuple(range(1, squares.ndim)))
        if not known.all():
            squares = squares[known]
            values = Ordered(squares)
    if not len(squares):
        return high
    median = values.median()
    dark = low + (median - low) / NOISE_MEDIAN
    if dark <= high:
        return high
    spread = values.spread(median)
    if spread == 0:
        return high
    start, end = NOISE_SHARE
    ratio = min(_crossed(squares) / spread, 10.0)  # noise alone has about 1; more may overflow
    share = min(max((ratio**2 - start) / (end - start), 0.0), 1.0)
    return high + share * (dark - high)


def _crossed(squares: NDArray[Any]) -> float:
    """The median of half the difference across the diagonals of squares: noise alone makes it."""
    narrow = squares.dtype.kind in "ui" and squares.dtype.itemsize <= 2
    kind = np.int32 if narrow else np.float64
    corners: list[NDArray[Any]] = [squares[:, i, j].astype(kind) for i in (0, 1) for j in (0, 1)]
    a, b, c, d = corners
    return Ordered(np.abs(a - b - c + d)).median() / 2
