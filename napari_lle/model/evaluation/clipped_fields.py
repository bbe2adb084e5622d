"""Images whose offset was set too low: what is dark is stored as 0, and its noise is hidden.

Noise that is told from what is left is too strong for the zeros around a bright body. A model that
believes it spreads the body's light over them.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ..array_types import Array
from .checks import Check, Run, check
from .invention import THRESHOLDS, worst_excess
from .photometry import find_peaks
from .simulate import READ_NOISE, camera

CLIPPED_SIDE = 512
BODY_AT, BODY_RADIUS = (256, 150), 140  # pixels; a disc at the left
NEAR_BODY, FAR_FROM_IT = (4, 40), 60  # pixels from the body: where a glow would be, and none
BODILESS = np.s_[:, 340:]
BELOW = (0.0, 1.0)  # deviations of the read noise that the offset lies below 0
BODY_HAZE, FILAMENT_LIGHT, FILAMENT_WIDTH = 10.0, 60.0, 1.2  # electrons, electrons, pixels
MOST_GLOW = 0.03  # of R's range


def clipped_fields(run: Run, plain: Run, seeds: int = 8) -> list[Check]:
    """The glow of R beside a body of filaments, and detections where nothing is."""
    found = np.zeros((2, len(THRESHOLDS)))
    glow = np.zeros((len(BELOW), 2))
    for seed in range(seeds):
        light, distance = filaments_in_a_body(np.random.default_rng([seed, 5]))
        for k, below in enumerate(BELOW):
            rng = np.random.default_rng([seed, k, 6])
            image = camera(light, rng, read_noise=READ_NOISE, offset=-below * READ_NOISE, bits=8)
            views = [method(image).reflectance for method in (run, plain)]
            glow[k] += [_glow(view, distance) / seeds for view in views]
            peaks = [find_peaks(view[BODILESS]) for view in (views[0], image)]
            found += [[len(each.above(t)) for t in THRESHOLDS] for each in peaks]
    own, beside = glow[np.argmax(glow[:, 0])]
    name = "clipped at black: glow beside a body, of R's range"
    return [
        check(name, own, MOST_GLOW, {"plain stretch": beside}),
        worst_excess("clipped at black, nothing there", *found),
    ]


def filaments_in_a_body(rng: np.random.Generator) -> tuple[Array, Array]:
    """Electrons of filaments within a disc, black around; and pixels from the disc, 0 within."""
    y, x = np.mgrid[:CLIPPED_SIDE, :CLIPPED_SIDE]
    distance = np.maximum(np.hypot(y - BODY_AT[0], x - BODY_AT[1]) - BODY_RADIUS, 0)
    light = np.full(distance.shape, BODY_HAZE)
    for _ in range(60):
        angle, (row, column) = rng.uniform(0, np.pi), rng.uniform(0, CLIPPED_SIDE, 2)
        across = (y - row) * np.cos(angle) - (x - column) * np.sin(angle)
        strength = FILAMENT_LIGHT * rng.uniform(0.3, 1)
        light += strength * np.exp(-(across**2) / 2 / FILAMENT_WIDTH**2)
    return np.where(distance > 0, 0.0, light), distance


def _glow(view: NDArray[np.floating], distance: Array) -> float:
    """How much brighter it is near the body than far from it."""
    near = view[(distance > NEAR_BODY[0]) & (distance < NEAR_BODY[1])]
    return float(near.mean() - view[distance > FAR_FROM_IT].mean())
