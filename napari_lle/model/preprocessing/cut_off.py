"""Images that are cut off at black: what is typical of them is told by what lies above it."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

CUT_OFF = (0.4, 0.5)  # share of pixels at black: from where on it counts, and counts in full


def typical_above(x: NDArray[Any], typical: float) -> float:
    """The typical brightness of an image; of one that is cut off, that of its pixels above black.

    The median of an image of which more than half is black is black itself, and a stretch made for
    it shows one count as bright as a quarter and all that is brighter as white.

    Parameters
    ----------
    x : ndarray, any shape
        Greys in 0..1, those below black as 0.
    typical : float
        Of all pixels, see `Statistics`.
    """
    above = x[x > 0]
    if not above.size:
        return typical
    share = float(np.interp(1 - above.size / x.size, CUT_OFF, (0, 1)))
    there = float(np.sqrt(np.median(above) * above.mean(dtype=np.float64)))
    return typical if share == 0 else typical ** (1 - share) * there**share
