"""What lies beyond black and white: counted, and kept to a share that is stated."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..preprocessing.normalizing import AnyLevels, Levels, level_set
from .level_options import LevelPair, level_pairs

Channels = Iterable[tuple[NDArray[Any], Levels]]


def beyond(channels: Channels) -> tuple[float, float]:
    """The shares of the finite values that are darker than black, and brighter than white.

    Parameters
    ----------
    channels : iterable of (ndarray, Levels)
        Values, each with the levels that hold for them.
    """
    counts = np.zeros(3)
    for values, levels in channels:
        known = values[np.isfinite(values)] if values.dtype.kind == "f" else values
        counts += (known < levels.black).sum(), (known > levels.white).sum(), known.size
    below, above = counts[:2] / max(counts[2], 1)
    return float(below), float(above)


def widened(
    levels: AnyLevels,
    arrays: Sequence[NDArray[Any]],
    pair: LevelPair,
    share: float,
    extremes: tuple[float, float],
) -> AnyLevels:
    """Levels so far out that no array has more than a share of its values beyond either.

    Parameters
    ----------
    levels : Levels or ChannelLevels
    arrays : sequence of ndarray
        Which the levels are of.
    pair : (black, white)
        As they were asked for: those that are numbers stay.
    share : float
    extremes : (float, float)
        Of the values without empty margins: no level is moved beyond.
    """
    asked = level_pairs(pair, len(levels.each), "channels")
    each = []
    for number, (own, given) in enumerate(zip(levels.each, asked, strict=True)):
        parts = [_of_channel(array, levels, number) for array in arrays]
        for part in parts:
            own = _widened(part, own, given, share, extremes)
        each.append(own)
    return each[0] if levels.axis is None else level_set(each, levels.axis)


def _of_channel(array: NDArray[Any], levels: AnyLevels, number: int) -> NDArray[Any]:
    return array if levels.axis is None else array.take(number, levels.axis)


def _widened(
    values: NDArray[Any],
    levels: Levels,
    given: tuple[Any, Any],
    share: float,
    extremes: tuple[float, float],
) -> Levels:
    """Levels moved outwards until few enough of the values lie beyond."""
    black, white = given
    known = values[np.isfinite(values)] if values.dtype.kind == "f" else values
    allowed = int(share * known.size)
    if not isinstance(black, int | float):
        low = _last(known[known < levels.black], allowed, smallest=True)
        levels = replace(levels, black=min(levels.black, max(low, extremes[0])))
    if not isinstance(white, int | float):
        high = _last(known[known > levels.white], allowed, smallest=False)
        levels = replace(levels, white=max(levels.white, min(high, extremes[1])))
    return levels


def _last(outside: NDArray[Any], allowed: int, *, smallest: bool) -> float:
    """The value that so many of those outside lie beyond; of no consequence where few do."""
    if outside.size <= allowed:
        return np.inf if smallest else -np.inf
    place = allowed if smallest else outside.size - 1 - allowed
    return float(np.partition(outside, place)[place])


def told(allowed: float, channels: Iterator[tuple[NDArray[Any], Levels]]) -> dict[str, float]:
    """What a record says of it."""
    below, above = beyond(channels)
    return {"allowed": allowed, "below": below, "above": above}
