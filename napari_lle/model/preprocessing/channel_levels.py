"""Levels of channels, each its own: what is dark in one does not stay black for another's sake."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .levels import find_levels
from .normalizing import AnyLevels, Levels, level_set
from .sky import find_sky
from .tally import Tally

COLOUR_AXIS = -1  # the axis of colours
LinkedLevel = float | str | None  # of one channel, see `find_levels`
SHOWN = 1.0  # float colours are shown between 0 and this; beyond it they are measured values


def measured_colours(squares: NDArray[Any]) -> bool:
    """Whether colours are measured values of bands, not those of a photograph.

    Measured are floats beyond 0..1; photographs are of integers, or of floats within.
    """
    if squares.dtype.kind != "f":
        return False
    finite = squares[np.isfinite(squares)]
    return finite.size > 0 and bool(finite.max() > SHOWN)


def find_colour_levels(
    image: Any,
    squares: NDArray[Any],
    pairs: Sequence[tuple[LinkedLevel, float | None]],
    sky: float | None = None,
) -> AnyLevels:
    """Levels of each colour, with a neutral background where black is not given.

    Parameters
    ----------
    image : ndarray, (..., Y, X, 3 or 4)
    squares : ndarray, (N, 2, 2, 3)
        What `sample` gave of it.
    pairs : sequence of (black, white)
        For each colour, as of `find_levels`.
    sky : float, optional
        As of `find_levels`.
    """
    found = [
        find_levels(image[..., i], black=black, white=white, sky=sky, tally=Tally(squares[..., i]))
        for i, (black, white) in enumerate(pairs)
    ]
    if not any(isinstance(black, int | float) for black, _ in pairs):
        found = _neutral(found, squares)
    return level_set(found, COLOUR_AXIS)


def _neutral(found: list[Levels], squares: NDArray[Any]) -> list[Levels]:
    """Black lowered until the background is as bright in all colours as in the brightest."""
    skies = [find_sky(squares[..., i]) for i in range(len(found))]
    heights = [
        (sky.level - levels.black) / levels.span if sky else 0.0
        for sky, levels in zip(skies, found, strict=True)
    ]
    height = max(heights)
    if not 0 < height < 1:
        return found
    return [
        levels
        if sky is None or sky.deviation == 0 or own == height
        else Levels((sky.level - height * levels.white) / (1 - height), levels.white, levels.dtype)
        for sky, levels, own in zip(skies, found, heights, strict=True)
    ]
