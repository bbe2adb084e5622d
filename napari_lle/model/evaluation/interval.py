"""The stated interval of R: fitted on some simulated fields, judged on others."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from ..inference.estimate import Result
from ..inference.uncertainty import KNOTS, Local, PlainStretch, half_width, local_figures
from ..preprocessing.noise import fit_noise
from .checks import Check, Run, check, warning
from .exposures import ELECTRONS, SCENE_SIDE, exposed, stretched_truth
from .fields import filament_field, known_fields

STATED, SLACK = 0.95, 0.02
FITTED_SEEDS, JUDGED_SEEDS = range(900, 910), range(950, 958)  # seeds of fields
FILAMENT, GROUND = 0.3, 0.03  # light of filaments and around them
EVERY = 7  # of the pixels in a row that is used for the fit
LARGEST_ERROR = 20.0  # deviations of noise: an error beyond counts as this
GRADIENTS = (0.3, 0.05)  # of the constants: where the search begins
SOUGHT = (-6.0, 5.0)  # logarithms of the constants
STRICT = 300.0  # of each light's share being right, against intervals being narrow

Errors = dict[int, list[tuple[NDArray[np.float64], Local]]]


def stated(run: Run, constants: tuple[float, ...] | None) -> list[Check]:
    """Shares of pixels whose truth lies in the stated interval, for each number of electrons."""
    if constants is None:
        return [warning("no interval is stated for this model; the share that it would hold", 0)]
    shares = coverage(errors(run, JUDGED_SEEDS), constants)
    lowest = min(in_filaments(run, constants, electrons) for electrons in ELECTRONS)
    return [
        warning("stated 95 % interval: share in the middle of filaments, lowest of all e-", lowest),
        *_share_checks(shares),
    ]


def _share_checks(shares: dict[int, float]) -> list[Check]:
    return [
        check(
            f"stated 95 % interval, {electrons} e-: how far its share is from 95 %",
            abs(share - STATED),
            SLACK,
            {"share": share},
        )
        for electrons, share in shares.items()
    ]


def in_filaments(run: Run, constants: tuple[float, ...], electrons: int, seeds: int = 3) -> float:
    """The share of the interval in the middle of filaments alone, which are few pixels of many."""
    within = []
    for seed in range(seeds):
        rng = np.random.default_rng(seed)
        light, middle = filament_field(SCENE_SIDE, FILAMENT, GROUND, rng)
        image, expected = exposed(light * electrons, [seed, electrons])
        truth, result = stretched_truth(image, expected), run(image)
        held = np.abs(result.reflectance - truth) <= half_width(seen_figures(result), constants)
        within.append(held[middle].mean())
    return float(np.mean(within))


def errors(run: Run, seeds: Iterable[int]) -> Errors:
    """Errors of R on known fields at every number of electrons, and what is known beside them."""
    found: Errors = {electrons: [] for electrons in ELECTRONS}
    for seed in seeds:
        for place, field in enumerate(known_fields(SCENE_SIDE, seed).values()):
            for electrons in ELECTRONS:
                image, expected = exposed(field * electrons, [seed, place, electrons])
                truth, result = stretched_truth(image, expected), run(image)
                found[electrons].append((np.abs(result.reflectance - truth), seen_figures(result)))
    return found


def seen_figures(result: Result) -> Local:
    """As `uncertainty` sees a grey plane."""
    x = result.reflectance * result.illumination
    plain = PlainStretch.of(result.record)
    return local_figures(x, result.reflectance, plain, fit_noise(x, black=0))


def coverage(found: Errors, constants: tuple[float, ...]) -> dict[int, float]:
    """Shares of errors within the interval, by number of electrons."""
    return {
        electrons: float(
            np.mean([(error <= half_width(local, constants)).mean() for error, local in parts])
        )
        for electrons, parts in found.items()
    }


def fit_interval(run: Run) -> tuple[float, ...]:
    """The constants with the narrowest intervals that hold 95 % at every number of electrons.

    The sum of the quantile loss over the lights, in units of the noise, and of how far each
    light's share is from 95 %.
    """
    from scipy.optimize import minimize

    lights = [_joined(parts) for parts in errors(run, FITTED_SEEDS).values()]

    def loss(logarithms: NDArray[np.float64]) -> float:
        constants = np.exp(np.clip(logarithms, *SOUGHT))
        return sum(_loss(*light, constants) for light in lights)

    found = []
    for gradient in GRADIENTS:
        start = np.log([*np.interp(KNOTS, [0, 1, 3], [1.96, 0.5, 2]), gradient])
        for _ in range(3):  # a simplex that has shrunk is opened again
            best = minimize(
                loss, start, method="Nelder-Mead", options={"maxiter": 800, "fatol": 1e-5}
            )
            start = best.x
        found.append((best.fun, start))
    start = min(found, key=lambda each: each[0])[1]
    return tuple(float(f"{v:.3g}") for v in np.exp(np.clip(start, *SOUGHT)))


def _joined(parts: list[tuple[NDArray[np.float64], Local]]) -> tuple[NDArray[np.float64], Local]:
    error = np.concatenate([e.ravel()[::EVERY] for e, _ in parts])
    columns = zip(*(local for _, local in parts), strict=True)
    return error, Local(*(np.concatenate([v.ravel()[::EVERY] for v in each]) for each in columns))


def _loss(error: NDArray[np.float64], local: Local, constants: NDArray[np.float64]) -> float:
    beyond = (error - half_width(local, tuple(constants))) / local.noise
    beyond = np.clip(beyond, -LARGEST_ERROR, LARGEST_ERROR)
    quantile = np.where(beyond > 0, STATED * beyond, (STATED - 1) * beyond).mean()
    return float(quantile + STRICT * ((beyond <= 0).mean() - STATED) ** 2)
