"""From one size to the next finer, and the end of the form mixing, see `network.mixing`.

First it is found out where the finer means are heard at all; elsewhere what is known stays as it
is, and H, which takes most of the time, is not asked.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit
from numpy import float32

from ...network import blocks, evidence, mixing
from ...network.config import RESIDUAL_FLOOR
from ..forms import VIEWS
from . import fused, halving, lanes, pointwise
from .edition import edition
from .fused import advance, new_rings, widest
from .halving import embedded, exactly, expected, opened_by
from .pointwise import PITCH, copy, exp

ZERO, HALF, ONE, TWO = float32(0), float32(0.5), float32(1), float32(2)
NEAR, FAR, THIRD, NINTH = float32(0.75), float32(0.25), float32(3), float32(9)
KNEE = float32(mixing.KNEE)
CENTRED = float32(2 * blocks.CENTRE)
SHARE, DARKEST, FLOOR = float32(mixing.SHARE), float32(blocks.DARKEST), float32(RESIDUAL_FLOOR)
MAPS = mixing.CANDIDATES
CHUNK = 64  # columns that are looked at together for something heard
STEP = 32  # rows of a part that H is asked about


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
def _open_row(above, here, below, out):
    """Where a pixel or the mean of its square stands out, see `evidence`."""
    for x in range(len(out)):
        middle = here[x + 1]
        pairs = (here[x + 2] + here[x]) + (below[x + 1] + above[x + 1])
        pairs = pairs + (below[x + 2] + above[x]) + (below[x] + above[x + 2])
        outstanding = max(abs(middle), abs(middle + pairs) / THIRD)
        out[x] = opened_by(outstanding)


@exactly
def _hear_row(above, here, below, opened, out):
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
    size before, whose pixels become 2 x 2, `skip` of which lie before the first.
    """
    sources = edition(blocks, evidence, mixing, halving)

    @njit(nogil=True, cache=cache, error_model="numpy")
    def listen(fine, corner, coarse, skip, noise, out):
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
            _open_row(above, here, below, evident[y % 3])
            if y < 2:
                continue
            copy(out[0, y - 2], known[(y - 2) % 3][odd + 2 :], width)
            clear_row(out[1, y - 2])
            grow_row(opened, coarse[2], skip + y - 2, skip, width, line)
            above, here, below = evident[(y - 2) % 3], evident[(y - 1) % 3], evident[y % 3]
            _hear_row(above, here, below, opened[odd:], out[2, y - 2])

    return listen


@exactly
def _silent(heard, top, bottom, left, right):
    for y in range(top, bottom):
        count = 0
        line = heard[y, left:right]
        for x in range(len(line)):
            count += line[x] > ZERO
        if count:
            return False
    return True


@exactly
def next_heard(heard, top, bottom, begin, most):
    """The next stretch of columns where something is heard, no longer than `most`."""
    width = heard.shape[1]
    left = begin
    while left < width and _silent(heard, top, bottom, left, min(left + CHUNK, width)):
        left += CHUNK
    right = min(left, width)
    while right < width and right + CHUNK - left <= most:
        end = min(right + CHUNK, width)
        if _silent(heard, top, bottom, right, end):
            break
        right = end
    return left, right


@embedded
def _flattened(deviation):
    part = deviation / KNEE
    return deviation / np.sqrt(ONE + part * part) / TWO


@embedded
def _stretched(v, u):
    return v * (ONE + u) / (max(v, ZERO) + u)


@exactly
def _see_row(image, start, difference, parent, known, u):
    """What H sees of a row, in three rows of the ring."""
    count = len(difference)
    first, second = image[start:][:count], image[start + PITCH :][:count]
    third = image[start + 2 * PITCH :][:count]
    for x in range(count):
        first[x] = _flattened(difference[x])
    for x in range(count):
        second[x] = _flattened(parent[x])
    for x in range(count):
        third[x] = TWO * _stretched(known[x], u) - CENTRED


@exactly
def _choose_row(last, known, above, here, below, chosen):
    """The candidates' mean by the weights whose logarithms are the rows of `last`."""
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
        square = g * ((middle + (beside + across + falling + rising)) / NINTH)
        total = a + b + c + d + e + f + g
        chosen[x] = (a * known[x] + b * middle + lines / THIRD + square) / total


@exactly
def _mix_row(chosen, known, unit, heard, mixed, change):
    """Where it is heard."""
    for x in range(len(chosen)):
        mix = known[x] + heard[x] * (chosen[x] - known[x])
        mixed[x] = mix
        chosen[x] = (mix - known[x]) / unit[x]
    for x in range(len(chosen)):
        change[x] = chosen[x]


def build_choose(branch: int, first: int, second: int, *, cache: bool) -> Any:
    """Make the function that asks H where something is heard, after `listen`, and mixes.

    Parameters
    ----------
    branch, first, second : int
        As in `fused.build`.
    cache : bool
        Keep the compiled code on disk.
    """
    sources = edition(blocks, evidence, mixing, fused, halving, lanes, pointwise)
    longest = widest(0)

    @njit(nogil=True, cache=cache, error_model="numpy")
    def choose(fine, corner, coarse, skip, noise, u, out, dilations, branches, w1, w2, w3):
        if sources < 0:
            return
        _, height, width = out.shape
        reach = max(dilations)
        halo = reach + 3
        kept = halo + 1
        spliced = VIEWS + branch * len(dilations)
        rings = new_rings(reach, VIEWS, spliced, first, second, MAPS)
        weights = dilations, branches, w1, w2, w3
        image, last = rings[0], rings[4]
        slots = len(image) // (VIEWS * PITCH)
        known, unit = np.empty((kept, PITCH), np.float32), np.empty((kept, PITCH), np.float32)
        parent, line = np.empty(PITCH, np.float32), np.empty(PITCH, np.float32)
        difference = np.empty(PITCH, np.float32)
        for top in range(0, height, STEP):
            bottom = min(top + STEP, height)
            left, right = next_heard(out[2], top, bottom, 0, longest - 2 * halo)
            while left < right:
                wide = right - left
                every = wide + 2 * halo
                begin = skip + left - halo
                odd = begin % 2
                for i in range(bottom - top + 2 * halo):
                    y = top - halo + i
                    slot = i % kept
                    grow_row(known[slot], coarse[0], skip + y, begin, every, line)
                    grow_row(parent, coarse[1], skip + y, begin, every, line)
                    row = fine[corner[0] + y][corner[1] + left - halo :]
                    seen = known[slot][odd : odd + every]
                    compare_rows(seen, row, noise, unit[slot], difference[:every])
                    start = (i % slots) * VIEWS * PITCH
                    _see_row(image, start, difference[:every], parent[odd:], seen, u)
                    if not advance(i, reach, wide, VIEWS, branch, first, second, MAPS, rings, weights):
                        continue
                    y -= halo
                    slot = (i - halo) % kept
                    above, here = fine[corner[0] + y - 1], fine[corner[0] + y]
                    below = fine[corner[0] + y + 1]
                    place = corner[1] + left - 1
                    middle = known[slot][odd + halo :]
                    _choose_row(
                        last, middle, above[place:], here[place:], below[place:], line[:wide]
                    )
                    _mix_row(
                        line[:wide],
                        middle,
                        unit[slot][halo:],
                        out[2, y, left:right],
                        out[0, y, left:right],
                        out[1, y, left:right],
                    )
                left, right = next_heard(out[2], top, bottom, right, longest - 2 * halo)

    return choose


@exactly
def _smooth_rows(above, below, out):
    for x in range(len(out)):
        out[x] = (above[x] + above[x + 1] + below[x] + below[x + 1]) * FAR


@exactly
def _light_row(known, tame, smooth, u, light, colours):
    """L in the place of the pixels; lone bright ones are brighter than they are tame."""
    for x in range(len(smooth)):
        v = light[x * colours]
        mixture = v if v > tame[x] else known[x] + SHARE * smooth[x]
        light[x * colours] = max(v, DARKEST) / max(_stretched(mixture, u), FLOOR)


def build_finish(*, cache: bool) -> Any:
    """Make the function that ends with L, from the mixture with a margin of 1.

    `light` holds the pixels before, see `halving.build_tame`; a colour's begin where it says.
    """
    sources = edition(blocks, evidence, mixing, halving)

    @njit(nogil=True, cache=cache, error_model="numpy")
    def finish_mixing(known, tamed, corner, u, light, begins):
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
                _light_row(known[y - 1][1:], tame, smooth, u, light[y - 2, begins:], colours)

    return finish_mixing
