"""The forms' arithmetic of one pixel before and after the convolutions, see `blocks`.

No fast-math here: a pixel's result is the same in a vector and in what is left at a row's end.
Mathematical functions are polynomials because calls of the C library would end vectorisation.
"""

from __future__ import annotations

from numba import njit
from numpy import float32

from .lanes import power_of_two

ZERO, HALF, ONE, TWO = float32(0), float32(0.5), float32(1), float32(2)
LOG2_E = float32(1.4426950408889634)
LN2_HIGH, LN2_LOW = float32(0.693359375), float32(-2.12194440054690583e-4)
ROUNDER = float32(12582912)  # 1.5 * 2^23: adding it rounds to a whole number
SMALLEST, LARGEST = float32(-87), float32(88)
E2, E3, E4, E5, E6 = (float32(1 / n) for n in (2, 6, 24, 120, 720))
E7 = float32(1 / 5040)
A3, A5, A7, A9, A11, A13, A15 = (float32(2 / n) for n in (3, 5, 7, 9, 11, 13, 15))
CENTRE = float32(0.4)  # of the brightness that the convolutions see
SHARPNESS = float32(512)  # of the soft positive part that ends cleaning
FLOOR = float32(2.0**-10)
LEAST = float32(2.0**-6)


@njit(inline="always", error_model="numpy")
def exp(x):
    """e^x within 2e-7, held within float32's range."""
    x = min(max(x, SMALLEST), LARGEST)
    n = (x * LOG2_E + ROUNDER) - ROUNDER
    r = (x - n * LN2_HIGH) - n * LN2_LOW
    p = E4 + r * (E5 + r * (E6 + r * E7))
    return (ONE + r * (ONE + r * (E2 + r * (E3 + r * p)))) * power_of_two(n)


@njit(inline="always", error_model="numpy")
def softplus(x):
    """log(1 + e^x); the logarithm is the series of 2 artanh(t / (2 + t)), t = e^-|x| <= 1."""
    t = exp(-abs(x))
    s = t / (TWO + t)
    q = s * s
    p = A7 + q * (A9 + q * (A11 + q * (A13 + q * A15)))
    return max(x, ZERO) + s * (TWO + q * (A3 + q * (A5 + q * p)))


@njit(inline="always", error_model="numpy")
def sigmoid(x):
    return ONE / (ONE + exp(-x))


@njit(inline="always", error_model="numpy")
def tanh(x):
    t = exp(-TWO * abs(x))
    y = (ONE - t) / (ONE + t)
    return y if x > ZERO else -y


@njit(inline="always", error_model="numpy")
def centred(x):
    return TWO * (x - CENTRE)
