"""Pairs of grey images under common levels: what is to be learned is a gain, or a clearer image."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..preprocessing.levels import find_levels, normalize
from ..preprocessing.screen import stretched
from .pairs import Pair, as_photograph, matched

BRIGHTER = 2.5  # times the light of a dark image: a reference that is taken at another exposure
SMOOTHED = 8  # pixels along a side of the squares that light is measured in


def gains_light(pairs: Sequence[tuple[NDArray[Any], NDArray[Any]]]) -> bool:
    """Whether references were taken at another exposure: half of them are brighter by `BRIGHTER`.

    All of a run or none, for one network learns one.
    """
    ratios = [_light(bright) / max(_light(dark), 1e-9) for dark, bright in pairs]
    return bool(np.median(ratios) >= BRIGHTER)


def common_levels(
    name: str,
    low: ArrayLike,
    reference: ArrayLike,
    known: Sequence[float] | None = None,
    gain: bool = False,
) -> Pair:
    """Normalise two grey images by common levels, the dark one's, into a `Pair`.

    The reference is under the dark image's screen stretch, as R begins. With `gain` it is taken as
    it is: how much brighter it is, is to be learned. Otherwise it is a clearer image of the same
    exposure, and brought to the dark one's units by the straight line that fits best: many programs
    scale each image they write. `known` are the dark image's levels, found when not given.

    Raises
    ------
    ValueError
        If they differ in size or are in colour.
    """
    dark, bright = (np.asarray(a, dtype=np.float64) for a in (low, reference))
    black, white = known or (None, None)
    levels = find_levels(np.asarray(low), black=black, white=white)
    image = as_photograph(low, rgb=False, levels=known)
    if dark.shape == bright.shape and not gain:
        finite = np.isfinite(dark) & np.isfinite(bright)
        a, b = bright[finite], dark[finite]
        slope = float(np.mean((a - a.mean()) * (b - b.mean())) / max(float(a.var()), 1e-12))
        bright = b.mean() + slope * (bright - a.mean())
    pair = matched(name, image, np.repeat(normalize(bright, levels)[..., None], 3, axis=-1))
    return replace(pair, reference=stretched(pair.reference, pair.statistics))


def _light(pixels: NDArray[Any]) -> float:
    """How much light there is, above the darkest, noise averaged away."""
    image = np.asarray(pixels, dtype=np.float64)
    if image.ndim != 2:  # which will be refused
        return 0.0
    height, width = (max(1, n // SMOOTHED) for n in image.shape)
    whole = image[: height * SMOOTHED, : width * SMOOTHED]
    if whole.size < height * width * SMOOTHED**2:  # smaller than one square
        whole = np.full((SMOOTHED, SMOOTHED), np.nanmean(image))
        height = width = 1
    means = np.nanmean(whole.reshape(height, SMOOTHED, width, SMOOTHED), axis=(1, 3))
    low, high = np.nanpercentile(means, [5, 95])
    return float(high - low)
