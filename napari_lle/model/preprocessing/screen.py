"""The automatic screen stretch of astronomy: one curve by an image's statistics."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from .statistics import Statistics

MIDDLE = 0.25  # where the screen stretch puts the typical brightness
STRETCHED = (1e-3, 0.24)  # what is stretched; a brighter image is left nearly as it is
TYPICAL = Statistics._fields.index("typical")


def midtones(typical: Any) -> Any:
    """U of the screen stretch that brings a typical brightness, within `STRETCHED`, to `MIDDLE`.

    Here and in `transfer` there are operators alone: numbers, arrays and tensors go through them.
    """
    m = typical * (1 - MIDDLE) / (typical + MIDDLE - 2 * typical * MIDDLE)
    return m / (1 - 2 * m)


def transfer(x: Any, bounded: Any, u: Any) -> Any:
    """The midtones transfer function, as a division: ``x (1 + u) / (x + u)``.

    `bounded` is x where the curve bends; where it is held at a bound, the line goes straight on.
    """
    return x * (1 + u) / (bounded + u)


def stretched(x: NDArray[Any], statistics: NDArray[Any]) -> NDArray[np.float32]:
    """An image under the screen stretch; a straight line below 0.

    Parameters
    ----------
    x : ndarray
        Normalised; values outside of 0..1 are no mistakes.
    statistics : ndarray, (10,)
        Of the whole image, see `statistics.Statistics`.
    """
    u = np.float32(midtones(float(np.clip(statistics[TYPICAL], *STRETCHED))))
    v = np.asarray(x, np.float32)
    return np.asarray(transfer(v, np.maximum(v, 0), u), np.float32)
