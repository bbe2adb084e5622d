"""A block whose H sees a smaller image: the passes before and after the convolutions.

`shrink` takes the means of squares straight from the stored pixels, and `spread` interpolates
what the convolutions made of them and ends in the form's pointwise arithmetic, row by row.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit
from numpy import float32

from .edition import edition
from .elementary import INNER, ONE, ZERO, compiled
from .pointwise import GATE, PITCH, end_row, whole_blocks, write

CHUNK = 1024  # columns that are finished at once: a multiple of all scales, less than PITCH
FAST = {"contract", "nnan", "ninf", "nsz", "arcp"}  # pixels are numbers between the levels


@njit(inline="always")
def normal(pixel, black, span):
    """A stored pixel between the levels, 0..1."""
    return min(max((float32(pixel) - black) * (ONE / span), ZERO), ONE)


def build_shrink(*, cache: bool) -> Any:
    """Make the function that fills `low`, (colours, h, w), from pixels (H, W, channels)."""

    @njit(nogil=True, cache=cache, error_model="numpy", fastmath=FAST)
    def shrink(pixels, rows, columns, scale, black, span, low):
        width, channels = pixels.shape[1], pixels.shape[2]
        colours, height, lows = low.shape
        joint = colours == 1 and channels > 1
        step = 1 if joint else channels
        line = np.empty(width * step, np.float32)
        share = ONE / float32(scale * scale)
        for i in range(height):
            for x in range(len(line)):
                line[x] = ZERO
            for d in range(scale):
                source = pixels[rows[i * scale + d]].reshape(width * channels)
                if joint:
                    for x in range(width):
                        p = source[x * channels]
                        p = max(p, source[x * channels + 1])
                        line[x] += normal(max(p, source[x * channels + 2]), black, span)
                else:
                    for x in range(len(line)):
                        line[x] += normal(source[x], black, span)
            for x in range(lows):
                for k in range(colours):
                    total = ZERO
                    for d in range(scale):
                        total += line[columns[x * scale + d] * step + k]
                    low[k, i, x] = total * share

    return shrink


def build_spread(form: int, colours: int, scale: int, *, cache: bool) -> Any:
    """Make the function that fills `out`, (rows, columns * colours), with L.

    Its arguments are H, (3 or 4, h, w), which begins a square before the first row and column; the
    pixels of these rows, (rows, columns, channels); the levels; and the form's scalars.
    """
    sources = edition(__name__)

    @njit(nogil=True, cache=cache, error_model="numpy", fastmath={"contract"})
    def spread(h, pixels, black, span, scalars, out):
        if sources < 0:  # never: mentioned to be a part of the cache's key, see `edition`
            return
        width, channels = pixels.shape[1], pixels.shape[2]
        rows = np.zeros((GATE + 1) * PITCH, np.float32)
        lines = np.empty((len(h), h.shape[2]), np.float32)
        for y in range(len(pixels)):
            upper, share = _between(y, scale)
            for k in range(len(h)):
                line, above, below = lines[k], h[k, upper], h[k, upper + 1]
                for x in range(len(line)):
                    line[x] = above[x] + share * (below[x] - above[x])
            source = pixels[y].reshape(width * channels)
            for left in range(0, width, CHUNK):
                count = min(CHUNK, width - left)
                for k in range(len(h)):
                    place = k if k < 3 else GATE
                    _grow(rows[place * PITCH :], lines[k][left // scale :], count, scale)
                _image(rows, source[left * channels :], count, channels, colours, black, span)
                end_row(form, rows, whole_blocks(count), scalars)
                write(out[y, colours * left :], rows, count, colours)

    return spread


@njit(inline="always")
def _between(y, scale):
    """The upper of the two squares between whose centres a row lies, and the share of the lower."""
    place = (float32(y % scale) + float32(0.5)) / float32(scale) - float32(0.5)
    upper = y // scale + (1 if place >= 0 else 0)
    return upper, place if place >= 0 else place + ONE


@compiled
def _grow(row, line, count, scale):
    """Interpolate squares, the first of which lies before the row, to pixels."""
    squares = (count + scale - 1) // scale
    before, here, after = line[:squares], line[1:][:squares], line[2:][:squares]
    if scale == 2:
        for x in range(squares):
            row[2 * x] = here[x] + float32(0.25) * (before[x] - here[x])
            row[2 * x + 1] = here[x] + float32(0.25) * (after[x] - here[x])
    else:
        for x in range(squares):
            back, forth = before[x] - here[x], after[x] - here[x]
            row[4 * x] = here[x] + float32(0.375) * back
            row[4 * x + 1] = here[x] + float32(0.125) * back
            row[4 * x + 2] = here[x] + float32(0.125) * forth
            row[4 * x + 3] = here[x] + float32(0.375) * forth


@njit(fastmath=FAST, **INNER)
def _image(rows, source, count, channels, colours, black, span):
    """Put what the network sees of a row of pixels into the last three rows."""
    v0, v1, v2 = rows[3 * PITCH :][:count], rows[4 * PITCH :][:count], rows[5 * PITCH :][:count]
    if channels == 1:
        for x in range(count):
            v0[x] = v1[x] = v2[x] = normal(source[x], black, span)
    elif colours == 1:
        for x in range(count):
            p = max(source[x * channels], source[x * channels + 1])
            v0[x] = v1[x] = v2[x] = normal(max(p, source[x * channels + 2]), black, span)
    elif channels == 3:
        for x in range(count):
            v0[x] = normal(source[3 * x], black, span)
            v1[x] = normal(source[3 * x + 1], black, span)
            v2[x] = normal(source[3 * x + 2], black, span)
    else:
        for x in range(count):
            v0[x] = normal(source[x * channels], black, span)
            v1[x] = normal(source[x * channels + 1], black, span)
            v2[x] = normal(source[x * channels + 2], black, span)


def build_divide(*, cache: bool) -> Any:
    """Make the function that divides pixels, (rows, columns, channels), into others like them."""

    @njit(nogil=True, cache=cache, error_model="numpy", fastmath={"contract"})
    def divide(pixels, light, black, span, darkest, largest, out):
        rows, width, channels = pixels.shape
        colours = light.shape[1] // width
        for y in range(rows):
            source, target = pixels[y].reshape(-1), out[y].reshape(-1)
            line = light[y]
            if colours == channels:
                for x in range(len(source)):
                    target[x] = _stored_value(source[x], line[x], black, span, darkest, largest)
            else:
                for x in range(width):
                    for k in range(min(channels, 3)):
                        i = x * channels + k
                        one = line[x if colours == 1 else 3 * x + k]
                        target[i] = _stored_value(source[i], one, black, span, darkest, largest)
                    if channels == 4:
                        target[x * 4 + 3] = source[x * 4 + 3]

    return divide


@njit(inline="always")
def _stored_value(pixel, light, black, span, darkest, largest):
    x = (float32(pixel) - black) * (ONE / span)
    x = max(x, darkest) if darkest > ZERO else x
    return np.int32(min(max(np.rint(x / light * span + black), ZERO), largest))
