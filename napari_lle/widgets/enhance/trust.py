"""Two layers that tell how far a result may be trusted: what changed, and how uncertain it is."""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

import numpy as np
from napari.layers import Image

from ..shared.layers import KEY, illumination_options, spatial
from .blending import Turned, blended, light_plane, reflectance_plane, turned

CHANGED, UNCERTAINTY = "changed", "uncertainty"
NAMES = {CHANGED: "what changed", UNCERTAINTY: "uncertainty"}
DEVIATIONS = 5.0  # of noise, that the colours of what changed reach to
HIGH = 99.5  # percentile of the uncertainty that is drawn brightest


def trust_steps(
    estimate: Any, strength: float, which: str
) -> Generator[Any, None, tuple[Any, tuple[float, float]]]:
    """A figure of all pixels and limits to look at it with, as a job; see `model.uncertainty`."""
    yield 0, 1, ""
    data = figure(estimate, strength, which)
    coarsest = data[-1] if isinstance(data, list) else data
    middle = coarsest[tuple(n // 2 for n in coarsest.shape[:-2])]
    if which == CHANGED:
        return data, (-DEVIATIONS, DEVIATIONS)
    values = np.asarray(middle)
    known = values[np.isfinite(values)]
    high = float(np.percentile(known, HIGH)) if known.size else 0.0
    return data, (0.0, high if high > 0 else 1.0)


def figure(estimate: Any, strength: float, which: str) -> Any:
    """The figure in the form of the reflectance, lazy or of several scales; grey for colours."""
    if isinstance(estimate, Turned):
        return turned(figure(estimate.estimate, strength, which), estimate.back)
    from ...model.inference.estimate import Result
    from ...model.inference.uncertainty import uncertainty, what_changed

    record = {**estimate.record, "strength": strength}
    r, light = (blended(estimate, strength, plane) for plane in (reflectance_plane, light_plane))
    function = what_changed if which == CHANGED else uncertainty
    scales = zip(r, light, strict=True) if isinstance(r, list) else [(r, light)]
    found = [function(Result(*pair, estimate.levels, record)) for pair in scales]
    if estimate.rgb:  # of the colour that is least sure
        found = [each.max(axis=-1) for each in found]
    return found if isinstance(r, list) else found[0]


def trust_layer(
    result: Image, estimate: Any, which: str, data: Any, limits: tuple[float, float]
) -> Image:
    """The figure as a layer over its result."""
    options = {
        **illumination_options(result, estimate),
        **spatial(result),
        "name": f"{result.name} {NAMES[which]}",
        "rgb": False,
        "contrast_limits": limits,
        "colormap": "PiYG" if which == CHANGED else "inferno",
        "visible": True,
    }
    return Image(data, **options, metadata={KEY: {"kind": which}})
