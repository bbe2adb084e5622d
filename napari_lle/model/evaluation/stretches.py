"""A model beside the stretches that astronomers and microscopists already have.

Figures, on simulated exposures: *noise gain over brightness gain*, the relative noise of the
background after over before, 1 for the input; *CNR*, the difference of faint discs and their
background over the noise; *completeness* and *purity* of detections among faint stars.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ..array_types import Array
from ..preprocessing.levels import find_levels, normalize
from .baselines import asinh, auto_gamma, clahe, mtf
from .photometry import completeness_and_purity, detect
from .simulate import disc_field, expose, star_field

STRETCH_FIGURES = {
    "noise_gain": "noise gain / brightness gain",
    "cnr": "CNR",
    "completeness": "completeness",
    "purity": "purity",
}
FIELDS = 6
THRESHOLD = 3.5  # deviations: low enough for false detections to happen
FAINT = (60.0, 3000.0)  # electrons of the stars: from hopeless to plain
DISC = 6.0  # electrons above a background whose noise is 8
STRETCHES: dict[str, Callable[[Any], Any]] = {
    "input": lambda x: x,
    "auto_gamma": auto_gamma,
    "asinh": asinh,
    "mtf": mtf,
    "clahe": clahe,
}
TIE = 0.01  # relative difference below which two methods are equal


def beside_stretches(name: str, method: Callable[[Array], Array]) -> dict[str, dict[str, float]]:
    """Figures of a method, under its name, and of all `STRETCHES`.

    Parameters
    ----------
    name : str
    method : callable
        Takes a uint16 exposure, (Y, X), and returns what is shown of it.
    """
    methods = {name: method, **{k: _of_levels(f) for k, f in STRETCHES.items()}}
    rows: dict[str, list[tuple[float, ...]]] = {k: [] for k in methods}
    for seed in range(FIELDS):
        rng = np.random.default_rng(200 + seed)
        light, inside, background = disc_field(192, DISC)
        discs = expose(light, rng)
        field = star_field(256, FAINT, rng)
        stars = expose(field.light, rng)
        truth = np.stack([field.rows, field.columns], axis=1)
        x = normalize(discs, find_levels(discs))
        for key, each in methods.items():
            shown = np.asarray(each(discs), dtype=np.float64)
            quality = completeness_and_purity(detect(each(stars), THRESHOLD), truth)
            rows[key].append(
                (_gain(shown, x, background), _cnr(shown, inside, background), *quality)
            )
    means = {key: np.mean(values, axis=0).tolist() for key, values in rows.items()}
    return {key: dict(zip(STRETCH_FIGURES, values, strict=True)) for key, values in means.items()}


def _of_levels(stretch: Callable[[Array], Array]) -> Callable[[Array], Array]:
    return lambda image: stretch(np.clip(normalize(image, find_levels(image)), 0, 1))


def _gain(shown: Array, x: Array, background: Array) -> float:
    after, before = shown[background], x[background]
    return float((after.std() / after.mean()) / (before.std() / before.mean()))


def _cnr(shown: Array, inside: Array, background: Array) -> float:
    around = shown[background]
    return float((shown[inside].mean() - around.mean()) / around.std())


def sentences(name: str, methods: dict[str, dict[str, float]]) -> list[str]:
    """What a method without a network does better than the model, one sentence a figure."""
    said = []
    for figure, title in STRETCH_FIGURES.items():
        sign = -1 if figure == "noise_gain" else 1
        ranked = sorted((k for k in methods if k != name), key=lambda k: -sign * methods[k][figure])
        best, own = methods[ranked[0]][figure], methods[name][figure]
        if sign * (best - own) > TIE * abs(own):
            said.append(f"{title}: {ranked[0]} is better, {best:.3g} against {own:.3g}.")
    return said
