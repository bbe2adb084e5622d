"""Pixels below the black level, and skies that are mere noise."""

from __future__ import annotations

import numpy as np

from ..array_types import Array
from ..inference.restoring import in_input_dtype, restore
from ..preprocessing.levels import normalize
from .checks import Check, Run, check
from .photometry import deviation
from .simulate import OFFSET, expose, star_field

NEAR_DEVIATIONS = 4.0  # deviations of R: noise alone leaves one pixel in a thousand 3 below
STRETCHED_MEDIAN, CLOSE = 0.25, 0.02
NOISY_SKY = (500.0, 6.0)  # mean and deviation of a noisy sky


def pepper(run: Run, plain: Run) -> list[Check]:
    """How far pixels below black lie under their neighbours, in R and written in data units."""
    rng = np.random.default_rng(31)
    image = expose(star_field(256, (300, 3e5), rng, sky=400.0).light, rng)
    image = (image + np.int32(2000 - OFFSET)).clip(-32768, 32767).astype(np.int16)
    own, beside = run(image), plain(image)
    dark = lone_black(normalize(image, own.levels))
    deep, deeper = (under_neighbours(r.reflectance, dark) for r in (own, beside))
    noise = deviation(image.astype(np.float64))
    lowest, lower = (
        (float(image.min()) - float(in_input_dtype(r).min())) / noise for r in (own, beside)
    )
    back = restore(own.reflectance, own.illumination, own.levels)
    return [
        check(
            "pixels below black: how far under their neighbours, deviations of R",
            deep,
            NEAR_DEVIATIONS,
            {"plain stretch": deeper},
        ),
        check(
            "written in data units: the lowest value below the input's, deviations of noise",
            lowest,
            0.0,
            {"plain stretch": lower},
        ),
        check("restored: pixels that are not the input's", float((back != image).sum()), 0),
    ]


def lone_black(x: Array) -> Array:
    """Pixels below 0 among neighbours of which most are not; not at the border."""
    dark = np.zeros(x.shape, bool)
    dark[1:-1, 1:-1] = (x[1:-1, 1:-1] < 0) & (np.median(_eight_around(x), axis=0) > 0)
    return dark


def under_neighbours(shown: Array, dark: Array) -> float:
    """Median of the neighbours' median less the pixel, in deviations of all."""
    shown = np.asarray(shown, dtype=np.float64)
    under = np.median(_eight_around(shown), axis=0) - shown[1:-1, 1:-1]
    return float(np.median(under[dark[1:-1, 1:-1]])) / deviation(shown)


def _eight_around(x: Array) -> Array:
    height, width = x.shape
    return np.stack(
        [
            x[1 + dy : height - 1 + dy, 1 + dx : width - 1 + dx]
            for dy in (-1, 0, 1)
            for dx in (-1, 0, 1)
            if dy or dx
        ]
    )


def noisy_sky(run: Run, plain: Run) -> Check:
    """The median of R where the levels have nothing but noise between them."""
    sky = np.random.default_rng(32).normal(*NOISY_SKY, (256, 256)).astype(np.float32)
    own, beside = (
        abs(float(np.median(m(sky).reflectance)) - STRETCHED_MEDIAN) for m in (run, plain)
    )
    mean, noise = NOISY_SKY
    name = f"a sky of {mean:g}, noise {noise:g}: how far the median of R is from a quarter"
    return check(name, own, CLOSE, {"plain stretch": beside})
