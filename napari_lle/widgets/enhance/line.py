"""The one line about what a run will do: model, levels, and what gets darker than black."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from ...model.network.bundled import GLOBAL, MODEL_SUFFIX, settled_name
from ...model.preprocessing.normalizing import level_text
from ..shared.layers import (
    METADATA_KEY,
    REFLECTANCE,
    channel_axis,
    kind,
    origin_name,
    pixels,
)

if TYPE_CHECKING:
    from .form import Form
    from .levels import LevelTools


def line_of(form: Form, tools: LevelTools) -> str:
    """What is known of the chosen image now; empty without one."""
    layer, found = form.image.value, tools.found
    if layer is None:
        return ""
    if kind(layer) == REFLECTANCE:
        told = layer.metadata[METADATA_KEY]
        source = origin_name(told, "its input")
        return (
            f"This is a result already, made of {source} by {told['model']}: choose the input "
            "instead."
        )
    if found is not None and found.blank:
        return f"This image {found.blank}: there is nothing to enhance."
    try:
        told = [model_name(settled_model(form))]
    except ValueError as error:
        return str(error)
    levels = tools.told()
    if levels is not None:
        black, white, below = levels
        told += [f"black {level_text(black, 5)} ({in_percent(below)} % below)"]
        told += [f"white {level_text(white, 5)}"]
    return " · ".join(told)


def in_percent(share: float) -> str:
    """A share in percent, to two digits; near all of it is 100, not 1e+02."""
    return f"{100 * share:.{2 if share < 0.995 else 3}g}"


def settled_model(form: Form) -> str:
    """The model that a run would take; of the chosen image; raises ValueError as `Form.options`."""
    layer, options = form.image.value, form.options()
    own = options.channels == "per" or channel_axis(layer) is None
    alone = own and not form.together.value
    return settled_name(str(options.model), bool(layer.rgb), str(pixels(layer).dtype), alone)


def model_name(settled: str) -> str:
    """A model as users call it: an own file by its stem, one curve in words."""
    name = settled.removesuffix(GLOBAL)
    shown = Path(name).stem if name.endswith(MODEL_SUFFIX) else name
    return f"{shown}, one curve" if name != settled else shown
