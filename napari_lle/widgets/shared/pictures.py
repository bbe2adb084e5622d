"""Layers as pictures: what the canvas shows of them, at their own resolution.

Nothing here needs a window.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from napari.layers import Image
from numpy.typing import NDArray

LEVELS = 1 << 16  # of a colormap that is looked up
MIXED = {"additive": np.add, "minimum": np.minimum, "multiplicative": np.multiply}


class Appearance(NamedTuple):
    """How a layer is displayed; it may change while a picture is made."""

    limits: tuple[float, float]
    gamma: float
    colours: NDArray[np.float32] | None  # (LEVELS, 3); None for layers that are in colour
    blending: str

    @classmethod
    def of(cls, layer: Image) -> Appearance:
        """Note down how a layer looks."""
        low, high = layer.contrast_limits
        colours = None
        if not layer.rgb:
            colours = np.asarray(layer.colormap.map(np.linspace(0, 1, LEVELS)), np.float32)[:, :3]
        return cls((float(low), float(high)), float(layer.gamma), colours, str(layer.blending))


def as_displayed(plane: Any, look: Appearance) -> NDArray[np.float32]:
    """One plane between the limits of its layer, with its gamma, in its colours; 0 to 1.

    Parameters
    ----------
    plane : array_like, (Y, X), or (Y, X, 3 or 4) of a layer in colour
    look : Appearance

    Returns
    -------
    ndarray, (Y, X, 3 or 4)
    """
    values = np.nan_to_num(np.asarray(plane, np.float32), nan=0.0)
    low, high = look.limits
    seen = values if look.colours is not None else values[..., :3]
    shown: NDArray[np.float32] = np.clip((seen - low) / (high - low), 0, 1) ** look.gamma
    if look.colours is not None:
        return look.colours[np.rint(shown * (LEVELS - 1)).astype(np.intp)]
    if values.shape[-1] == 4:
        most = np.iinfo(plane.dtype).max if np.asarray(plane).dtype.kind in "ui" else 1
        shown = np.concatenate([shown, np.clip(values[..., 3:] / most, 0, 1)], axis=-1)
    return shown


def mixed(planes: Sequence[Any], looks: Sequence[Appearance]) -> NDArray[np.float32]:
    """Planes of one scene over each other, the lowest first, as the canvas blends them."""
    total = as_displayed(planes[0], looks[0])
    for plane, look in zip(planes[1:], looks[1:], strict=True):
        shown = as_displayed(plane, look)
        blend = MIXED.get(look.blending)
        total = shown if blend is None else np.clip(blend(total, shown), 0, 1)
    return total


def stored(picture: NDArray[np.float32], bits: int) -> NDArray[Any]:
    """A picture in integers of 8 or 16 bits; grey where it has no colour at all."""
    most = (1 << bits) - 1
    values = np.rint(picture * most).astype(np.uint8 if bits == 8 else np.uint16)
    grey = values.shape[-1] == 3 and (values == values[..., :1]).all()
    return np.ascontiguousarray(values[..., 0]) if grey else values
