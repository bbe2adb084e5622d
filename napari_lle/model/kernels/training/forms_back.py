"""The gradients of the forms' arithmetic, row by row.

Rows of H and V and of gradients lie `PITCH` apart: those of the result are the first three and
become H's; what reaches V is added to the next three, and what each pixel adds to the unit's
gradient is put into the last three.
"""

from __future__ import annotations

from typing import Any

from ..cpu.elementary import LN2, ONE, ZERO, compiled, exp, sigmoid, softplus, tanh
from ..cpu.pointwise import FLAT, FLOOR, LEAST, PITCH, SHARPNESS, STRAIGHT, bend, mix, stretched
from ..forms import CLEANING, METERING, SOFTPLUS, STRETCHING


@compiled
def divide_back(rows: Any, lights: Any, g: Any, count: int, darkest: Any) -> None:
    """From R, which is V divided by `lights`, to L."""
    for k in range(3):
        v, one = rows[(3 + k) * PITCH :][:count], lights[k * PITCH :][:count]
        down, past = g[k * PITCH :][:count], g[(3 + k) * PITCH :][:count]
        for x in range(count):
            share = down[x] / one[x]
            past[x] += share if v[x] > darkest else ZERO
            down[x] = -share * max(v[x], darkest) / one[x]


@compiled
def form_back(form: int, rows: Any, g: Any, count: int, scalars: Any) -> None:
    """From L to H, V and the unit."""
    a, b, c, d, e = scalars[0], scalars[1], scalars[2], scalars[3], scalars[4]
    if form == CLEANING:
        _cleaning_back(rows, g, count, a, b, c, d, e)
    elif form == METERING:
        _metering_back(rows, g, count, a, b, c)
    elif form == STRETCHING:
        _stretching_back(rows, g, count, a, b)
    else:
        _division_back(form, rows, g, count)


@compiled
def _division_back(form: int, rows: Any, g: Any, count: int) -> None:
    for k in range(3):
        h, down = rows[k * PITCH :][:count], g[k * PITCH :][:count]
        past = g[(3 + k) * PITCH :][:count]
        for x in range(count):
            past[x] += down[x]
            y = sigmoid(h[x])
            down[x] *= y if form == SOFTPLUS else y * (ONE - y)


@compiled
def _cleaning_back(rows: Any, g: Any, count: int, unit: Any, lit: Any, colour: Any, presence: Any,
                   darkest: Any) -> None:  # fmt: skip
    for k in range(3):
        h, v = rows[k * PITCH :][:count], rows[(3 + k) * PITCH :][:count]
        for x in range(count):
            h[x] += stretched(max(v[x], ZERO), unit, lit)
    mix(rows, count, colour, presence)
    bottom = max(darkest, FLOOR)
    for k in range(3):
        h, v = rows[k * PITCH :][:count], rows[(3 + k) * PITCH :][:count]
        down, past = g[k * PITCH :][:count], g[(3 + k) * PITCH :][:count]
        for x in range(count):
            soft = bend(h[x]) + FLOOR
            share = down[x] / soft
            share = share if max(v[x], bottom) <= soft else ZERO
            past[x] += share if v[x] >= bottom else ZERO
            down[x] = (
                -share
                * max(v[x], bottom)
                / soft
                * sigmoid(SHARPNESS * min(max(h[x], FLAT), STRAIGHT))
            )
    mix(g, count, colour, presence)
    for k in range(3):
        v = rows[(3 + k) * PITCH :][:count]
        down, past = g[k * PITCH :][:count], g[(3 + k) * PITCH :][:count]
        unit_g = g[(6 + k) * PITCH :][:count]
        for x in range(count):
            p = max(v[x], ZERO)
            inverse = ONE / (p + unit)
            slope = (ONE - lit) * down[x] * inverse * inverse
            unit_g[x] = -slope * p
            past[x] += lit * down[x] + slope * unit if v[x] >= ZERO else ZERO


@compiled
def _metering_back(rows: Any, g: Any, count: int, unit: Any, lit: Any, colour: Any) -> None:
    mix(rows, count, colour, ONE)
    for k in range(3):
        h, v = rows[k * PITCH :][:count], rows[(3 + k) * PITCH :][:count]
        down, past = g[k * PITCH :][:count], g[(3 + k) * PITCH :][:count]
        unit_g = g[(6 + k) * PITCH :][:count]
        for x in range(count):
            p = max(v[x], ZERO)
            u = softplus(h[x]) + LEAST
            dark, lamp = p + unit * u, max(p, ONE)
            light = ONE / ((ONE - lit) / dark + lit / lamp)
            share = down[x] * light * light
            through = (ONE - lit) * share / (dark * dark)
            unit_g[x] = through * u
            straight = through + (lit * share if v[x] >= ONE else ZERO) / (lamp * lamp)
            past[x] += straight if v[x] >= ZERO else ZERO
            down[x] = through * unit * sigmoid(h[x])
    mix(g, count, colour, ONE)


@compiled
def _stretching_back(rows: Any, g: Any, count: int, u: Any, octaves: Any) -> None:
    for k in range(3):
        h, v = rows[k * PITCH :][:count], rows[(3 + k) * PITCH :][:count]
        down, past = g[k * PITCH :][:count], g[(3 + k) * PITCH :][:count]
        unit_g = g[(6 + k) * PITCH :][:count]
        for x in range(count):
            t = tanh(h[x])
            factor = exp(octaves * t * LN2)
            inverse = ONE / (ONE + u * factor)
            past[x] += down[x] * inverse
            w = down[x] * (ONE - v[x]) * inverse * inverse * factor
            unit_g[x] = w
            down[x] = w * u * LN2 * octaves * (ONE - t * t)
