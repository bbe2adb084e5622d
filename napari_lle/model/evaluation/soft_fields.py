"""Fields of broad bodies alone, where `science` leaves less noise: nothing invented beside them.

A model that takes a field for soft gives points, which nothing in it lets expect, less of a chance
against noise. How much less is told.
"""

from __future__ import annotations

import numpy as np

from ..array_types import Array
from .checks import Check, Run, warning
from .invention import THRESHOLDS, worst_excess
from .photometry import completeness_and_purity, find_peaks
from .simulate import add_star, expose

SOFT_SIDE = 512
BODIES = 230  # columns that the bodies' middles keep to
EMPTY = np.s_[:, 300:]  # nothing of a body reaches here
BODY_WIDTH, BODY_ELECTRONS, GROUND_ELECTRONS = 9.0, 60.0, 10.0
POINTS, POINT_FLUX = 40, (150.0, 600.0)  # electrons
TRIED = np.arange(1.5, 8.0, 0.1)
PURE = 0.99


def soft_fields(run: Run, plain: Run, seeds: int = 8) -> list[Check]:
    """Detections beside the bodies, and how complete faint points there are."""
    empty, pointed = np.zeros((2, len(THRESHOLDS))), []
    for seed in range(seeds):
        rng = np.random.default_rng([seed, 77])
        light = bodies(rng)
        image = expose(light, rng)
        found = [find_peaks(view[EMPTY]) for view in (run(image).reflectance, image)]
        empty += [[len(each.above(t)) for t in THRESHOLDS] for each in found]
        pointed.append(_points(run, plain, light, rng))
    complete = dict(zip(("R", "plain stretch", "matched filter"), _complete(pointed), strict=True))
    told = f"soft fields: completeness of faint points, {100 * PURE:g} % of detections true"
    return [worst_excess("soft fields", *empty), warning(told, complete.pop("R"), complete)]


def bodies(rng: np.random.Generator) -> Array:
    """Electrons of broad bodies at the left of a field, over an even ground."""
    from scipy.ndimage import gaussian_filter

    light = np.zeros((SOFT_SIDE, SOFT_SIDE))
    light[rng.integers(0, SOFT_SIDE, 60), rng.integers(0, BODIES, 60)] = 1
    light = gaussian_filter(light, BODY_WIDTH)
    return np.asarray(GROUND_ELECTRONS + BODY_ELECTRONS * light / light.max())


def _points(run: Run, plain: Run, light: Array, rng: np.random.Generator) -> Array:
    """Completeness and purity, (3, thresholds, 2), on R, plain stretch and input."""
    places = rng.uniform((10, EMPTY[1].start + 10), SOFT_SIDE - 10, (POINTS, 2))
    light = light.copy()
    for (row, column), flux in zip(places, rng.uniform(*POINT_FLUX, POINTS), strict=True):
        add_star(light, row, column, flux)
    image, truth = expose(light, rng), places - (0, EMPTY[1].start)
    views = run(image).reflectance, plain(image).reflectance, image
    found = [find_peaks(view[EMPTY]) for view in views]
    return np.array(
        [[completeness_and_purity(each.above(t), truth) for t in TRIED] for each in found]
    )


def _complete(pointed: list[Array]) -> list[float]:
    """The highest completeness of each where it is pure."""
    return [
        float(rows[rows[:, 1] >= PURE, 0].max(initial=0.0)) for rows in np.mean(pointed, axis=0)
    ]
