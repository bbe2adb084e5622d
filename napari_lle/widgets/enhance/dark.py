"""Black from what is known to be dark: another frame, or a region of the image."""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

import numpy as np
from napari.layers import Image, Shapes

from ..shared.layers import is_result, pixels
from ..shared.regions import region_mask


def references(viewer: Any) -> list[tuple[str, Any]]:
    """Layers that black can be taken from: images, and shapes."""
    return [
        (layer.name, layer)
        for layer in viewer.layers
        if isinstance(layer, Shapes) or (isinstance(layer, Image) and not is_result(layer))
    ]


def dark_steps(image: Image, source: Image | Shapes) -> Generator[Any, None, float]:
    """Median of a dark frame, or of an image within shapes, as a job.

    Raises
    ------
    ValueError
        If the shapes mark nothing of the image.
    """
    if isinstance(source, Shapes):
        return median_steps(pixels(image), bool(image.rgb), region_mask(source, image))
    return median_steps(pixels(source), bool(source.rgb), None)


def median_steps(data: Any, rgb: bool, roi: Any) -> Generator[Any, None, float]:
    """Median of an array or of a region of it, as a job."""
    from ...model.preprocessing.sampling import region_values

    yield 0, 1, ""
    return float(np.median(region_values(data, roi, rgb=rgb)))
