"""The end of the form mixing: a share of what is not heard, the screen stretch, and L.

R fades where nothing is near that is not black, see `mixing.nearness`.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit
from numpy import float32

from ...network import formulas
from .edition import edition
from .elementary import ONE, ZERO
from .halving import QUARTER, embedded, exactly

DARKEST, FAINTEST_SEEN = float32(formulas.DARKEST), float32(formulas.FAINTEST_SEEN)
NEAR_REACH = formulas.NEAR_REACH
NEARNESS = tuple(float32(each) for each in formulas.NEARNESS)
DENSE = float32(1.001 / sum(formulas.NEARNESS))  # in all rows: from all sides it is 1 then


@embedded
def screened(v, u):
    """The screen stretch, see `preprocessing.screen.transfer`."""
    return v * (ONE + u) / (max(v, ZERO) + u)


@exactly
def _smooth_rows(above, below, out):
    for x in range(len(out)):
        out[x] = (above[x] + above[x + 1] + below[x] + below[x + 1]) * QUARTER


@exactly
def _lit_row(tame, out):
    """Fill how near something is along a row that is not black; the least of it."""
    lit = np.empty(len(tame), np.float32)
    for x in range(len(tame)):
        lit[x] = ONE if tame[x] > ZERO else ZERO
    for x in range(len(out)):
        near = ZERO
        for k in range(len(NEARNESS)):
            near += NEARNESS[k] * lit[x + k]
        out[x] = near
    least = out[0]
    for x in range(len(out)):
        least = min(least, out[x])
    return least


@exactly
def _near_row(rows, least, first, out):
    """The same from all sides, from a ring of rows of which `first` is the uppermost."""
    dense = least.min() > DENSE
    for x in range(len(out)):
        out[x] = ONE if dense else ZERO
    count = 0 if dense else len(NEARNESS)
    for k in range(count):
        weight, part = NEARNESS[k], rows[(first + k) % len(rows)]
        for x in range(len(out)):
            out[x] += weight * part[x]
    for x in range(len(out)):
        out[x] = min(out[x], ONE)


@embedded
def _shown_light(v, known, tame, smooth, near, share, u):
    """L of a pixel; lone bright ones are brighter than they are tame."""
    alone = screened(v, u)
    shown = screened(known + share * smooth, u) * near
    r = alone if v > tame else shown
    return max(v, DARKEST) / max(r, FAINTEST_SEEN)


@exactly
def _light_row(known, tame, smooth, near, share, u, light, colours):
    """L in the place of the pixels."""
    if colours == 1:
        for x in range(len(smooth)):
            light[x] = _shown_light(light[x], known[x], tame[x], smooth[x], near[x], share, u)
    else:
        for x in range(len(smooth)):
            v = light[x * colours]
            light[x * colours] = _shown_light(v, known[x], tame[x], smooth[x], near[x], share, u)


def build_finish(*, cache: bool) -> Any:
    """Make the function that ends with L, from the mixture with a margin of 1.

    `tamed` has a margin of `NEAR_REACH` at least around the result, which begins at `corner`.
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
        smooth, near = np.empty(width, np.float32), np.empty(width, np.float32)
        rows = np.empty((len(NEARNESS), width), np.float32)
        least = np.empty(len(rows), np.float32)
        seen = tamed[corner[0] - NEAR_REACH :, corner[1] - NEAR_REACH :]
        for y in range(len(rows) - 1):
            least[y] = _lit_row(seen[y][: width + 2 * NEAR_REACH], rows[y])
        for y in range(height + 2):
            tame = tamed[corner[0] + y - 1][corner[1] - 1 :]
            line, here = unheard[y % 2], known[y]
            for x in range(width + 2):
                line[x] = tame[x] - here[x]
            if y > 0:
                _smooth_rows(unheard[(y - 1) % 2], line, pooled[y % 2])
            if y > 1:
                _smooth_rows(pooled[(y - 1) % 2], pooled[y % 2], smooth)
                first, last = (y - 2) % len(rows), (y - 2 + len(rows) - 1)
                row = last % len(rows)
                least[row] = _lit_row(seen[last][: width + 2 * NEAR_REACH], rows[row])
                _near_row(rows, least, first, near)
                tame = tamed[corner[0] + y - 2][corner[1] :]
                mixed = known[y - 1][1:]
                _light_row(mixed, tame, smooth, near, share, u, light[y - 2, begins:], colours)

    return finish_mixing
