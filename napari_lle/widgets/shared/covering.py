"""Which layers of a viewer are seen, as far as others do not cover them. Needs no window."""

from __future__ import annotations

from typing import Any

import numpy as np
from napari.layers import Image

SEE_THROUGH = ("additive", "minimum", "multiplicative")  # blending that lets lower layers through


def seen_layers(viewer: Any) -> list[Any]:
    """The visible layers, without those that an opaque image covers.

    In a grid and in 3-D all that are visible are seen.
    """
    visible = [layer for layer in viewer.layers if layer.visible]
    if viewer.dims.ndisplay != 2 or grid_of(viewer).enabled:
        return visible
    return [
        layer
        for place, layer in enumerate(visible)
        if not any(hides(above, layer) for above in visible[place + 1 :])
    ]


def hides(above: Any, below: Any) -> bool:
    """Whether a layer leaves nothing of one below it to be seen."""
    if not isinstance(above, Image) or above.blending in SEE_THROUGH or above.opacity < 1:
        return False
    if any(plane.enabled for plane in above.experimental_clipping_planes):
        return False  # a swipe
    over, under = above.extent.world, below.extent.world
    axes = min(over.shape[1], under.shape[1])
    over, under = over[:, -axes:], under[:, -axes:]
    return bool(np.all(over[0] <= under[0]) and np.all(over[1] >= under[1]))


def grid_of(viewer: Any) -> Any:
    """What lays layers beside each other."""
    return getattr(viewer, "canvas", viewer).grid  # napari 0.9 moved it
