"""Empty margins: borders of one value that registration, mosaics and masks leave around an image.

They are no part of the scene, yet they would set the black level, and the median, of all of it.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .quantiles import Ordered

LEAST_MARGIN, MOST_MARGIN = (
    0.002,
    0.6,
)  # share of an image that a margin takes; more is the scene's own background
APART = 2.0  # spreads of the scene's darkest (or brightest) tenth between it and the margin's value
FEWEST_SQUARES = 100  # squares: a smaller image tells too little
LEAST_STEP = 1e-3  # and at least this share of the scene's range


def without_margins(squares: NDArray[Any], planes: Iterable[NDArray[Any]]) -> NDArray[Any]:
    """Leave out the squares that lie in an empty margin.

    A margin has the value of a constant corner of a plane, or is NaN. The value lies outside the
    scene's, by a step that the scene's own noise does not make; so a background that merely is
    constant, or clipped to 0, stays.

    Parameters
    ----------
    squares : ndarray, (N, 2, 2[, C])
        Of neighbouring pixels.
    planes : iterable of ndarray, (Y, X[, C])
        Where corners are looked at.

    Returns
    -------
    ndarray, (M, 2, 2[, C])
        All of them where nothing but margins is left.
    """
    pixels = squares.reshape(len(squares), 4, -1)
    if squares.dtype.kind == "f":
        finite = np.isfinite(pixels).any(axis=(1, 2))
        if finite.any() and not finite.all():
            squares, pixels = squares[finite], pixels[finite]
    if len(squares) < FEWEST_SQUARES:
        return squares
    for value in {corner for plane in planes for corner in _corners(plane)}:
        alike = (pixels == np.array(value, pixels.dtype)).all(axis=-1)  # (N, 4)
        inside = ~alike.any(axis=1)
        if LEAST_MARGIN <= alike.all(axis=1).mean() <= MOST_MARGIN and _apart(
            pixels[inside], max(value)
        ):
            squares, pixels = squares[inside], pixels[inside]
    return squares


def _corners(plane: NDArray[Any]) -> list[tuple[Any, ...]]:
    """Values of the plane's corners that hold 2 x 2 pixels of one value."""
    plane = plane.reshape(*plane.shape[:2], -1)
    found = []
    for rows in (slice(2), slice(-2, None)):
        for columns in (slice(2), slice(-2, None)):
            corner = plane[rows, columns].reshape(-1, plane.shape[-1])
            if (corner == corner[0]).all():
                found.append(tuple(corner[0].tolist()))
    return found


def _apart(pixels: NDArray[Any], value: float) -> bool:
    """Whether a value lies so far from the scene's that only a margin explains it."""
    scene = Ordered(pixels.max(axis=-1))
    if scene.size == 0:
        return False
    low, dark, bright, high = scene.quantiles([2, 10, 90, 98])
    if low == high:  # a drawing, not a measurement
        return False
    least = LEAST_STEP * (high - low)
    below = low - value > max(APART * (dark - low), least)
    above = value - high > max(APART * (high - bright), least)
    return bool(below or above)
