"""Where a finer size of the form mixing is heard, see `evidence`.

Elsewhere what is known stays as it is, and H, which takes most of the time, need not be asked.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit
from numpy import float32

from .edition import edition
from .elementary import HALF, ZERO
from .halving import exactly, expected, opened_by
from .pointwise import copy

NEAR, FAR, LENGTH = float32(0.75), float32(0.25), float32(3)  # of a sum of nine: its deviations


@exactly
def grow_row(row, plane, y, left, count, line):
    """Interpolate a row between squares twice as large, from an even column at or before `left`."""
    begin = left // 2 - 1
    squares = (count + 1) // 2 + 3
    odd = y % 2
    above, below = plane[y // 2 - 1 + odd][begin:], plane[y // 2 + odd][begin:]
    share, rest = (NEAR, FAR) if odd else (FAR, NEAR)
    squares = min(squares, len(above))
    for x in range(squares):
        line[x] = share * above[x] + rest * below[x]
    for x in range(squares - 2):
        row[2 * x] = FAR * line[x] + NEAR * line[x + 1]
        row[2 * x + 1] = NEAR * line[x + 1] + FAR * line[x + 2]


@exactly
def compare_rows(known, fine, noise, unit, difference):
    """The noise expected of a row, and by how much of it the finer means differ."""
    for x in range(len(difference)):
        roots = expected(known[x], noise) + expected(fine[x], noise)
        unit[x] = HALF * roots * noise[2]
    for x in range(len(difference)):
        difference[x] = (fine[x] - known[x]) / unit[x]


@exactly
def open_row(above, here, below, limits, out):
    """Where a pixel or the mean of its square stands out, see `evidence`."""
    closed, opening = limits
    for x in range(len(out)):
        middle = here[x + 1]
        pairs = (here[x + 2] + here[x]) + (below[x + 1] + above[x + 1])
        pairs = pairs + (below[x + 2] + above[x]) + (below[x] + above[x + 2])
        outstanding = max(abs(middle), abs(middle + pairs) / LENGTH)
        out[x] = opened_by(outstanding, closed, opening)


@exactly
def hear_row(above, here, below, opened, out):
    """Around what is proven, and where a coarser size was heard."""
    for x in range(len(out)):
        a = max(max(above[x], above[x + 1]), above[x + 2])
        b = max(max(here[x], here[x + 1]), here[x + 2])
        c = max(max(below[x], below[x + 1]), below[x + 2])
        out[x] = max(max(max(a, b), c), opened[x])


@exactly
def clear_row(row):
    for x in range(len(row)):
        row[x] = ZERO


def build_listen(*, cache: bool) -> Any:
    """Make the function that fills three planes: what is known, no change, and where to hear.

    `fine` are the finer means, which begin where `corner` says; `coarse` the three planes of the
    size before, whose pixels become 2 x 2, `skip` of which lie before the first; `limits` are
    where an opening begins, and how far it goes on.
    """
    sources = edition(__name__)

    @njit(nogil=True, cache=cache, error_model="numpy")
    def listen(fine, corner, coarse, skip, noise, limits, out):
        if sources < 0:  # never: mentioned to be a part of the cache's key, see `edition`
            return
        _, height, width = out.shape
        line = np.empty(width + 16, np.float32)
        known = np.empty((3, width + 16), np.float32)
        opened, unit = np.empty(width + 16, np.float32), np.empty(width + 16, np.float32)
        difference = np.empty((3, width + 4), np.float32)
        evident = np.empty((3, width + 2), np.float32)
        odd = skip % 2
        for y in range(-2, height + 2):
            grow_row(known[y % 3], coarse[0], skip + y, skip - 2, width + 4, line)
            row = fine[corner[0] + y][corner[1] - 2 :]
            compare_rows(known[y % 3][odd:], row, noise, unit, difference[y % 3])
            if y < 0:
                continue
            above, here, below = difference[(y - 2) % 3], difference[(y - 1) % 3], difference[y % 3]
            open_row(above, here, below, limits, evident[y % 3])
            if y < 2:
                continue
            copy(out[0, y - 2], known[(y - 2) % 3][odd + 2 :], width)
            clear_row(out[1, y - 2])
            grow_row(opened, coarse[2], skip + y - 2, skip, width, line)
            above, here, below = evident[(y - 2) % 3], evident[(y - 1) % 3], evident[y % 3]
            hear_row(above, here, below, opened[odd:], out[2, y - 2])

    return listen
