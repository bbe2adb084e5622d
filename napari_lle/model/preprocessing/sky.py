"""The background of an image: how bright it is, how much it varies, and where a stretch puts it."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from .quantiles import NORMAL, Ordered
from .screen import MIDDLE, STRETCHED, midtones

NEAR_SKY = "sky"  # for a black level: DEVIATIONS below the background
DEVIATIONS = 2.8
OBJECT_DEVIATIONS = 3.0  # deviations above the background from which on a pixel is of an object
CLIPPING_ROUNDS = 20  # of leaving objects out; mostly three do


class Sky(NamedTuple):
    """The background of an image, in its units.

    Attributes
    ----------
    level : float
        Its median, objects left out.
    deviation : float
        Of its noise, by the pixels that are darker: nothing but noise darkens a pixel.
    """

    level: float
    deviation: float

    @property
    def black(self) -> float:
        """The black level near it."""
        return self.level - DEVIATIONS * self.deviation


def find_sky(values: NDArray[Any]) -> Sky | None:
    """Level and noise of the background, which most pixels are of; None of no finite values.

    Pixels that are brighter by 3 deviations are left out again and again (sigma clipping), which
    is what catalogues of stars call the sky; where a nebula or tissue fills more than half of the
    image, that is taken for it.
    """
    values = values[np.isfinite(values)].astype(np.float64)
    if values.size == 0:
        return None
    found = _of(values)
    for _ in range(CLIPPING_ROUNDS):
        kept = values[values <= found.level + OBJECT_DEVIATIONS * found.deviation]
        if kept.size in (0, values.size):
            break
        values = kept
        found = _of(values)
    return found


def _of(values: NDArray[np.float64]) -> Sky:
    level = Ordered(values).median()
    below = level - values[values < level]
    # Of integers many equal the median, whose distances would all be 0.
    equal = np.count_nonzero(values == level)
    distances = np.concatenate([below, np.zeros(equal - equal // 2)])
    return Sky(level, NORMAL * Ordered(distances).median() if distances.size else 0.0)


def white_for_sky(black: float, white: float, level: float, target: float) -> float:
    """A white level between which and black a stretch can bring the background to a target.

    Raised where the background would stay brighter, lowered where it would stay darker.
    """
    above = level - black
    if not above > 0:
        return white
    least, most = (_brought_to(target, float(midtones(bound))) for bound in STRETCHED)
    return float(np.clip(white, black + above / most, black + above / least))


def _brought_to(target: float, u: float) -> float:
    """What a curve brings to a target: the inverse of `screen.transfer`."""
    return target * u / (1 - target + u)


def typical_for_sky(level: float, target: float) -> float:
    """The typical brightness by which the screen stretch brings a normalised level to a target."""
    least, most = (float(midtones(bound)) for bound in STRETCHED)
    short = target - level
    u = level * (1 - target) / short if short > 0 else most
    return _brought_to(MIDDLE, float(np.clip(u, least, most)))
