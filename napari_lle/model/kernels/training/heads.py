"""The forms' pointwise arithmetic on a crop's rows, and its gradient, see `blocks`.

What goes in and out: rows of the image V and planes of H. Scalars are those of `forms.pack`; the
first of them, the unit that V is measured in, is the only one that may be learned.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ..cpu.pointwise import (
    FLAT,
    FLOOR,
    LEAST,
    LN2,
    ONE,
    PITCH,
    SHARPNESS,
    STRAIGHT,
    THIRD,
    TWO,
    ZERO,
    bend,
    compiled,
    exp,
    finish_cleaning,
    finish_metering,
    finish_sigmoid,
    finish_softplus,
    finish_stretching,
    see_cleaning,
    see_metering,
    see_stretching,
    sigmoid,
    softplus,
    stretched,
    tanh,
    whole_blocks,
)
from ..forms import CLEANING, METERING, SIGMOID, SOFTPLUS, STRETCHING
from .planes import summed

ALONE = -1  # H itself, without a form
CHUNK = 1024  # columns that are finished at once, less than PITCH


@compiled
def fill_view(form: int, v: Any, planes: Any, shape: Any, scalars: Any) -> None:
    """Fill the first planes with what H sees of V, (channels, height, width)."""
    height, width, pitch, stride, lead = shape
    planes[:lead] = 0
    for k in range(len(v)):
        for y in range(height):
            row = planes[lead + k * stride + y * pitch :][:pitch]
            source = v[k, y]
            for x in range(width):
                row[x] = source[x]
            row[width:] = 0
            if form == METERING:
                see_metering(row[:width], scalars[0])
            elif form == STRETCHING:
                see_stretching(row[:width], scalars[0])
            elif form == CLEANING:
                see_cleaning(row[:width], scalars[0], scalars[1])
        planes[lead + k * stride + height * pitch : lead + (k + 1) * stride] = 0


@compiled
def fill_view_back(form: int, v: Any, gradients: Any, shape: Any, scalars: Any, g_v: Any,
             deep: bool) -> Any:  # fmt: skip
    """Add to the gradient of V, if `deep`; return that of the unit."""
    height, width, pitch, stride, lead = shape
    unit, lit = scalars[0], scalars[1]
    learned = np.zeros(width, v.dtype)  # what each pixel says about the unit
    total = 0.0
    for k in range(len(v)):
        for y in range(height):
            g = gradients[lead + k * stride + y * pitch :][:width]
            row = v[k, y]
            target = g_v[k, y] if deep else g
            if form in (CLEANING, METERING):
                share = ONE - lit if form == CLEANING else ONE
                plain = lit if form == CLEANING else ZERO
                for x in range(width):
                    p = max(row[x], ZERO)
                    inverse = ONE / (p + unit)
                    slope = TWO * g[x] * share * inverse * inverse
                    learned[x] = -slope * p
                    down = TWO * g[x] * plain + slope * unit
                    target[x] = (target[x] if deep else ZERO) + (down if row[x] >= ZERO else ZERO)
            elif form == STRETCHING:
                for x in range(width):
                    p = max(row[x], ZERO)
                    inverse = ONE / (p + unit)
                    w = TWO * g[x] * inverse * inverse
                    learned[x] = w * (p * (p - ONE) if row[x] >= ZERO else -row[x])
                    down = w * (ONE + unit) * unit
                    target[x] = (target[x] if deep else ZERO) + down
            elif deep:
                for x in range(width):
                    target[x] += g[x]
            total += summed(learned)
    return total


@compiled
def _gather(v: Any, planes: Any, plane: int, shape: Any, halo: int, y: int, left: int, count: int,
            rows: Any) -> None:  # fmt: skip
    """Three rows of H and of V, as `pointwise` takes them."""
    pitch, stride, lead = shape[2], shape[3], shape[4]
    for k in range(3):
        start = lead + (plane + k) * stride + (y + halo) * pitch + halo + left
        h, target = planes[start:][:count], rows[k * PITCH :][:count]
        source, image = v[k, y + halo, halo + left :][:count], rows[(3 + k) * PITCH :][:count]
        for x in range(count):
            target[x] = h[x]
            image[x] = source[x]


@compiled
def _finish(form: int, rows: Any, count: int, scalars: Any) -> None:
    length = whole_blocks(count)
    a, b, c, d, e = scalars[0], scalars[1], scalars[2], scalars[3], scalars[4]
    if form == SOFTPLUS:
        finish_softplus(rows, length)
    elif form == SIGMOID:
        finish_sigmoid(rows, length)
    elif form == METERING:
        finish_metering(rows, length, a, b, c)
    elif form == STRETCHING:
        finish_stretching(rows, length, a, b)
    elif form == CLEANING:
        finish_cleaning(rows, length, a, b, c, d, e)


@compiled
def light(form: int, divided: bool, v: Any, planes: Any, plane: int, shape: Any, halo: int,
          scalars: Any, out: Any) -> None:  # fmt: skip
    """Fill `out` with L, or with R where it is divided by; with H where there is no form."""
    height, width = shape[0] - 2 * halo, shape[1] - 2 * halo
    pitch, stride, lead = shape[2], shape[3], shape[4]
    if form == ALONE:
        for k in range(len(out)):
            for y in range(height):
                start = lead + (plane + k) * stride + (y + halo) * pitch + halo
                out[k, y] = planes[start : start + width]
        return
    rows = np.zeros(6 * PITCH, np.float32)
    darkest = scalars[4]
    for y in range(height):
        for left in range(0, width, CHUNK):
            count = min(CHUNK, width - left)
            _gather(v, planes, plane, shape, halo, y, left, count, rows)
            _finish(form, rows, count, scalars)
            for k in range(3):
                h, p = rows[k * PITCH :][:count], rows[(3 + k) * PITCH :][:count]
                target = out[k, y, left:][:count]
                for x in range(count):
                    target[x] = max(p[x], darkest) / h[x] if divided else h[x]


@compiled
def light_back(form: int, divided: bool, v: Any, planes: Any, plane: int, shape: Any, halo: int,
               scalars: Any, g_out: Any, gradients: Any, target: int, g_v: Any,
               deep: bool) -> Any:  # fmt: skip
    """Gradient of H into planes from `target` on; V's is added if `deep`, the unit's returned."""
    height, width = shape[0] - 2 * halo, shape[1] - 2 * halo
    pitch, stride, lead = shape[2], shape[3], shape[4]
    if form == ALONE:
        for k in range(len(g_out)):
            for y in range(height):
                start = lead + (target + k) * stride + (y + halo) * pitch + halo
                gradients[start : start + width] = g_out[k, y]
        return 0.0
    rows, lights = np.zeros(6 * PITCH, np.float32), np.zeros(6 * PITCH, np.float32)
    g, unit = np.zeros(9 * PITCH, np.float32), 0.0
    for y in range(height):
        for left in range(0, width, CHUNK):
            count = min(CHUNK, width - left)
            _gather(v, planes, plane, shape, halo, y, left, count, rows)
            for k in range(3):
                g[k * PITCH :][:count] = g_out[k, y, left:][:count]
            for k in range(3, 9):
                g[k * PITCH :][:count] = 0
            if divided:
                for k in range(6):
                    lights[k * PITCH :][:count] = rows[k * PITCH :][:count]
                _finish(form, lights, count, scalars)
                _divide_back(rows, lights, g, count, scalars[4])
            _form_back(form, rows, g, count, scalars)
            for k in range(6, 9):
                unit += summed(g[k * PITCH :][:count])
            for k in range(3):
                start = lead + (target + k) * stride + (y + halo) * pitch + halo + left
                gradients[start : start + count] = g[k * PITCH :][:count]
                if deep:
                    image = g_v[k, y + halo, halo + left :][:count]
                    more = g[(3 + k) * PITCH :][:count]
                    for x in range(count):
                        image[x] += more[x]
    return unit


# What follows takes rows of H and V and of gradients, all `PITCH` apart: of the result in the first
# three, which become H's; what reaches V is added to the next three, and what each pixel says about
# the unit is put into the last three.


@compiled
def _divide_back(rows: Any, lights: Any, g: Any, count: int, darkest: Any) -> None:
    for k in range(3):
        v, one = rows[(3 + k) * PITCH :][:count], lights[k * PITCH :][:count]
        down, past = g[k * PITCH :][:count], g[(3 + k) * PITCH :][:count]
        for x in range(count):
            share = down[x] / one[x]
            past[x] += share if v[x] > darkest else ZERO
            down[x] = -share * max(v[x], darkest) / one[x]


@compiled
def _form_back(form: int, rows: Any, g: Any, count: int, scalars: Any) -> None:
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
def _mixed(rows: Any, count: int, colour: Any, factor: Any) -> None:
    """What scales colours' difference from their mean is the same for their gradients."""
    r0, r1, r2 = rows[:count], rows[PITCH:][:count], rows[2 * PITCH :][:count]
    for x in range(count):
        grey = (r0[x] + r1[x] + r2[x]) * THIRD
        r0[x] = (grey + colour * (r0[x] - grey)) * factor
        r1[x] = (grey + colour * (r1[x] - grey)) * factor
        r2[x] = (grey + colour * (r2[x] - grey)) * factor


@compiled
def _cleaning_back(rows: Any, g: Any, count: int, unit: Any, lit: Any, colour: Any, presence: Any,
                   darkest: Any) -> None:  # fmt: skip
    for k in range(3):
        h, v = rows[k * PITCH :][:count], rows[(3 + k) * PITCH :][:count]
        for x in range(count):
            h[x] += stretched(max(v[x], ZERO), unit, lit)
    _mixed(rows, count, colour, presence)
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
    _mixed(g, count, colour, presence)
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
    _mixed(rows, count, colour, ONE)
    for k in range(3):
        h, v = rows[k * PITCH :][:count], rows[(3 + k) * PITCH :][:count]
        down, past = g[k * PITCH :][:count], g[(3 + k) * PITCH :][:count]
        unit_g = g[(6 + k) * PITCH :][:count]
        for x in range(count):
            dark = (ONE - lit) * down[x]
            unit_g[x] = dark * (softplus(h[x]) + LEAST)
            straight = dark + (lit * down[x] if v[x] >= ONE else ZERO)
            past[x] += straight if v[x] >= ZERO else ZERO
            down[x] = dark * unit * sigmoid(h[x])
    _mixed(g, count, colour, ONE)


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
