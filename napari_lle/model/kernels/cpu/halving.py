"""From stored pixels to means of ever larger squares, for the form mixing, see `evidence`.

Every function takes a plane with a margin and leaves one with less: nothing is made up at edges.
No arithmetic is fused or reordered, so that a pixel has the same bits wherever a band begins, and
decisions fall as they do in the network.
"""

from __future__ import annotations

from math import sqrt
from typing import Any

import numpy as np
from numba import njit
from numpy import float32

from ...network import formulas
from .edition import edition
from .elementary import HALF, INNER, ONE, ZERO

exactly = njit(**INNER)
embedded = njit(inline="always", error_model="numpy")

EIGHTH, QUARTER = float32(0.125), float32(0.25)
LONE, THIN = float32(formulas.LONE), float32(formulas.THIN)
LONE_REACH, THIN_REACH = 1, max(map(max, formulas.SIDES))  # pixels looked at on each side


@embedded
def expected(x, noise):
    """The noise of one pixel of some brightness."""
    return sqrt(noise[0] * max(x, ZERO) + noise[1])


@embedded
def opened_by(deviation, closed, opening):
    """See `evidence.opening`, which begins at `closed` and goes on over `opening`."""
    return min(max((deviation - closed) / opening, ZERO), ONE)


@embedded
def _normalised(p, black, span):
    return min(max((float32(p) - black) / span, ZERO), ONE)


@exactly
def _take(line, pixels, columns, inner, channel, black, span):
    """Fill a row from the image's, (W, channels), -1 being the brightest of three.

    Columns outside of `inner`, where the row lies, mirror it.
    """
    begin, end = inner
    middle, channels = line[begin:end], pixels.shape[1]
    if channels == 1:
        single = pixels.reshape(pixels.size)
        for x in range(len(middle)):
            middle[x] = _normalised(single[x], black, span)
    elif channel < 0:
        for x in range(len(middle)):
            p = max(pixels[x, 0], max(pixels[x, 1], pixels[x, 2]))
            middle[x] = _normalised(p, black, span)
    else:
        for x in range(len(middle)):
            middle[x] = _normalised(pixels[x, channel], black, span)
    for x in range(begin):
        line[x] = middle[columns[x]]
    for x in range(end, len(columns)):
        line[x] = middle[columns[x]]


@exactly
def _keep_row(target, line, colours):
    """Put a row where its colour has its place."""
    if colours == 1:
        for x in range(len(line)):
            target[x] = line[x]
    else:
        for x in range(len(line)):
            target[x * colours] = line[x]


@exactly
def _tame_row(above, here, below, noise, out):
    """Each pixel, or its neighbours' mean where it stands alone outside of their range."""
    for x in range(len(out)):
        a, b, c = above[x], above[x + 1], above[x + 2]
        d, v, e = here[x], here[x + 1], here[x + 2]
        f, g, h = below[x], below[x + 1], below[x + 2]
        low = min(min(min(a, b), min(c, d)), min(min(e, f), min(g, h)))
        high = max(max(max(a, b), max(c, d)), max(max(e, f), max(g, h)))
        mean = (a + b + c + d + e + f + g + h) * EIGHTH
        own = expected(v, noise)
        hot = v > high + LONE * (HALF * (expected(high, noise) + own))
        dead = v < low - LONE * (HALF * (expected(low, noise) + own))
        out[x] = mean if hot or dead else v


def build_tame(*, cache: bool) -> Any:
    """Make the function that fills `tame`, (h, w), with the image without lone pixels.

    Its arguments are the pixels, (H, W, channels); a channel, or -1 for the brightest of three;
    the pixels' `rows` and `columns`, one more on each side than `tame` has, of which `inner` are
    not mirrored; the levels; and the noise, see `expected`. The pixels themselves go to `light`,
    (rows, columns * colours), a colour's where it `begins`.
    """
    sources = edition(__name__)

    @njit(nogil=True, cache=cache, error_model="numpy")
    def tame(pixels, channel, rows, columns, inner, black, span, noise, tamed, light, begins):
        if sources < 0:  # never: mentioned to be a part of the cache's key, see `edition`
            return
        width, colours = len(columns), light.shape[1] // (inner[1] - inner[0])
        ring = np.empty((3, width), np.float32)
        for y in range(len(rows)):
            line = ring[y % 3]
            _take(line, pixels[rows[y]], columns, inner, channel, black, span)
            place = y - inner[0]
            if 0 <= place < len(light):
                _keep_row(light[place, begins:], line[inner[0] : inner[1]], colours)
            if y > 1:
                _tame_row(ring[(y - 2) % 3], ring[(y - 1) % 3], line, noise, tamed[y - 2])

    return tame


@exactly
def _thin_row(above, here, below, noise, out):
    """Each mean, or its brighter, or darker, side where it is thin; sides as `formulas.SIDES`."""
    for x in range(len(out)):
        v = here[x + 2]
        p0, q0, p1, q1 = here[x], here[x + 4], above[x + 2], below[x + 2]
        p2, q2, p3, q3 = above[x], below[x + 4], above[x + 4], below[x]
        high = min(min(max(p0, q0), max(p1, q1)), min(max(p2, q2), max(p3, q3)))
        low = max(max(min(p0, q0), min(p1, q1)), max(min(p2, q2), min(p3, q3)))
        own = expected(v, noise)
        thick = v > high + THIN * (HALF * (expected(high, noise) + own) * noise[2])
        faint = v < low - THIN * (HALF * (expected(low, noise) + own) * noise[2])
        out[x] = high if thick else (low if faint else v)


@exactly
def _halve_rows(upper, lower, out):
    for x in range(len(out)):
        total = upper[2 * x] + upper[2 * x + 1] + lower[2 * x] + lower[2 * x + 1]
        out[x] = total * QUARTER


def build_thin(*, cache: bool) -> Any:
    """Make the function that fills `thinned` and `halved` from a plane of means.

    `thinned` has two pixels less on each side; where it has two rows alone, they are used again.
    `halved` are its means of 2 x 2, or there are none.
    """
    sources = edition(__name__)

    @njit(nogil=True, cache=cache, error_model="numpy")
    def thin(means, noise, thinned, halved):
        if sources < 0:
            return
        for y in range(len(means) - 4):
            line = thinned[y % len(thinned)]
            _thin_row(means[y], means[y + 2], means[y + 4], noise, line)
            if y % 2 and y // 2 < len(halved):
                _halve_rows(thinned[(y - 1) % len(thinned)], line, halved[y // 2])

    return thin
