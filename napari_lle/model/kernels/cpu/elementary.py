"""Elementary functions that vectorise: powers, logarithms and what is made of them.

They are polynomials because calls of the C library would end vectorisation; their terms are
summed in pairs, which do not wait for each other.
"""

from __future__ import annotations

from math import factorial, log

from numba import njit
from numpy import float32

from .lanes import ROUNDER, power_of_two

# Of functions that only compiled ones call: doors for Python would take longest to compile.
INNER = {"error_model": "numpy", "no_cpython_wrapper": True, "no_cfunc_wrapper": True}
# FMA where there is one, and division by an estimated and then improved reciprocal, which whole
# vectors do many times sooner: to the last bit or the one before. Nothing else of fast-math.
FAST_MATH = {"contract", "arcp", "ninf"}
inlined = njit(inline="always", error_model="numpy", fastmath=FAST_MATH)
compiled = njit(fastmath=FAST_MATH, **INNER)

ZERO, HALF, ONE, TWO = float32(0), float32(0.5), float32(1), float32(2)
LOG2_E = float32(1.4426950408889634)
LN2_HIGH, LN2_LOW = float32(0.693359375), float32(-2.12194440054690583e-4)
LOWEST, HIGHEST = float32(-87), float32(88)
LARGEST_POWER = float32(100)  # of powers of 2
FAINTEST = float32(-30)  # of those whose powers are taken: tiny numbers are slow
E2, E3, E4, E5, E6 = (float32(1 / n) for n in (2, 6, 24, 120, 720))
E7 = float32(1 / 5040)
T1, T2, T3, T4, T5, T6, T7 = (float32(log(2) ** n / factorial(n)) for n in range(1, 8))
# Of log(1 + t) from 0 to 1, within 1e-7 of it everywhere.
L1, L2, L3, L4, L5, L6, L7, L8, L9 = (
    float32(0.99999997),
    float32(-0.499994931),
    float32(0.333190962),
    float32(-0.248429775),
    float32(0.191059885),
    float32(-0.136632069),
    float32(0.0782254932),
    float32(-0.0295049571),
    float32(0.00523262398),
)
LN2 = float32(0.6931471805599453)


@inlined
def exp(x):
    """e^x within 2e-7, held within float32's range."""
    x = min(max(x, LOWEST), HIGHEST)
    rounded = x * LOG2_E + ROUNDER
    n = rounded - ROUNDER
    r = (x - n * LN2_HIGH) - n * LN2_LOW
    p = E4 + r * (E5 + r * (E6 + r * E7))
    return (ONE + r * (ONE + r * (E2 + r * (E3 + r * p)))) * power_of_two(rounded)


@inlined
def exp2(x):
    """2^x within 2e-7, of x from -126 to 127."""
    n = x + ROUNDER
    r = x - (n - ROUNDER)
    q = r * r
    low = (ONE + T1 * r) + q * (T2 + T3 * r)
    high = (T4 + T5 * r) + q * (T6 + T7 * r)
    return (low + (q * q) * high) * power_of_two(n)


@inlined
def softplus(x):
    """log(1 + e^x)."""
    t = exp2(max(-LOG2_E * abs(x), FAINTEST))
    q = t * t
    low = (L1 + L2 * t) + q * (L3 + L4 * t)
    high = (L5 + L6 * t) + q * (L7 + L8 * t)
    return max(x, ZERO) + t * (low + (q * q) * (high + (q * q) * L9))


@inlined
def sigmoid(x):
    return ONE / (ONE + exp2(min(max(-LOG2_E * x, -LARGEST_POWER), LARGEST_POWER)))


@inlined
def tanh(x):
    """Within 2e-7 of it, and 0 of 0."""
    return TWO / (ONE + exp2(min(max(-TWO * LOG2_E * x, -LARGEST_POWER), LARGEST_POWER))) - ONE
