"""Rings about a bright star: whether the sky beside it is drawn down, or lifted."""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from ..array_types import Array
from ..inference.enhance import enhance, estimate_steps
from ..inference.options import EnhanceOptions
from ..inference.plan import survey
from ..network.checkpoint import Model
from ..progress import finish
from .checks import Check, Run, check, stretch_model
from .simulate import FWHM, OFFSET, SKY_ELECTRONS, expose

CONTRAST = 1e5  # of the star to the sky
RING_RADII = (8, 32)  # pixels from it


def _bright_star(side: int) -> Array:
    """A Gaussian star, which has no wings to hide a ring, of `CONTRAST` times the sky."""
    distance = np.hypot(*np.ogrid[-side // 2 : side // 2, -side // 2 : side // 2])
    return SKY_ELECTRONS * (1 + CONTRAST * np.exp(-4 * np.log(2) * (distance / FWHM) ** 2))


def _rings(image: Array) -> Array:
    """Means over rings of 2 pixels about the middle; the last value is of all beyond."""
    half = np.array(image.shape) // 2
    distance = np.hypot(*np.ogrid[-half[0] : half[0], -half[1] : half[1]])
    edges = [*range(*RING_RADII, 2), np.inf]
    masks = ((distance >= a) & (distance < b) for a, b in pairwise(edges))
    return np.array([image[mask].mean() for mask in masks])


def dark_ring(loaded: Model, device: str) -> list[Check]:
    """How far the sky about the star is drawn below the sky elsewhere, in R, without noise.

    The network sees the expected image with the levels of a noisy exposure.
    """
    light = _bright_star(128)
    exposed = expose(light, np.random.default_rng(6)).astype(np.float64)
    options = EnhanceOptions(model=loaded, device=device, rgb=False)
    steps = estimate_steps(light + OFFSET, options, survey(exposed, options))
    rings = _rings(finish(steps).reflectance())
    return ring_checks("about a star of 1e5:1, no noise", rings)


def noisy_ring(run: Run, frames: int = 64) -> list[Check]:
    """The same in the mean of noisy exposures, over the plain stretch of the same exposures.

    A network that treats noise near a star unlike noise elsewhere shifts its mean there; the
    stretch, which cannot, takes the noise off the figure.
    """
    light, sums = _bright_star(96), np.zeros((2, 96, 96))
    for seed in range(frames):
        image = expose(light, np.random.default_rng(100 + seed))
        sums += run(image).reflectance, enhance(image, stretch_model(), rgb=False).reflectance
    rings = np.divide(*(_rings(each) for each in sums))
    return ring_checks(f"about it, mean of {frames} noisy exposures", rings)


def ring_checks(where: str, rings: Array) -> list[Check]:
    """Depth and height of rings relative to the last value."""
    relative = rings / rings[-1]
    return [
        check(f"dark ring {where}: depth", 1 - relative.min(), 0.01),
        check(f"bright ring {where}: height", relative.max() - 1, 0.01),
    ]
