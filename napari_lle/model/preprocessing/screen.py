"""The automatic screen stretch of astronomy, for arrays: one curve by an image's statistics."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from .statistics import Statistics

MIDDLE = 0.25  # where the screen stretch puts the typical brightness
STRETCHED = (1e-3, 0.24)  # what is stretched; a brighter image is left nearly as it is
TYPICAL = Statistics._fields.index("typical")


def stretched(x: NDArray[Any], statistics: NDArray[Any]) -> NDArray[np.float32]:
    """The midtones transfer function ``x (1 + u) / (x + u)``; a straight line below 0.

    Parameters
    ----------
    x : ndarray
        Normalised; values outside of 0..1 are no mistakes.
    statistics : ndarray, (10,)
        Of the whole image, see `statistics.Statistics`.
    """
    typical = float(np.clip(statistics[TYPICAL], *STRETCHED))
    m = typical * (1 - MIDDLE) / (typical + MIDDLE - 2 * typical * MIDDLE)
    u = np.float32(m / (1 - 2 * m))
    v = np.asarray(x, np.float32)
    return np.asarray(v * (1 + u) / (np.maximum(v, 0) + u), np.float32)
