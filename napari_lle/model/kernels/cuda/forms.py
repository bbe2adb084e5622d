"""The forms' arithmetic on a CUDA device, before and after the convolutions, see `blocks`.

Tiles of colours come and go as tuples; scalars are those of `forms.pack`.
"""

from __future__ import annotations

import triton
import triton.language as tl

from ...network import formulas
from ...network.config import RESIDUAL_FLOOR
from .. import forms

SOFTPLUS, SIGMOID = tl.constexpr(forms.SOFTPLUS), tl.constexpr(forms.SIGMOID)
METERING, STRETCHING = tl.constexpr(forms.METERING), tl.constexpr(forms.STRETCHING)
CLEANING = tl.constexpr(forms.CLEANING)
CENTRE, SHARPNESS = tl.constexpr(formulas.CENTRE), tl.constexpr(float(formulas.SHARPNESS))
FLOOR, LEAST = tl.constexpr(RESIDUAL_FLOOR), tl.constexpr(formulas.LEAST)


@triton.jit
def softplus(x):
    """log(1 + e^x); the logarithm is the series of 2 artanh(t / (2 + t)), t = e^-|x| <= 1."""
    t = tl.exp(-tl.abs(x))
    s = t / (2.0 + t)
    q = s * s
    p = 2.0 / 7 + q * (2.0 / 9 + q * (2.0 / 11 + q * (2.0 / 13 + q * (2.0 / 15))))
    return tl.maximum(x, 0.0) + s * (2.0 + q * (2.0 / 3 + q * (2.0 / 5 + q * p)))


@triton.jit
def tanh(x):
    t = tl.exp(-2.0 * tl.abs(x))
    y = (1.0 - t) / (1.0 + t)
    return tl.where(x > 0, y, -y)


@triton.jit
def stretched(v, unit, lit):
    """An image of any exposure on the scale that cleaning works on."""
    return lit * v + (1.0 - lit) * (v / (v + unit))


@triton.jit
def seen(v, scalars, FORM: tl.constexpr):
    """What the convolutions see of a normalised value."""
    a, lit = tl.load(scalars), tl.load(scalars + 1)
    if FORM == METERING:
        v = tl.maximum(v, 0.0)
        v = 2.0 * (v / (v + a) - CENTRE)
    elif FORM == STRETCHING:
        v = 2.0 * (v * (1.0 + a) / (tl.maximum(v, 0.0) + a) - CENTRE)
    elif FORM == CLEANING:
        v = 2.0 * (stretched(tl.maximum(v, 0.0), a, lit) - CENTRE)
    return v


@triton.jit
def illumination(h, v, scalars, FORM: tl.constexpr):
    """L of three colours from the last layer's three maps and the normalised values."""
    a, b, c = tl.load(scalars), tl.load(scalars + 1), tl.load(scalars + 2)
    d, e = tl.load(scalars + 3), tl.load(scalars + 4)
    if FORM == METERING:
        h = _mixed(h, c, 1.0)
    elif FORM == CLEANING:
        h = _mixed(_based(h, v, a, b), c, d)
    light = ()
    for k in tl.static_range(3):
        light = light + (_finished(h[k], v[k], a, b, e, FORM),)
    return light


@triton.jit
def _finished(h, v, a, b, darkest, FORM: tl.constexpr):
    if FORM == SOFTPLUS:
        light = v + softplus(h) + FLOOR
    elif FORM == SIGMOID:
        light = v + 1.0 / (1.0 + tl.exp(-h)) + FLOOR
    elif FORM == METERING:
        p = tl.maximum(v, 0.0)
        light = 1.0 / ((1.0 - b) / (p + a * (softplus(h) + LEAST)) + b / tl.maximum(p, 1.0))
    elif FORM == STRETCHING:
        u = a * tl.exp2(b * tanh(h))
        light = (v + u) / (1.0 + u)
    else:
        r = softplus(h * SHARPNESS) / SHARPNESS + FLOOR
        light = tl.minimum(tl.maximum(v, tl.maximum(darkest, FLOOR)) / r, 1.0)
    return light


@triton.jit
def _based(h, v, unit, lit):
    """The correction of cleaning added to what it corrects."""
    sums = ()
    for k in tl.static_range(3):
        sums = sums + (h[k] + stretched(tl.maximum(v[k], 0.0), unit, lit),)
    return sums


@triton.jit
def _mixed(h, colour, factor):
    """Scale the colours' difference from their mean, and all of it."""
    grey = (h[0] + h[1] + h[2]) * (1.0 / 3)
    mixed = ()
    for k in tl.static_range(3):
        mixed = mixed + ((grey + colour * (h[k] - grey)) * factor,)
    return mixed
