"""The coarsest size of the form mixing: calm means, but where something stands out of them.

See `evidence.calmed`.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit
from numpy import float32

from ...network import formulas
from .edition import edition
from .elementary import HALF, ZERO
from .halving import exactly, expected
from .hearing import clear_row, hear_row, open_row
from .pointwise import copy

CALM, EVIDENT = formulas.CALM, formulas.EVIDENT
SIDE = 2 * CALM + 1


@exactly
def _sort_pair(low, high):
    for x in range(len(low)):
        a, b = low[x], high[x]
        low[x], high[x] = min(a, b), max(a, b)


@exactly
def _middle_mean(values):
    """The mean of columns without a fifth of their values at either end, put into the last row."""
    count = len(values)
    for k in range(SIDE):
        for i in range(count - 1 - k):  # the largest of what is left goes last
            _sort_pair(values[i], values[i + 1])
    for k in range(SIDE):
        for i in range(count - SIDE - 1, k, -1):  # the least goes first
            _sort_pair(values[i - 1], values[i])
    mean = values[count - 1]
    for x in range(len(mean)):
        mean[x] = ZERO
    for k in range(SIDE, count - SIDE):
        part = values[k]
        for x in range(len(mean)):
            mean[x] += part[x]
    for x in range(len(mean)):
        mean[x] /= float32(count - 2 * SIDE)


@exactly
def _compare_row(calm, own, noise, deviation):
    """By how much of the noise that is expected of both they differ."""
    for x in range(len(deviation)):
        both = HALF * (expected(calm[x], noise) + expected(own[x], noise)) * noise[2]
        deviation[x] = (own[x] - calm[x]) / both


@exactly
def _mix_calm_row(calm, own, heard, share, out):
    for x in range(len(out)):
        out[x] = calm[x] + max(heard[x], share) * (own[x] - calm[x])


@exactly
def _compare_means(means, noise, mean, deviation):
    """Fill the calm means and by how much the squares differ from them."""
    height, width = mean.shape
    values = np.empty((SIDE * SIDE, width), np.float32)
    for y in range(height):
        for i in range(SIDE):
            for j in range(SIDE):
                copy(values[i * SIDE + j], means[y + i][j:], width)
        _middle_mean(values)
        copy(mean[y], values[len(values) - 1], width)
        _compare_row(mean[y], means[y + CALM][CALM:], noise, deviation[y])


def build_calm(*, cache: bool) -> Any:
    """Make the function that fills three planes: what is known, no change, and where it is heard.

    They are smaller than the means by `CALM` + `EVIDENT` on each side. `limits` are where
    an opening begins, and how far it goes on; `share` is what stays of differences everywhere.
    """
    sources = edition(__name__)

    @njit(nogil=True, cache=cache, error_model="numpy")
    def calm(means, noise, limits, share, out):
        if sources < 0:  # never: mentioned to be a part of the cache's key, see `edition`
            return
        _, height, width = out.shape
        tall, wide = height + 2 * EVIDENT, width + 2 * EVIDENT
        mean, deviation = np.empty((tall, wide), np.float32), np.empty((tall, wide), np.float32)
        _compare_means(means, noise, mean, deviation)
        evident = np.empty((tall - 2, wide - 2), np.float32)
        for y in range(len(evident)):
            open_row(deviation[y], deviation[y + 1], deviation[y + 2], limits, evident[y])
        nothing = np.zeros(width, np.float32)
        begin = CALM + EVIDENT
        for y in range(height):
            hear_row(evident[y], evident[y + 1], evident[y + 2], nothing, out[2, y])
            own = means[y + begin][begin:]
            _mix_calm_row(mean[y + EVIDENT][EVIDENT:], own, out[2, y], share, out[0, y])
            clear_row(out[1, y])

    return calm
