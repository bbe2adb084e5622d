"""Decide what options leave open: which axes hold colours, and which model suits the image."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from ..network.bundled import GLOBAL, is_stretch, settled_name, sized
from ..network.checkpoint import Model, recent_model
from ..preprocessing.sampling import as_array
from .options import EnhanceOptions
from .shared_illumination import check_together


def as_arrays(images: Any) -> list[Any]:
    """One array, or several in a list, as a list of arrays."""
    several = [images] if hasattr(images, "shape") else images
    return [as_array(each) for each in several]


def settle(arrays: Sequence[Any], options: EnhanceOptions) -> EnhanceOptions:
    """Decide what the options leave open: whether there are colours, and ``per`` or ``joint``.

    Raises
    ------
    ValueError
        If the arrays are of no shape for an image, or cannot share an illumination.
    """
    axis = options.channel_axis
    if len(arrays) != 1 or axis is not None:
        axis = check_together(arrays, axis)
        if options.channels == "luminance":
            raise ValueError(
                "Luminance is that of RGB colours: leave channels at auto for separate channels."
            )
        return replace(options, rgb=False, channels="joint", channel_axis=axis)
    shape = tuple(arrays[0].shape)
    rgb = looks_rgb(shape) if options.rgb is None else options.rgb
    if len(shape) < (3 if rgb else 2):
        raise ValueError(f"An image has two spatial axes; this array's shape is {shape}.")
    if rgb and shape[-1] not in (3, 4):
        raise ValueError(f"The last axis of RGB data must have 3 or 4 entries, not {shape[-1]}.")
    photograph = options.channels == "auto" and arrays[0].dtype == np.uint8
    per = rgb and (photograph or options.channels == "per")
    joint = "luminance" if rgb and options.channels == "luminance" else "joint"
    return replace(options, rgb=rgb, channels="per" if per else joint)


def looks_rgb(shape: tuple[int, ...]) -> bool:
    """Whether an array of this shape is taken for colour: three axes or more, 3 or 4 at the end."""
    return len(shape) > 2 and shape[-1] in (3, 4)


def choose_model(
    model: str | Path | Model,
    rgb: bool,
    dtype: str,
    illumination_scale: int | None = None,
    alone: bool = True,
) -> Model:
    """Load a model; ``auto`` stands for the one that suits the image.

    A channel is `alone` where it shares its illumination with no other.
    """
    if is_stretch(model):
        from ..network.curves import formula_model  # of torch

        return formula_model(str(model).removesuffix(GLOBAL))
    if isinstance(model, Model):
        return _at_scale(model, illumination_scale)
    alone = alone and illumination_scale in (None, 1)
    settled = settled_name(str(model), rgb, dtype, alone)
    name = settled.removesuffix(GLOBAL)
    loaded = _at_scale(recent_model(sized(name, illumination_scale)), illumination_scale)
    if settled == name:
        return loaded
    from ..network.global_curve import one_curve  # of torch

    return one_curve(loaded)


def model_of(options: EnhanceOptions, dtype: str, alone: bool) -> Model:
    rgb, scale = bool(options.rgb), options.illumination_scale
    return choose_model(options.model, rgb, dtype, scale, alone and options.channel_axis is None)


def _at_scale(model: Model, scale: int | None) -> Model:
    if scale is None or is_stretch(model.name):
        return model  # a curve is of no size
    return replace(model, source=model.source.at_scale(scale))
