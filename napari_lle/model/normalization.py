"""Black and white levels: x = (S - black) / (white - black), and the way back.

Levels are found once for a whole layer and kept with the result, so that every plane of a stack
is stretched alike and the stored integers can be restored exactly.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, DTypeLike, NDArray

BLACK_PERCENTILE = 0.1
WHITE_PERCENTILE = 99.9  # survives stars and hot pixels, which go above 1
SAMPLE = 2_000_000  # pixels that levels and statistics are taken from


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

    @property
    def span(self) -> float:
        """White minus black, in the input's units."""
        return self.white - self.black


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
        _starts(length, step, offset)[:, None] + np.arange(2)
        for length, offset in zip(plane.shape, (top, left), strict=False)
    )
    rows = np.minimum(rows, plane.shape[0] - 1)
    columns = np.minimum(columns, plane.shape[1] - 1)
    squares = plane[rows[:, None, :, None], columns[None, :, None, :]]
    return squares.reshape(-1, *squares.shape[2:])


def _starts(length: int, step: int, offset: int) -> NDArray[np.intp]:
    starts = np.arange(min(offset, max(length - 2, 0)), max(length - 1, 1), step)
    if length > 2 and length % 2 and step == 2:
        starts = np.append(starts, length - 2)
    return starts


def sample(image: ArrayLike, *, rgb: bool = False) -> NDArray[Any]:
    """Squares of 2 x 2 neighbouring pixels, spread evenly, of at most about `SAMPLE` pixels.

    Few planes of a long stack are read, and each as a whole: right for lazy images.

    Returns
    -------
    ndarray, (N, 2, 2) or (N, 2, 2, 3)
        In the image's dtype; an alpha channel is left out.
    """
    data: Any = image if hasattr(image, "shape") else np.asarray(image)
    lead = data.shape[: data.ndim - (3 if rgb else 2)]
    planes = list(np.ndindex(*lead))
    area = math.prod(data.shape[len(lead) : len(lead) + 2])
    kept = min(len(planes), max(16, SAMPLE // area))
    chosen = [planes[round(i * (len(planes) - 1) / max(kept - 1, 1))] for i in range(kept)]
    step = 2 * max(1, math.ceil(math.sqrt(area * kept / SAMPLE)))
    found = np.concatenate([blocks(np.asarray(data[index]), step) for index in chosen])
    return found[..., :3] if rgb else found


def find_levels(
    image: ArrayLike,
    *,
    rgb: bool = False,
    black: float | None = None,
    white: float | None = None,
) -> Levels:
    """Choose the black and white levels of a whole image, stack or series.

    Parameters
    ----------
    image : array_like, any shape
        Integers, floats or booleans; NaN and infinities are passed over.
    rgb : bool
        The last axis holds colours. An RGB image of dtype uint8 is a photograph: 0 and 255.
    black, white : float, optional
        Levels in the input's units that replace the automatic ones: the 0.1 and 99.9 percentiles.

    Returns
    -------
    Levels

    Raises
    ------
    TypeError
        If the dtype is not that of an image.
    ValueError
        If the image is empty, or a given level does not leave black below white.
    """
    data: Any = image if hasattr(image, "shape") else np.asarray(image)
    dtype = check_dtype(data.dtype)
    if data.size == 0:
        raise ValueError(f"The image is empty (shape {tuple(data.shape)}): nothing to enhance.")
    if dtype.kind == "b":
        automatic = (0.0, 1.0)
    elif dtype == np.uint8 and rgb:
        automatic = (0.0, 255.0)
    elif black is not None and white is not None:
        automatic = (black, white)
    else:
        automatic = _percentiles(sample(data, rgb=rgb), dtype)
    low = automatic[0] if black is None else float(black)
    high = automatic[1] if white is None else float(white)
    if high <= low and (black is None) != (white is None):
        # One level typed beyond the automatic other one: keep the typed one, one unit apart.
        low, high = (low, low + 1.0) if black is not None else (high - 1.0, high)
    return Levels(low, high, dtype.name)


def _percentiles(values: NDArray[Any], dtype: np.dtype[Any]) -> tuple[float, float]:
    values = values.astype(np.float64)
    values = values[np.isfinite(values)]
    if values.size == 0:
        return 0.0, 1.0
    low, high = (float(v) for v in np.percentile(values, [BLACK_PERCENTILE, WHITE_PERCENTILE]))
    if high <= low:
        low, high = float(values.min()), float(values.max())
    if high <= low:  # constant
        high = low + (1.0 if dtype.kind in "ui" else max(abs(low), 1.0))
    return low, high


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


def network_input(x: NDArray[Any]) -> NDArray[np.float32]:
    """What the network sees of `x`: float32, 0..1, NaN and negatives as 0, +inf as 1."""
    y = np.fmax(x, 0)  # which takes 0 over NaN
    return np.fmin(y, 1, out=y).astype(np.float32, copy=False)
