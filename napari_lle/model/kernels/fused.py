"""One block of the network in one pass over a strip of the image.

Rows travel through four small rings: image, features, first and second hidden layer. As soon as
a row of one is complete, the row of the next that waited for it is made, so that everything but
the image itself stays in cache and no memory grows with the image.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit

from .forms import CLEANING, METERING, SIGMOID, SOFTPLUS, STRETCHING
from .lanes import LARGEST, convolve
from .pointwise import FLOOR, LEAST, ONE, SHARPNESS, ZERO, centred, exp, sigmoid, softplus, tanh

PITCH = 1184  # floats from one row to the next: not near a power of two, which caches alias
LN2 = np.float32(np.log(2))
THIRD = np.float32(3)


def widest(halo: int) -> int:
    """Longest output row that the rings can hold."""
    return PITCH - 2 * halo - 2 * LARGEST


def build(form: int, colours: int, branch: int, first: int, second: int, *, cache: bool) -> Any:
    """Make the strip function of a layout; weights are arguments, so that one serves all models.

    Parameters
    ----------
    form : int
        One of `forms`.
    colours : int
        3, or 1 where one illumination serves all.
    branch, first, second : int
        Feature maps of a branch and of the two hidden layers.
    cache : bool
        Keep the compiled code on disk.
    """

    @njit(nogil=True, cache=cache, error_model="numpy")
    def strip(
        source, rows, columns, inner, out, corner, dilations, branches, w1, w2, w3, scalars
    ):
        top, left = corner
        reach = max(dilations)
        halo = reach + 3
        height, width = len(rows) - 2 * halo, len(columns) - 2 * halo
        slots = max(2 * reach + 1, reach + 4)
        spliced = colours + branch * len(dilations)
        image = np.zeros(slots * colours * PITCH, np.float32)
        features = np.zeros(3 * spliced * PITCH, np.float32)
        hidden1 = np.zeros(3 * first * PITCH, np.float32)
        hidden2 = np.zeros(3 * second * PITCH, np.float32)
        last = np.zeros(6 * PITCH, np.float32)
        a, b, c = scalars[0], scalars[1], scalars[2]
        for i in range(height + 2 * halo):
            for k in range(colours):
                start = ((i % slots) * colours + k) * PITCH
                line = image[start : start + width + 2 * halo]
                pixels = source[k, rows[i]]
                for x in range(inner[0]):
                    line[x] = pixels[columns[x]]
                run = pixels[columns[inner[0]] :][: inner[1] - inner[0]]
                middle = line[inner[0] :]
                for x in range(len(run)):
                    middle[x] = run[x]
                for x in range(inner[1], len(columns)):
                    line[x] = pixels[columns[x]]
                # What the convolutions see of a pixel.
                if form == METERING:
                    for x in range(len(line)):
                        v = max(line[x], ZERO)
                        line[x] = centred(v / (v + a))
                elif form == STRETCHING:
                    for x in range(len(line)):
                        v = line[x]
                        line[x] = centred(v * (ONE + a) / (max(v, ZERO) + a))
                elif form == CLEANING:
                    for x in range(len(line)):
                        v = max(line[x], ZERO)
                        line[x] = centred(b * v + (ONE - b) * (v / (v + a)))

            f = i - reach  # row of the features, counted as the image's
            if f < reach:
                continue
            here = (f % 3) * spliced * PITCH
            for k in range(colours):
                start = ((f % slots) * colours + k) * PITCH + reach
                target = features[here + k * PITCH :][: width + 6]
                line = image[start : start + width + 6]
                for x in range(len(target)):
                    target[x] = line[x]
            for j in range(len(dilations)):
                d = dilations[j]
                convolve(
                    features,
                    here + (colours + j * branch) * PITCH,
                    PITCH,
                    image,
                    ((f - d) % slots) * colours * PITCH + reach - d,
                    (f % slots) * colours * PITCH + reach - d,
                    ((f + d) % slots) * colours * PITCH + reach - d,
                    PITCH,
                    colours,
                    d,
                    branches[j],
                    width + 6,
                    branch,
                )
            g = f - 1
            if g < reach + 1:
                continue
            convolve(
                hidden1,
                (g % 3) * first * PITCH,
                PITCH,
                features,
                ((g - 1) % 3) * spliced * PITCH,
                (g % 3) * spliced * PITCH,
                ((g + 1) % 3) * spliced * PITCH,
                PITCH,
                spliced,
                1,
                w1,
                width + 4,
                first,
            )
            h = g - 1
            if h < reach + 2:
                continue
            convolve(
                hidden2,
                (h % 3) * second * PITCH,
                PITCH,
                hidden1,
                ((h - 1) % 3) * first * PITCH,
                (h % 3) * first * PITCH,
                ((h + 1) % 3) * first * PITCH,
                PITCH,
                first,
                1,
                w2,
                width + 2,
                second,
            )
            y = h - 1
            if y < halo:
                continue
            convolve(
                last,
                0,
                PITCH,
                hidden2,
                ((y - 1) % 3) * second * PITCH,
                (y % 3) * second * PITCH,
                ((y + 1) % 3) * second * PITCH,
                PITCH,
                second,
                1,
                w3,
                width,
                3,
            )
            for k in range(3):
                pixels = source[min(k, colours - 1), top + y - halo][left : left + width]
                target = last[(3 + k) * PITCH :][:width]
                for x in range(width):
                    target[x] = pixels[x]
            h0, h1, h2 = last[:width], last[PITCH:][:width], last[2 * PITCH :][:width]
            v0, v1, v2 = (
                last[3 * PITCH :][:width],
                last[4 * PITCH :][:width],
                last[5 * PITCH :][:width],
            )
            if form == SOFTPLUS:
                for x in range(width):
                    h0[x] = v0[x] + softplus(h0[x]) + FLOOR
                    h1[x] = v1[x] + softplus(h1[x]) + FLOOR
                    h2[x] = v2[x] + softplus(h2[x]) + FLOOR
            elif form == SIGMOID:
                for x in range(width):
                    h0[x] = v0[x] + sigmoid(h0[x]) + FLOOR
                    h1[x] = v1[x] + sigmoid(h1[x]) + FLOOR
                    h2[x] = v2[x] + sigmoid(h2[x]) + FLOOR
            elif form == METERING:
                for x in range(width):
                    grey = (h0[x] + h1[x] + h2[x]) / THIRD
                    u0 = softplus(grey + c * (h0[x] - grey)) + LEAST
                    u1 = softplus(grey + c * (h1[x] - grey)) + LEAST
                    u2 = softplus(grey + c * (h2[x] - grey)) + LEAST
                    p0, p1, p2 = max(v0[x], ZERO), max(v1[x], ZERO), max(v2[x], ZERO)
                    h0[x] = (ONE - b) * (p0 + a * u0) + b * max(p0, ONE)
                    h1[x] = (ONE - b) * (p1 + a * u1) + b * max(p1, ONE)
                    h2[x] = (ONE - b) * (p2 + a * u2) + b * max(p2, ONE)
            elif form == STRETCHING:
                for x in range(width):
                    u0 = a * exp(b * tanh(h0[x]) * LN2)
                    u1 = a * exp(b * tanh(h1[x]) * LN2)
                    u2 = a * exp(b * tanh(h2[x]) * LN2)
                    h0[x] = (v0[x] + u0) / (ONE + u0)
                    h1[x] = (v1[x] + u1) / (ONE + u1)
                    h2[x] = (v2[x] + u2) / (ONE + u2)
            elif form == CLEANING:
                presence, darkest = scalars[3], scalars[4]
                for x in range(width):
                    p0, p1, p2 = max(v0[x], ZERO), max(v1[x], ZERO), max(v2[x], ZERO)
                    r0 = b * p0 + (ONE - b) * (p0 / (p0 + a)) + h0[x]
                    r1 = b * p1 + (ONE - b) * (p1 / (p1 + a)) + h1[x]
                    r2 = b * p2 + (ONE - b) * (p2 / (p2 + a)) + h2[x]
                    grey = (r0 + r1 + r2) / THIRD
                    r0 = SHARPNESS * ((grey + c * (r0 - grey)) * presence)
                    r1 = SHARPNESS * ((grey + c * (r1 - grey)) * presence)
                    r2 = SHARPNESS * ((grey + c * (r2 - grey)) * presence)
                    bottom = max(darkest, FLOOR)
                    h0[x] = max(v0[x], bottom) / (softplus(r0) / SHARPNESS + FLOOR)
                    h1[x] = max(v1[x], bottom) / (softplus(r1) / SHARPNESS + FLOOR)
                    h2[x] = max(v2[x], bottom) / (softplus(r2) / SHARPNESS + FLOOR)
            place = top + y - halo
            if colours == 3:
                target = out[place, 3 * left :]
                for x in range(width):
                    target[3 * x] = h0[x]
                    target[3 * x + 1] = h1[x]
                    target[3 * x + 2] = h2[x]
            else:
                target = out[place, left:]
                for x in range(width):
                    target[x] = (h0[x] + h1[x] + h2[x]) / THIRD

    return strip
