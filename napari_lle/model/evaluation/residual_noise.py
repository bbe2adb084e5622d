"""Whether what noise R has left can be told from structure."""

from __future__ import annotations

import numpy as np

from ..array_types import Array
from .checks import Check, Run, check, warning
from .fields import far_white
from .photometry import MEGAPIXEL, deviation
from .simulate import SKY_ELECTRONS, expose

FIELD_SIDE = 256
LAGS = (1, 2, 4, 8)  # pixels
OCTAVES = 5
STAR = 1e5  # of the far star to the sky
CORNER_DISTANCE = 64  # pixels from it
DARK_CORNER, CORNER_LIGHT = (
    64,
    0.25,
)  # pixels of the dark corner, and the share of light that reaches it
DEEP, LOW = 5.0, 4.0  # deviations below the median


def texture(run: Run, plain: Run, light: float) -> list[Check]:
    """Autocorrelation, power by octave and skewness of R on a flat field, to be known of."""
    image = expose(np.full((FIELD_SIDE, FIELD_SIDE), light), np.random.default_rng(21))
    levels = far_white(image)
    views = run(image, **levels).reflectance, plain(image, **levels).reflectance
    own, beside = (
        [*autocorrelation(v), *powers(v), skewness(v)]
        for v in (np.asarray(v, float) for v in views)
    )
    names = [
        *(f"autocorrelation {lag} pixels away" for lag in LAGS),
        *(f"share of power at {2**k} to {2 ** (k + 1)} pixels" for k in range(OCTAVES)),
        "skewness",
    ]
    return [
        warning(f"R of a flat field, {light:g} e-: {name}", a, {"plain stretch": b})
        for name, a, b in zip(names, own, beside, strict=True)
    ]


def autocorrelation(field: Array) -> list[float]:
    """Of a field with itself `LAGS` away, mean of both axes; 0 for white noise."""
    x = field - field.mean()
    power = (x * x).mean()
    return [
        float(((x[lag:] * x[:-lag]).mean() + (x[:, lag:] * x[:, :-lag]).mean()) / 2 / power)
        for lag in LAGS
    ]


def powers(field: Array) -> list[float]:
    """Shares of the variance that means of 2 x 2 take away, again and again.

    3/4, 3/16 ... for white noise.
    """
    shares, x, before = [], field - field.mean(), float(field.var())
    whole = before
    for _ in range(OCTAVES):
        height, width = (n // 2 * 2 for n in x.shape)
        x = x[:height, :width].reshape(height // 2, 2, width // 2, 2).mean(axis=(1, 3))
        shares.append((before - float(x.var())) / whole)
        before = float(x.var())
    return shares


def skewness(field: Array) -> float:
    """Third central moment over the cube of the deviation; 0 for what lies evenly."""
    x = field - field.mean()
    return float((x**3).mean() / (x**2).mean() ** 1.5)


def specks(run: Run, plain: Run, seeds: int = 4) -> list[Check]:
    """Dark pixels of a flat field with one far star, and of a dark corner; skewness."""
    found = {"R": np.zeros(3), "plain stretch": np.zeros(3)}
    for seed in range(seeds):
        star, far = _far_star(seed)
        corner, dark = _dark_corner(seed)
        for figures, method in zip(found.values(), (run, plain), strict=True):
            flat = method(star).reflectance[far]
            dim = method(corner).reflectance[dark]
            figures += below(flat, DEEP) * MEGAPIXEL, skewness(flat), 100 * below(dim, LOW)
    own, beside = (figures / seeds for figures in found.values())
    chance = 3 * np.sqrt(np.maximum(beside[0], 1) * MEGAPIXEL / seeds) / FIELD_SIDE  # of counting
    names = (
        f"flat field, a far star: pixels {DEEP:g} deviations below the median, to a megapixel",
        "flat field, a far star: skewness below 0",
        f"dark corner: pixels {LOW:g} deviations below the median, %",
    )
    goals = round(beside[0] + chance), max(-beside[1], 0) + 0.1, beside[2] + 0.05
    values = own[0], max(-own[1], 0), own[2]
    others = beside[0], max(-beside[1], 0), beside[2]
    return [
        check(name, value, goal, {"plain stretch": other})
        for name, value, goal, other in zip(names, values, goals, others, strict=True)
    ]


def below(values: Array, deviations: float) -> float:
    """Share of values so far below the median."""
    values = np.asarray(values, dtype=np.float64)
    return float((values < np.median(values) - deviations * deviation(values)).mean())


def _far_star(seed: int, shade: Array | float = 1.0) -> tuple[Array, Array]:
    """A sky with one star in it, and what is far from it."""
    y, x = np.mgrid[:FIELD_SIDE, :FIELD_SIDE]
    distance = np.hypot(y - 40, x - 40)
    light = SKY_ELECTRONS * (shade + STAR * np.exp(-4 * np.log(2) * (distance / 3) ** 2))
    return expose(light, np.random.default_rng(500 + seed)), distance > CORNER_DISTANCE


def _dark_corner(seed: int) -> tuple[Array, Array]:
    """The same with one corner in shade, and that."""
    y, x = np.mgrid[:FIELD_SIDE, :FIELD_SIDE]
    distance = np.hypot(FIELD_SIDE - y, FIELD_SIDE - x)
    shade = CORNER_LIGHT + (1 - CORNER_LIGHT) * np.clip(
        (distance - DARK_CORNER) / DARK_CORNER, 0, 1
    )
    image, _ = _far_star(100 + seed, shade)
    return image, distance < DARK_CORNER - 8  # what a filter mixes in from beyond does not count
