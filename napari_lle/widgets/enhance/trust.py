"""Layers that tell how far a result may be trusted: its difference, what changed, how uncertain."""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

import numpy as np
from napari.layers import Image

from ..shared.layers import METADATA_KEY, illumination_options, spatial
from ..shared.marks import unmarked
from .blending import Turned, blended, held_steps, light_plane, reflectance_plane, turned

CHANGED, UNCERTAINTY, DIFFERENCE = "changed", "uncertainty", "difference"
MAP_NAMES = {CHANGED: "what changed", UNCERTAINTY: "uncertainty", DIFFERENCE: "difference"}
MAP_MEANINGS = {
    CHANGED: "green is brighter than a plain stretch, pink darker; up to 2 it is removed noise.",
    UNCERTAINTY: "the brighter, the farther the result may be from the truth.",
    DIFFERENCE: "green is brighter than the input, pink darker.",
}
COLOUR_DEVIATIONS = 5.0  # of noise, that the colours of what changed reach to
HIGH = 99.5  # percentile of the uncertainty that is drawn brightest


def trust_steps(
    estimate: Any, strength: float, which: str
) -> Generator[Any, None, tuple[Any, tuple[float, float]]]:
    """A figure of all pixels and limits to look at it with, as a job; see `model.uncertainty`."""
    yield 0, 1, ""
    data = yield from held_steps(estimate, figure(estimate, strength, which))
    coarsest = data[-1] if isinstance(data, list) else data
    middle = coarsest[tuple(n // 2 for n in coarsest.shape[:-2])]
    if which == CHANGED:
        return data, (-COLOUR_DEVIATIONS, COLOUR_DEVIATIONS)
    values = np.asarray(middle)
    known = np.abs(values[np.isfinite(values)])
    high = float(np.percentile(known, HIGH)) if known.size else 0.0
    high = high if high > 0 else 1.0
    return data, (0.0 if which == UNCERTAINTY else -high, high)


def figure(estimate: Any, strength: float, which: str) -> Any:
    """The figure in the form of the reflectance, lazy or of several scales; grey for colours."""
    if isinstance(estimate, Turned):
        return turned(figure(estimate.estimate, strength, which), estimate.back)
    from ...model.inference.estimate import Result
    from ...model.inference.uncertainty import uncertainty, what_changed

    record = {**estimate.record, "strength": strength}
    if which == DIFFERENCE:
        return _difference(estimate, strength)
    r, light = (blended(estimate, strength, plane) for plane in (reflectance_plane, light_plane))
    function = what_changed if which == CHANGED else uncertainty
    scales = zip(r, light, strict=True) if isinstance(r, list) else [(r, light)]
    found = [function(Result(*pair, estimate.levels, record)) for pair in scales]
    if estimate.rgb:
        found = [_farthest_from_zero(each) for each in found]
    return found if isinstance(r, list) else found[0]


def _difference(estimate: Any, strength: float) -> Any:
    """R less the input; of colours, where they differ most."""
    after, before = (blended(estimate, power, reflectance_plane) for power in (strength, 0.0))
    scales = zip(after, before, strict=True) if isinstance(after, list) else [(after, before)]
    found = [a - b for a, b in scales]
    if estimate.rgb:
        found = [_farthest_from_zero(each[..., :3]) for each in found]
    return found if isinstance(after, list) else found[0]


def _farthest_from_zero(colours: Any) -> Any:
    """The one of each pixel's values that is farthest from 0."""
    high, low = colours.max(axis=-1), colours.min(axis=-1)
    return np.where(high > -low, high, low)


def trust_layer(
    result: Image, estimate: Any, which: str, data: Any, limits: tuple[float, float]
) -> Image:
    """The figure as a layer over its result."""
    options = {
        **illumination_options(result, estimate),
        **spatial(result),
        "name": f"{unmarked(result.name)} {MAP_NAMES[which]}",
        "rgb": False,
        "contrast_limits": limits,
        "colormap": "inferno" if which == UNCERTAINTY else "PiYG",
        "visible": True,
    }
    return Image(data, **options, metadata={METADATA_KEY: {"kind": which}})
