"""Asking H about the parts of a size where something is heard, and mixing by its weights."""

from __future__ import annotations

from math import sqrt
from typing import Any

import numpy as np
from numba import njit
from numpy import float32

from ...network import formulas
from ..forms import VIEWS
from .edition import edition
from .elementary import INNER, ONE, TWO, ZERO, compiled, exp
from .fused import advance, new_rings, widest
from .halving import embedded, exactly
from .hearing import compare_rows, grow_row
from .lanes import whole_registers
from .pointwise import PITCH, whole_blocks
from .smoothing import screened

KNEE, CENTRED = float32(formulas.KNEE), float32(2 * formulas.CENTRE)
THREE, NINE = float32(3), float32(9)
MAPS = formulas.CANDIDATES
DOWN, ACROSS = 32, 64  # pixels of a cell: what is heard somewhere in it is asked about

# What no decision depends on: multiplied and added at once.
contracted = njit(fastmath={"contract"}, **INNER)


@exactly
def mark_cells(heard, marked):
    """Which cells something is heard in."""
    height, width = heard.shape
    for i in range(marked.shape[0]):
        for j in range(marked.shape[1]):
            count = 0
            for y in range(i * DOWN, min((i + 1) * DOWN, height)):
                line = heard[y, j * ACROSS : min((j + 1) * ACROSS, width)]
                for x in range(len(line)):
                    count += line[x] > ZERO
            marked[i, j] = count > 0


@exactly
def take_part(marked, i, j, most):
    """Rows and columns of pixels, from and to, of a rectangle of marked cells, at most `most` wide.

    Its cells lose their mark. The last may reach beyond the image. What is around a part is made
    again for it: the larger the parts, the better.
    """
    bottom, right = i + 1, j + 1
    while right < min(j + most, marked.shape[1]) and marked[i, right]:
        right += 1
    while bottom < marked.shape[0] and marked[bottom, j:right].all():
        bottom += 1
    marked[i:bottom, j:right] = False
    return i * DOWN, bottom * DOWN, j * ACROSS, right * ACROSS


@embedded
def _knee(deviation):
    part = deviation / KNEE
    return deviation / sqrt(ONE + part * part) / TWO


@compiled
def _see_row(image, start, difference, parent, known, u, count):
    """What H sees of a row, in three rows of the ring; in whole blocks, see `pointwise`."""
    whole_registers()
    first, second = image[start:][:count], image[start + PITCH :][:count]
    third = image[start + 2 * PITCH :][:count]
    for x in range(count):
        first[x] = _knee(difference[x])
    for x in range(count):
        second[x] = _knee(parent[x])
    for x in range(count):
        third[x] = TWO * screened(known[x], u) - CENTRED


@contracted
def _choose_row(last, known, above, here, below, chosen):
    """The candidates' mean by the weights whose logarithms are the rows of `last`."""
    whole_registers()
    for x in range(len(chosen)):
        a, b, c, d = last[x], last[PITCH + x], last[2 * PITCH + x], last[3 * PITCH + x]
        e, f, g = last[4 * PITCH + x], last[5 * PITCH + x], last[6 * PITCH + x]
        most = max(max(max(a, b), max(c, d)), max(max(e, f), g))
        a, b, c, d = exp(a - most), exp(b - most), exp(c - most), exp(d - most)
        e, f, g = exp(e - most), exp(f - most), exp(g - most)
        middle = here[x + 1]
        beside, across = here[x + 2] + here[x], below[x + 1] + above[x + 1]
        falling, rising = below[x + 2] + above[x], below[x] + above[x + 2]
        lines = c * (middle + beside) + d * (middle + across)
        lines += e * (middle + falling) + f * (middle + rising)
        square = g * ((middle + (beside + across + falling + rising)) / NINE)
        total = a + b + c + d + e + f + g
        chosen[x] = (a * known[x] + b * middle + lines / THREE + square) / total


@exactly
def _mix_chosen_row(chosen, known, unit, heard, mixed, change):
    """Where it is heard."""
    for x in range(len(chosen)):
        mix = known[x] + heard[x] * (chosen[x] - known[x])
        mixed[x] = mix
        chosen[x] = (mix - known[x]) / unit[x]
    for x in range(len(chosen)):
        change[x] = chosen[x]


@exactly
def _look_row(fine, coarse, y, begin, noise, u, known, unit, room, image, start):
    """What is known and expected of a row, from column `begin` on, and what H sees of it."""
    parent, line, difference = room[0], room[1], room[2]
    grow_row(known, coarse[0], y, begin, len(unit), line)
    grow_row(parent, coarse[1], y, begin, len(unit), line)
    seen = known[begin % 2 :]
    compare_rows(seen, fine, noise, unit, difference[: len(unit)])
    _see_row(image, start, difference, parent[begin % 2 :], seen, u, whole_blocks(len(unit)))


@exactly
def _put_row(last, fine, place, known, unit, row, out, y, left, right, room):
    """Mix a row by the logarithms in `last`, from the finer means of three rows."""
    chosen = room[: right - left]
    above, here, below = fine[row - 1][place:], fine[row][place:], fine[row + 1][place:]
    _choose_row(last, known, above, here, below, chosen)
    heard, mixed, change = out[2, y, left:right], out[0, y, left:right], out[1, y, left:right]
    _mix_chosen_row(chosen, known, unit, heard, mixed, change)


@embedded
def _ask(part, fine, corner, coarse, skip, noise, u, out, rows, rings, weights, branch, first,
         second):  # fmt: skip
    """Mix the rows and columns of a part."""
    top, bottom, left, right = part
    known, unit, room = rows
    reach = max(weights[0])
    halo = reach + 3
    slots = len(rings[0]) // (VIEWS * PITCH)
    wide, begin = right - left, skip + left - halo
    for i in range(bottom - top + 2 * halo):
        y, slot = top - halo + i, i % len(known)
        fine_row = fine[corner[0] + y][corner[1] + left - halo :]
        expected_row = unit[slot][: wide + 2 * halo]
        start = (i % slots) * VIEWS * PITCH
        _look_row(fine_row, coarse, skip + y, begin, noise, u, known[slot], expected_row, room,
                  rings[0], start)  # fmt: skip
        if not advance(i, reach, wide, VIEWS, branch, first, second, MAPS, rings, weights):
            continue
        y, slot = y - halo, (i - halo) % len(known)
        middle = known[slot][begin % 2 + halo :]
        _put_row(rings[4], fine, corner[1] + left - 1, middle, unit[slot][halo:], corner[0] + y,
                 out, y, left, right, room[0])  # fmt: skip


def build_choose(branch: int, first: int, second: int, *, cache: bool) -> Any:
    """Make the function that asks H where something is heard, after `listen`, and mixes.

    Its arguments are `listen`'s, whose `out` it changes, the stretch's u, and H's weights.

    Parameters
    ----------
    branch, first, second : int
        As in `fused.build`.
    cache : bool
        Keep the compiled code on disk.
    """
    sources = edition(__name__)
    longest = widest(0)

    @njit(nogil=True, cache=cache, error_model="numpy")
    def choose(fine, corner, coarse, skip, noise, out, u, dilations, branches, w1, w2, w3):
        if sources < 0:  # never: mentioned to be a part of the cache's key, see `edition`
            return
        _, height, width = out.shape
        halo = max(dilations) + 3
        rings = new_rings(halo - 3, VIEWS, VIEWS + branch * len(dilations), first, second, MAPS)
        weights = dilations, branches, w1, w2, w3
        known, unit = (
            np.empty((halo + 1, PITCH), np.float32),
            np.empty((halo + 1, PITCH), np.float32),
        )
        rows = known, unit, np.empty((3, PITCH), np.float32)
        marked = np.empty((-(-height // DOWN), -(-width // ACROSS)), np.bool_)
        mark_cells(out[2], marked)
        most = (longest - 2 * halo) // ACROSS
        for i in range(marked.shape[0]):
            for j in range(marked.shape[1]):
                if marked[i, j]:
                    top, bottom, left, right = take_part(marked, i, j, most)
                    part = top, min(bottom, height), left, min(right, width)
                    _ask(part, fine, corner, coarse, skip, noise, u, out, rows, rings, weights,
                         branch, first, second)  # fmt: skip

    return choose
