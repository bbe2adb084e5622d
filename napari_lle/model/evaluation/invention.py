"""Nothing invented: what is detected on flat fields, where nothing is, with a sensor's faults."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from .checks import Check, Run, check
from .fields import DEFECTS, cosmic_rays, far_white
from .photometry import MEGAPIXEL, detect, deviation, find_peaks
from .simulate import expose

THRESHOLDS = (3.5, 4.0, 5.0)  # deviations
EXCESS_BY_CHANCE = 3.0  # deviations of counting that two counts of the same may differ by
FAINT_RAYS = 1.5  # deviations at which what cosmic rays leave around them is looked for
FLAT_SIDE = 256


def detections(run: Run, light: float, seeds: int = 12) -> list[Check]:
    """Detections on R beyond those of a matched filter on the input, for each kind of fault.

    Half of the fields with their own levels, half with a white level far away.
    """
    found = []
    for name, spoil in DEFECTS.items():
        counts = np.zeros((2, len(THRESHOLDS)))
        for seed in range(seeds):
            rng = np.random.default_rng([seed, round(light)])
            image = spoil(expose(np.full((FLAT_SIDE, FLAT_SIDE), light), rng), rng)
            how = far_white(image) if seed % 2 else {}
            shown = run(image, **how).reflectance
            peaks = [find_peaks(each) for each in (shown, image)]
            counts += [[len(found.above(t)) for t in THRESHOLDS] for found in peaks]
        found.append(worst_excess(f"flat field, {light:g} e-, {name}", *counts))
    return found


def worst_excess(what: str, own: NDArray[Any], filtered: NDArray[Any]) -> Check:
    """Detections at each of `THRESHOLDS`: the worst excess, in deviations of counting."""
    excess = (own - filtered) / np.sqrt(np.maximum(filtered, 1))
    worst = int(np.argmax(excess))
    return check(
        f"{what}: detections beyond a matched filter's, deviations of counting",
        excess[worst],
        EXCESS_BY_CHANCE,
        {"detections": own[worst], "matched filter": filtered[worst]},
    )


def hot_neighbours(run: Run, plain: Run, light: float = 30.0) -> Check:
    """How far lone hot pixels lift the 8 pixels around them, in deviations of R."""
    image = expose(np.full((FLAT_SIDE, FLAT_SIDE), light), np.random.default_rng(11)).astype(
        np.float64
    )
    hot = image.copy()
    places = np.arange(16, FLAT_SIDE, 32)
    hot[np.ix_(places, places)] += 20_000

    levels = far_white(image)

    def lift(method: Run) -> float:
        before = method(image, **levels).reflectance
        change = method(hot, **levels).reflectance - before
        around = [
            change[np.ix_(places + dy, places + dx)]
            for dy in (-1, 0, 1)
            for dx in (-1, 0, 1)
            if dy or dx
        ]
        # Less what the whole image's statistics do everywhere.
        lifted = float(np.mean(around) - np.median(change))
        return abs(lifted) / deviation(before)

    beside = lift(plain)
    name = "lone hot pixels: how far their neighbours move, deviations of R"
    return check(name, lift(run), beside + 0.5, {"plain stretch": beside})


def faint_rays(run: Run, plain: Run, light: float = 30.0, seeds: int = 16) -> Check:
    """What cosmic rays bring to detection elsewhere at a low threshold, to a megapixel."""
    counts = np.zeros(3)
    for seed in range(seeds):
        rng = np.random.default_rng([seed, 12])
        clean = expose(np.full((FLAT_SIDE, FLAT_SIDE), light), rng)
        struck = cosmic_rays(clean, rng)
        levels, hit = far_white(clean), struck != clean
        for i, method in enumerate((run, plain)):
            before, after = (method(image, **levels).reflectance for image in (clean, struck))
            counts[i] += _new(before, after, hit)
        counts[2] += _new(clean, struck, hit)
    own, beside, matched = counts * MEGAPIXEL / (seeds * FLAT_SIDE**2)
    chance = EXCESS_BY_CHANCE * np.sqrt(max(counts[1], 1)) * MEGAPIXEL / (seeds * FLAT_SIDE**2)
    return check(
        "cosmic rays: new detections beside them at 1.5 deviations, to a megapixel",
        own,
        round(beside + chance),
        {"plain stretch": beside, "matched filter": matched},
    )


def _new(before: NDArray[Any], after: NDArray[Any], hit: NDArray[np.bool_]) -> int:
    """Detections that were not there before, nor lie on what was hit."""
    from scipy.ndimage import binary_dilation

    known = np.zeros(hit.shape, bool)
    known[tuple(detect(before, FAINT_RAYS).T)] = True
    known |= hit
    found = detect(after, FAINT_RAYS)
    return int((~binary_dilation(known, np.ones((5, 5)))[tuple(found.T)]).sum())
