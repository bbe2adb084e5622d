"""How the layers of the stage inspector are named, placed and coloured."""

from __future__ import annotations

from typing import Any

import numpy as np
from napari.layers import Image
from numpy.typing import NDArray

from ..shared.layers import METADATA_KEY, Region, region_options
from .inspector import INPUT_KEY, KINDS, Finding

EXTRAS = {"difference": "inferno", "gain": "turbo", "noise": "turbo"}  # and their colormaps
FIELD = "field"  # key of the box
# Vectors, because the first shape in a viewer takes napari seconds to prepare for.
FIELD_LOOK: dict[str, Any] = {
    "edge_color": "#00e5ff",
    "edge_width": 1,
    "vector_style": "line",
    "metadata": {METADATA_KEY: {"preview": True}},
}


def layer_name(finding: Finding, source: Image, key: str, stage: int) -> str:
    """The source's name and what is shown of it: ``cells · L 2``."""
    label = {
        "difference": f"|L {finding.count} − L 1|",
        "gain": f"gain {stage}",
        "noise": "noise gain",
        FIELD: "receptive field",
    }.get(key, f"{key} {stage}" if key in KINDS else key)
    return f"{source.name} · {label}"


def caption(key: str, stage: int) -> str:
    """What is written over a layer."""
    words = {"difference": "|L − L 1| of the last stage", "noise": "noise gain"}
    if key in KINDS:
        return f"{key}: {KINDS[key].word}, stage {stage}"
    return words.get(key, f"gain, stage {stage}" if key == "gain" else key)


def layer_options(
    finding: Finding, source: Image, key: str, stage: int, values: NDArray[Any]
) -> dict[str, Any]:
    """Options of an image layer that shows `values`, (Y, X) or (Y, X, 3), in their place."""
    about = {**finding.stages.record, "preview": True, "shows": key, "stage": stage}
    options = {
        **region_options(source, finding.region),
        "name": layer_name(finding, source, key, stage),
        "rgb": values.ndim == 3,
        "blending": "translucent_no_depth",
        "metadata": {METADATA_KEY: about},
        "contrast_limits": _contrast_limits(finding, source, key, values),
    }
    if key == INPUT_KEY:
        options |= {"gamma": source.gamma}
        options |= {} if options["rgb"] else {"colormap": source.colormap}
    elif values.ndim == 2:
        kind = KINDS.get(key)
        options["colormap"] = kind.colormap if kind else EXTRAS.get(key, "viridis")
    return options


def pixel_options(finding: Finding, source: Image, row: int, column: int) -> dict[str, Any]:
    """Spatial options of a layer whose origin is a pixel of the plane."""
    at = Region(finding.region.plane, (row, row + 1), (column, column + 1))
    return region_options(source, at)


def field_sides(radius: int, ndim: int) -> NDArray[np.float64]:
    """The box of all pixels up to `radius` from the origin as vectors, (4, 2, ndim)."""
    reach = radius + 0.5
    sides = np.zeros((4, 2, ndim))  # where each begins, and how it goes on
    sides[:, 0, -2:] = [[-reach, -reach], [-reach, reach], [reach, reach], [reach, -reach]]
    sides[:, 1, -2:] = np.roll(sides[:, 0, -2:], -1, axis=0) - sides[:, 0, -2:]
    return sides


def _contrast_limits(
    finding: Finding, source: Image, key: str, values: NDArray[Any]
) -> tuple[float, float]:
    if key == INPUT_KEY:
        low, high = source.contrast_limits
        return float(low), float(high)
    if key in KINDS:
        return finding.limits[key]
    low = float(values.min()) if key in finding.features else 0.0
    return low, max(float(values.max()), low + 1e-6)
