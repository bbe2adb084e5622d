"""Simulated exposures of known fields, from plenty of light to hardly any."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..array_types import Array
from ..inference.enhance import enhance, estimate_steps
from ..inference.options import EnhanceOptions
from ..inference.plan import survey
from ..progress import finish
from .baselines import gaussian, non_local_means
from .checks import Run, stretch_model
from .fields import known_fields
from .metrics import psnr
from .simulate import camera

ELECTRONS = (4000, 600, 90, 25)  # at the brightest of a field
SCENE_SIDE = 160
CAMERA_OFFSET, CAMERA_NOISE = 200.0, 3.0

Table = dict[str, dict[str, dict[str, float]]]


def exposures(name: str, run: Run, seeds: int = 4) -> Table:
    """PSNR in dB and SSIM of R against the stretched truth, at each number of electrons.

    Parameters
    ----------
    name : str
        Of the method that `run` is, as the table has it.
    run : callable
        From an exposure to a `Result`.

    Returns
    -------
    dict
        By method, by number of electrons, ``psnr`` and ``ssim``: means over the fields.
    """
    rows: dict[str, dict[str, list[tuple[float, float]]]] = {}
    for seed in range(seeds):
        for place, field in enumerate(known_fields(SCENE_SIDE, 700 + seed).values()):
            for electrons in ELECTRONS:
                image, expected = exposed(field * electrons, [seed, place, electrons])
                for method, shown in _shown_by_method(name, run, image).items():
                    found = rows.setdefault(method, {}).setdefault(str(electrons), [])
                    found.append(_psnr_and_ssim(shown, stretched_truth(image, expected)))
    return {
        method: {
            level: dict(zip(("psnr", "ssim"), np.mean(found, axis=0).tolist(), strict=True))
            for level, found in levels.items()
        }
        for method, levels in rows.items()
    }


def exposed(light: Array, seed: Any) -> tuple[Array, Array]:
    """An exposure, uint16, and its expectation in the same units."""
    rng = np.random.default_rng(seed)
    image = camera(light, rng, read_noise=CAMERA_NOISE, offset=CAMERA_OFFSET, full_well=1e5)
    return image, light + CAMERA_OFFSET


def stretched_truth(image: Array, expected: Array) -> Array:
    """What the plain stretch of an exposure would show if there were no noise, in 0..1."""
    options = EnhanceOptions(model=stretch_model(), device="cpu", rgb=False)
    steps = estimate_steps(expected, options, survey(image, options))
    return np.clip(finish(steps).reflectance(), 0, 1).astype(np.float64)


def _shown_by_method(name: str, run: Run, image: Array) -> dict[str, Array]:
    plain = enhance(image, stretch_model(), rgb=False, device="cpu").reflectance
    plain = np.clip(plain, 0, 1).astype(np.float64)
    return {
        name: run(image).reflectance,
        "plain stretch": plain,
        "gauss 1": gaussian(plain, 1),
        "gauss 2": gaussian(plain, 2),
        "nl-means": non_local_means(plain),
    }


def _psnr_and_ssim(shown: Array, truth: Array) -> tuple[float, float]:
    from skimage.metrics import structural_similarity

    shown = np.clip(shown, 0, 1).astype(np.float64)
    return psnr(shown, truth), float(structural_similarity(truth, shown, data_range=1))
