"""The forms' arithmetic of rows before and after the convolutions, see `blocks`.

Rows come in whole blocks, so that every pixel goes through the same vector code wherever it lies.
"""

from __future__ import annotations

from numpy import float32

from ...network import formulas
from ...network.config import RESIDUAL_FLOOR
from ..forms import CLEANING, GUIDING, METERING, SIGMOID, SOFTPLUS, STRETCHING
from .elementary import HALF, ONE, TWO, ZERO, compiled, exp2, inlined, sigmoid, softplus, tanh
from .lanes import LARGEST, whole_registers

PITCH = 1184  # floats from one row to the next: not near a power of two, which caches alias

CENTRE, SHARPNESS = float32(formulas.CENTRE), float32(formulas.SHARPNESS)
STRAIGHT = float32(
    20 / formulas.SHARPNESS
)  # above it the soft part is the number itself, to the last bit
FLAT = float32(-60 / formulas.SHARPNESS)  # below it the soft part is nothing, beside the floor
FLOOR, LEAST = float32(RESIDUAL_FLOOR), float32(formulas.LEAST)
THIRD = float32(1 / 3)


@inlined
def bend(x):
    """The soft positive part that ends cleaning: above `STRAIGHT`, the number itself."""
    return softplus(SHARPNESS * max(x, FLAT)) / SHARPNESS


@inlined
def centred(x):
    return TWO * (x - CENTRE)


@inlined
def stretched(v, unit, lit):
    """An image of any exposure on the scale that cleaning works on."""
    return lit * v + (ONE - lit) * (v / (v + unit))


@inlined
def copy(target, source, length):
    """Number by number: to assign slices, numba compiles how to write its error message, too."""
    for x in range(length):
        target[x] = source[x]


@compiled
def whole_blocks(width):
    """Pixels of a row rounded up."""
    return (width + LARGEST - 1) // LARGEST * LARGEST


@compiled
def see_metering(row, unit):
    whole_registers()
    for x in range(len(row)):
        v = max(row[x], ZERO)
        row[x] = centred(v / (v + unit))


@compiled
def see_stretching(row, u):
    whole_registers()
    for x in range(len(row)):
        v = row[x]
        row[x] = centred(v * (ONE + u) / (max(v, ZERO) + u))


@compiled
def see_cleaning(row, unit, lit):
    whole_registers()
    for x in range(len(row)):
        row[x] = centred(stretched(max(row[x], ZERO), unit, lit))


# What follows takes three rows of H and then three of V, `PITCH` apart, and leaves L in the first.
# In guiding a seventh holds the share of the finest detail that is to stay.
GATE = 6


@compiled
def guide(rows, seen, pitch, length):
    """C and G of `guiding` in the place of a row of H's four answers; `seen` has a pitch or 0."""
    whole_registers()
    gate = rows[3 * PITCH :][:length]
    for x in range(length):
        gate[x] = sigmoid(gate[x])
    for k in range(3):
        h, b = rows[k * PITCH :][:length], seen[k * pitch :][:length]
        for x in range(length):
            h[x] += (ONE - gate[x]) * (HALF * b[x] + CENTRE)


@compiled
def finish_softplus(rows, length):
    whole_registers()
    for k in range(3):
        h, v = rows[k * PITCH :][:length], rows[(3 + k) * PITCH :][:length]
        for x in range(length):
            h[x] = v[x] + softplus(h[x]) + FLOOR


@compiled
def finish_sigmoid(rows, length):
    whole_registers()
    for k in range(3):
        h, v = rows[k * PITCH :][:length], rows[(3 + k) * PITCH :][:length]
        for x in range(length):
            h[x] = v[x] + sigmoid(h[x]) + FLOOR


@compiled
def finish_metering(rows, length, unit, lit, colour):
    whole_registers()
    mix(rows, length, colour, ONE)
    for k in range(3):
        h, v = rows[k * PITCH :][:length], rows[(3 + k) * PITCH :][:length]
        for x in range(length):
            p = max(v[x], ZERO)
            dark = p + unit * (softplus(h[x]) + LEAST)
            h[x] = ONE / ((ONE - lit) / dark + lit / max(p, ONE))


@compiled
def finish_stretching(rows, length, u, octaves):
    whole_registers()
    for k in range(3):
        h, v = rows[k * PITCH :][:length], rows[(3 + k) * PITCH :][:length]
        for x in range(length):
            local = u * exp2(octaves * tanh(h[x]))
            h[x] = (v[x] + local) / (ONE + local)


@compiled
def finish_cleaning(rows, length, unit, lit, colour, presence, darkest):
    whole_registers()
    for k in range(3):
        h, v = rows[k * PITCH :][:length], rows[(3 + k) * PITCH :][:length]
        for x in range(length):
            h[x] += stretched(max(v[x], ZERO), unit, lit)
    show(rows, length, colour, presence, darkest)


@compiled
def finish_guiding(rows, length, unit, lit, colour, presence, darkest):
    whole_registers()
    gate = rows[GATE * PITCH :][:length]
    for k in range(3):
        h, v = rows[k * PITCH :][:length], rows[(3 + k) * PITCH :][:length]
        for x in range(length):
            h[x] += gate[x] * stretched(max(v[x], ZERO), unit, lit)
    show(rows, length, colour, presence, darkest)


@compiled
def show(rows, length, colour, presence, darkest):
    """What divides the pixels so that they are these corrected ones."""
    whole_registers()
    mix(rows, length, colour, presence)
    bottom = max(darkest, FLOOR)
    for k in range(3):
        h, v = rows[k * PITCH :][:length], rows[(3 + k) * PITCH :][:length]
        for x in range(length):
            h[x] = min(max(v[x], bottom) / (bend(h[x]) + FLOOR), ONE)


@compiled
def mix(rows, length, colour, factor):
    """Scale the colours' difference from their mean, and all of it; so do its gradients."""
    whole_registers()
    h0, h1, h2 = rows[:length], rows[PITCH:][:length], rows[2 * PITCH :][:length]
    for x in range(length):
        grey = (h0[x] + h1[x] + h2[x]) * THIRD
        h0[x] = (grey + colour * (h0[x] - grey)) * factor
        h1[x] = (grey + colour * (h1[x] - grey)) * factor
        h2[x] = (grey + colour * (h2[x] - grey)) * factor


@compiled
def read(row, pixels, columns, inner):
    """Fill a row from the image; columns outside of `inner` are mirrored ones."""
    whole_registers()
    begin, end = inner
    for x in range(begin):
        row[x] = pixels[columns[x]]
    middle, run = row[begin:end], pixels[columns[begin] :][: end - begin]
    for x in range(len(run)):
        middle[x] = run[x]
    for x in range(end, len(columns)):
        row[x] = pixels[columns[x]]


@compiled
def write(target, rows, width, colours):
    """Put three rows side by side as colours, or their mean."""
    whole_registers()
    h0, h1, h2 = rows[:width], rows[PITCH:][:width], rows[2 * PITCH :][:width]
    if colours == 3:
        for x in range(width):
            target[3 * x] = h0[x]
            target[3 * x + 1] = h1[x]
            target[3 * x + 2] = h2[x]
    else:
        for x in range(width):
            target[x] = (h0[x] + h1[x] + h2[x]) * THIRD


@inlined
def view_row(form, line, a, b):
    """What the convolutions see of a row of the image, in its place."""
    if form == METERING:
        see_metering(line, a)
    elif form == STRETCHING:
        see_stretching(line, a)
    elif form in (CLEANING, GUIDING):
        see_cleaning(line, a, b)


@inlined
def end_row(form, row, length, scalars):
    """The illumination of a row: H in its first three lines, the pixels in the three after."""
    a, b, c, d, e = scalars[0], scalars[1], scalars[2], scalars[3], scalars[4]
    if form == SOFTPLUS:
        finish_softplus(row, length)
    elif form == SIGMOID:
        finish_sigmoid(row, length)
    elif form == METERING:
        finish_metering(row, length, a, b, c)
    elif form == STRETCHING:
        finish_stretching(row, length, a, b)
    elif form == CLEANING:
        finish_cleaning(row, length, a, b, c, d, e)
    elif form == GUIDING:
        finish_guiding(row, length, a, b, c, d, e)
