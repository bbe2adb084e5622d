"""The forms' pointwise arithmetic on a crop's rows, and its gradient, see `blocks`.

What goes in and out: rows of the image V and planes of H. Scalars are those of `forms.pack`; the
first of them, the unit that V is measured in, is the only one that may be learned.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ..cpu.elementary import ONE, TWO, ZERO, compiled
from ..cpu.pointwise import PITCH, copy, end_row, view_row, whole_blocks
from ..forms import CLEANING, METERING, STRETCHING
from .forms_back import divide_back, form_back
from .planes import summed

NO_FORM = -1  # H itself, without a form
COLUMNS = 1024  # columns that are finished at once, less than PITCH


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
            view_row(form, row[:width], scalars[0], scalars[1])
        planes[lead + k * stride + height * pitch : lead + (k + 1) * stride] = 0


@compiled
def fill_view_back(form: int, v: Any, gradients: Any, shape: Any, scalars: Any, g_v: Any,
             deep: bool) -> Any:  # fmt: skip
    """Add to the gradient of V, if `deep`; return that of the unit."""
    height, width, pitch, stride, lead = shape
    unit, lit = scalars[0], scalars[1]
    learned = np.zeros(width, v.dtype)  # what each pixel adds to the unit's gradient
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
def take_planes(planes: Any, plane: int, shape: Any, halo: int, out: Any) -> None:
    """Copy what planes hold within a halo."""
    pitch, stride, lead = shape[2], shape[3], shape[4]
    for k in range(out.shape[0]):
        for y in range(out.shape[1]):
            start = lead + (plane + k) * stride + (y + halo) * pitch + halo
            copy(out[k, y], planes[start:], out.shape[2])


@compiled
def put_planes(planes: Any, plane: int, shape: Any, halo: int, values: Any) -> None:
    """Copy into planes, within a halo."""
    pitch, stride, lead = shape[2], shape[3], shape[4]
    for k in range(values.shape[0]):
        for y in range(values.shape[1]):
            start = lead + (plane + k) * stride + (y + halo) * pitch + halo
            copy(planes[start:], values[k, y], values.shape[2])


@compiled
def light(form: int, divided: bool, v: Any, planes: Any, plane: int, shape: Any, halo: int,
          scalars: Any, out: Any) -> None:  # fmt: skip
    """Fill `out` with L, or with R where it is divided by; with H where there is no form."""
    if form == NO_FORM:
        take_planes(planes, plane, shape, halo, out)
        return
    height, width = shape[0] - 2 * halo, shape[1] - 2 * halo
    rows = np.zeros(6 * PITCH, np.float32)
    darkest = scalars[4]
    for y in range(height):
        for left in range(0, width, COLUMNS):
            count = min(COLUMNS, width - left)
            _gather(v, planes, plane, shape, halo, y, left, count, rows)
            end_row(form, rows, whole_blocks(count), scalars)
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
    if form == NO_FORM:
        put_planes(gradients, target, shape, halo, g_out)
        return 0.0
    height, width = shape[0] - 2 * halo, shape[1] - 2 * halo
    pitch, stride, lead = shape[2], shape[3], shape[4]
    rows, lights = np.zeros(6 * PITCH, np.float32), np.zeros(6 * PITCH, np.float32)
    g, unit = np.zeros(9 * PITCH, np.float32), 0.0
    for y in range(height):
        for left in range(0, width, COLUMNS):
            count = min(COLUMNS, width - left)
            _gather(v, planes, plane, shape, halo, y, left, count, rows)
            for k in range(3):
                copy(g[k * PITCH :], g_out[k, y, left:], count)
            for k in range(3, 9):
                g[k * PITCH :][:count] = 0
            if divided:
                for k in range(6):
                    copy(lights[k * PITCH :], rows[k * PITCH :], count)
                end_row(form, lights, whole_blocks(count), scalars)
                divide_back(rows, lights, g, count, scalars[4])
            form_back(form, rows, g, count, scalars)
            for k in range(6, 9):
                unit += summed(g[k * PITCH :][:count])
            for k in range(3):
                start = lead + (target + k) * stride + (y + halo) * pitch + halo + left
                copy(gradients[start:], g[k * PITCH :], count)
                if deep:
                    image = g_v[k, y + halo, halo + left :][:count]
                    more = g[(3 + k) * PITCH :][:count]
                    for x in range(count):
                        image[x] += more[x]
    return unit
