"""Counts and sums of stored integers in squares of 2 x 2 pixels, see `preprocessing.tally`.

Corners are (4[, colours], N), so that each loop runs along pixels that lie side by side.
"""

from __future__ import annotations

from typing import Any

from numba import njit
from numpy import int32, int64


def build_values(*, cache: bool) -> Any:
    """Make the function that adds to `counts` how often each value occurs."""

    @njit(nogil=True, cache=cache, error_model="numpy")
    def count_values(stored, counts):
        for i in range(len(stored)):
            counts[stored[i]] += 1

    return count_values


def build_diagonal(*, cache: bool) -> Any:
    """Make the function that sums differences across diagonals, of values that a table gives."""

    @njit(nogil=True, cache=cache, error_model="numpy")
    def sum_diagonal(corners, begin, end, table):
        total = int64(0)
        a, b, c, d = corners[0], corners[1], corners[2], corners[3]
        for i in range(begin, end):
            total += abs(table[a[i]] - table[b[i]] - table[c[i]] + table[d[i]])
        return total

    return sum_diagonal


@njit(nogil=True, error_model="numpy", no_cpython_wrapper=True, no_cfunc_wrapper=True)
def _across(a, b, c, d):
    total = int64(0)
    for i in range(len(a)):
        total += abs(int32(a[i]) - int32(b[i]) - int32(c[i]) + int32(d[i]))
    return total


def build_colours(*, cache: bool) -> Any:
    """Make the function that counts the brightest of three colours, and their sums.

    `totals` takes the sums of squares, of three times the distances from grey, and across
    diagonals.
    """

    @njit(nogil=True, cache=cache, error_model="numpy")
    def count_colours(corners, begin, end, brightest, sums, totals):
        power, apart = int64(0), int64(0)
        for k in range(4):
            r, g, b = corners[k, 0, begin:end], corners[k, 1, begin:end], corners[k, 2, begin:end]
            for i in range(len(r)):
                brightest[max(r[i], max(g[i], b[i]))] += 1
                sums[int32(r[i]) + int32(g[i]) + int32(b[i])] += 1
            for i in range(len(r)):
                x, y, z = int32(r[i]), int32(g[i]), int32(b[i])
                power += x * x + y * y + z * z
                total = x + y + z
                apart += abs(3 * x - total) + abs(3 * y - total) + abs(3 * z - total)
        totals[0], totals[1] = power, apart
        for k in range(3):
            part = corners[:, k, begin:end]
            totals[2] += _across(part[0], part[1], part[2], part[3])

    return count_colours
