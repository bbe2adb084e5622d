"""The end of the form mixing: a share of what is not heard, the screen stretch, and L."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit
from numpy import float32

from ...network import formulas
from .edition import edition
from .elementary import ONE, ZERO
from .halving import QUARTER, embedded, exactly
from .pointwise import FLOOR

DARKEST = float32(formulas.DARKEST)


@embedded
def screened(v, u):
    """The screen stretch, see `preprocessing.screen.transfer`."""
    return v * (ONE + u) / (max(v, ZERO) + u)


@exactly
def _smooth_rows(above, below, out):
    for x in range(len(out)):
        out[x] = (above[x] + above[x + 1] + below[x] + below[x + 1]) * QUARTER


@exactly
def _light_row(known, tame, smooth, share, u, light, colours):
    """L in the place of the pixels; lone bright ones are brighter than they are tame."""
    for x in range(len(smooth)):
        v = light[x * colours]
        mixture = v if v > tame[x] else known[x] + share * smooth[x]
        light[x * colours] = max(v, DARKEST) / max(screened(mixture, u), FLOOR)


def build_finish(*, cache: bool) -> Any:
    """Make the function that ends with L, from the mixture with a margin of 1.

    `light` holds the pixels before, see `halving.build_tame`; a colour's begin where it says.
    """
    sources = edition(__name__)

    @njit(nogil=True, cache=cache, error_model="numpy")
    def finish_mixing(known, tamed, corner, share, u, light, begins):
        if sources < 0:
            return
        height, width = known.shape[0] - 2, known.shape[1] - 2
        colours = light.shape[1] // width
        unheard = np.empty((2, width + 2), np.float32)
        pooled = np.empty((2, width + 1), np.float32)
        smooth = np.empty(width, np.float32)
        for y in range(height + 2):
            tame = tamed[corner[0] + y - 1][corner[1] - 1 :]
            line, here = unheard[y % 2], known[y]
            for x in range(width + 2):
                line[x] = tame[x] - here[x]
            if y > 0:
                _smooth_rows(unheard[(y - 1) % 2], line, pooled[y % 2])
            if y > 1:
                _smooth_rows(pooled[(y - 1) % 2], pooled[y % 2], smooth)
                tame = tamed[corner[0] + y - 2][corner[1] :]
                _light_row(known[y - 1][1:], tame, smooth, share, u, light[y - 2, begins:], colours)

    return finish_mixing
