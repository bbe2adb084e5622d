"""Images as small pictures, between their own levels."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...model.preprocessing.levels import find_levels, normalize
from .cards import THUMBNAIL_SIDE


def thumbnail(image: NDArray[Any], rgb: bool) -> NDArray[np.uint8]:
    """The middle plane of an image, thinned out to `THUMBNAIL_SIDE` pixels, (Y, X, 3)."""
    lead = image.shape[: -3 if rgb else -2]
    plane = image[tuple(n // 2 for n in lead)]
    step = max(1, -(-max(plane.shape[:2]) // THUMBNAIL_SIDE))  # noise is to be seen: no means
    shown = np.nan_to_num(normalize(plane[::step, ::step], find_levels(plane, rgb=rgb)))
    eight = (255 * np.clip(shown, 0, 1)).astype(np.uint8)
    return eight[..., :3] if rgb else np.repeat(eight[..., None], 3, axis=-1)
