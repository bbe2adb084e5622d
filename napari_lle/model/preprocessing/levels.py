"""Black and white levels: x = (S - black) / (white - black), and the way back.

Levels are found once for a whole layer and kept with the result, so that every plane of a stack
is stretched alike and the stored integers can be restored exactly.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .quantiles import Ordered
from .sampling import SAMPLE, blocks, check_dtype, is_photograph, region_values, sample

__all__ = [
    "SAMPLE",
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
EXACT = 2.0**50  # R L + black is off by less than half an integer below
EXTREME = 2.0**48  # ADU: with levels beyond, float64 cannot tell integers apart
NEAR = 2.0**19  # levels further from 0 leave float32 too few digits for 16-bit values
NOISE_MEDIAN = 0.24  # at most, where the levels have little but noise between them
NOISE_SHARE = (0.5, 0.8)  # of an image's variance: from nothing of that to all of it
WHITE_PERCENTILE = 99.9  # survives stars and hot pixels, which go above 1


@dataclass(frozen=True)
class Levels:
    """The input values that become 0 and 1, and the dtype that they came in.

    Attributes
    ----------
    black, white : float
        In the input's units, ``black < white``.
    dtype : str
        NumPy name of the input's dtype, e.g. ``"uint16"``: what `denormalize` returns to.
    """

    black: float
    white: float
    dtype: str

    def __post_init__(self) -> None:
        if not (np.isfinite(self.black) and np.isfinite(self.white) and self.black < self.white):
            raise ValueError(
                f"The black level ({self.black:g}) must be a number below the white level "
                f"({self.white:g}): change one of them."
            )
        dtype = np.dtype(self.dtype)
        if dtype.kind not in "ui":
            return
        largest = max(EXTREME, 4 * float(np.iinfo(dtype).max))
        if max(abs(self.black), abs(self.white)) > largest or self.span < 1 / EXTREME:
            raise ValueError(
                f"Levels of {self.black:g} and {self.white:g} are out of all proportion to "
                f"{dtype} values: restoring would not be exact."
            )

    @property
    def span(self) -> float:
        """White minus black, in the input's units."""
        return self.white - self.black


def find_levels(
    image: ArrayLike,
    *,
    rgb: bool = False,
    black: float | None = None,
    white: float | None = None,
    roi: Any = None,
    squares: NDArray[Any] | None = None,
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
        there is nothing to stretch, and noise is not to look like a scene.
    roi : ndarray of bool, (Y, X), or (slice, slice), optional
        A region of the planes that the percentiles are taken from instead.
    squares : ndarray, (N, 2, 2) or (N, 2, 2, 3), optional
        What `sample` gave, where that is known.

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
    data: Any = image if hasattr(image, "shape") else np.asarray(image)
    dtype = check_dtype(data.dtype)
    if data.size == 0:
        raise ValueError(f"The image is empty (shape {tuple(data.shape)}): nothing to enhance.")
    if roi is not None:
        automatic = _percentiles(Ordered(region_values(data, roi, rgb=rgb)), dtype)
    elif dtype.kind == "b":
        automatic = (0.0, 1.0)
    elif is_photograph(dtype, rgb):
        automatic = (0.0, 255.0)
    elif black is not None and white is not None:
        automatic = (black, white)
    else:
        squares = sample(data, rgb=rgb) if squares is None else squares
        values = Ordered(squares)
        low, high = _percentiles(values, dtype)
        automatic = (low, _above_noise(squares, values, low, high))
    low = automatic[0] if black is None else float(black)
    high = automatic[1] if white is None else float(white)
    if high <= low and (black is None) != (white is None):
        typed = f"black level ({low:g})" if white is None else f"white level ({high:g})"
        raise ValueError(
            f"The {typed} leaves nothing of the image, whose own levels are {automatic[0]:g} and "
            f"{automatic[1]:g}: change it, or give both."
        )
    return Levels(low, high, dtype.name)


def _percentiles(values: Ordered, dtype: np.dtype[Any]) -> tuple[float, float]:
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


def normalize(image: ArrayLike, levels: Levels) -> NDArray[np.float64]:
    """``(S - black) / (white - black)`` in float64, never clipped; NaN and inf stay."""
    return (np.asarray(image).astype(np.float64) - levels.black) / levels.span


def denormalize(x: ArrayLike, levels: Levels) -> NDArray[Any]:
    """The inverse of `normalize`, in the dtype of `levels`.

    Integers are rounded to the nearest and clipped to the dtype's range.
    """
    dtype = np.dtype(levels.dtype)
    with np.errstate(over="ignore"):  # a float16 that was inf comes back as inf
        values = np.asarray(x, dtype=np.float64) * levels.span + levels.black
        if dtype.kind == "f":
            return values.astype(dtype)
    if dtype.kind == "b":
        return values > 0.5
    limits = np.iinfo(dtype)
    # float64 cannot hold the largest int64: stay below what rounds up past it.
    top = np.nextafter(float(limits.max), 0) if dtype.itemsize == 8 else limits.max
    return np.clip(np.rint(values), limits.min, top).astype(dtype)


def working_dtype(levels: Levels) -> np.dtype[Any]:
    """float32 where it restores integers exactly, float64 for everything wider."""
    dtype = np.dtype(levels.dtype)
    narrow = dtype.kind == "b" or (dtype.kind in "ui" and dtype.itemsize <= 2)
    near = max(abs(levels.black), abs(levels.white)) <= NEAR
    return np.dtype(np.float32 if narrow and near else np.float64)


def rounded(levels: Levels, largest: float = 0.0) -> bool:
    """Whether the way back rounds integers: float64 tells those of 64 bits apart up to 2^50.

    `largest` is the greatest magnitude among the values, where it is known beside the levels.
    """
    dtype = np.dtype(levels.dtype)
    wide = dtype.kind in "ui" and dtype.itemsize == 8
    return wide and max(abs(levels.black), abs(levels.white), abs(largest)) > EXACT


def normalized(pixels: NDArray[Any], levels: Levels) -> NDArray[Any]:
    """``(S - black) / (white - black)`` in the precision that the way back needs."""
    dtype = working_dtype(levels)
    black, span = dtype.type(levels.black), dtype.type(levels.span)
    x = pixels.astype(dtype)
    x -= black
    x /= span
    return x


def network_input(x: NDArray[Any]) -> NDArray[np.float32]:
    """What the network sees of `x`: float32, 0..1, NaN and negatives as 0, +inf as 1."""
    y = np.fmax(x, 0)  # which takes 0 over NaN
    return np.fmin(y, 1, out=y).astype(np.float32, copy=False)
