"""What one run enhances: a layer, one with axis of channels, layers of a scene or of a figure."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, NamedTuple

from napari.layers import Image

from ...model.inference.looks import PUBLICATION
from ..shared.layers import (
    REFLECTANCE,
    channel_axis,
    is_result,
    kind,
    pixels,
    plane_order,
    scales,
)
from .background import check_background, known_background
from .blank import looked_at
from .blending import Blend, Made, Turned, shown, turned
from .found import COPIED_LEVELS

if TYPE_CHECKING:
    from ...model.inference.options import EnhanceOptions
    from ...model.progress import Progress


class Subject(NamedTuple):
    """Layers that are enhanced in one run, the chosen one first.

    Attributes
    ----------
    layers : tuple of Image
    order : tuple of int
        Of the axes of each layer, rows and columns last; the axis of channels counts in it.
    options : EnhanceOptions
        For all of the layers.
    alike : bool
        The layers have levels and curve in common, not an illumination.
    background : str
        How that of the only layer is taken out, ``subtract`` or ``divide``; empty where it stays.
    """

    layers: tuple[Image, ...]
    order: tuple[int, ...]
    options: EnhanceOptions
    alike: bool = False
    background: str = ""

    @property
    def straight(self) -> bool:
        """Rows and columns are the last axes already."""
        return self.order == tuple(range(len(self.order)))

    def arrays(self) -> list[Any]:
        """The data of each layer, rows and columns last; of a multiscale layer, a list."""
        data = [scales(layer) if layer.multiscale else layer.data for layer in self.layers]
        return data if self.straight else [turned(each, self.order) for each in data]


def find_subject(
    layer: Image,
    options: EnhanceOptions,
    *,
    selected: Sequence[Any],
    together: bool,
    locked: bool,
    background: str = "",
) -> Subject:
    """What is enhanced with a layer.

    Parameters
    ----------
    layer : Image
    options : EnhanceOptions
        Its levels are those of `layer`; other layers have the ones that were copied to them.
    selected : sequence of Layer
        Those that count as selected, see `Results.selected`.
    together : bool
        The selected image layers share an illumination, unless the look gives all one curve.
    locked : bool
        All layers have the levels of `options`.
    background : str
        As in `Subject`.

    Raises
    ------
    ValueError
        If the layer is a result, the layers cannot share an illumination, or the background
        cannot be found; the message says what to do.
    """
    if kind(layer) == REFLECTANCE:  # its record would say that R is what was measured
        raise ValueError("A result is not enhanced again: choose its input, or restore it first.")
    one_curve = options.look == PUBLICATION
    axis = None if one_curve or options.channels == "per" else channel_axis(layer)
    options = replace(options, channel_axis=axis, rgb=bool(layer.rgb))
    order = plane_order(layer)
    others = _others(selected, layer)
    figure = others if one_curve and layer in selected else []
    together = together and not one_curve
    if background:
        check_background(layer, alone=not together and not figure)
        return Subject((layer,), order, options, background=background)
    if one_curve:
        _check_alike(layer, figure, order)
        return Subject((layer, *figure), order, options, alike=True)
    if not together:
        return Subject((layer,), order, options)
    _check_scene(layer, others, order)
    own = options.black, options.white
    levels = [own, *(own if locked else _copied_levels(other) for other in others)]
    black, white = zip(*levels, strict=True)
    return Subject((layer, *others), order, replace(options, black=black, white=white))


def subject_steps(
    subject: Subject, blend: Blend, illumination: bool
) -> Generator[Progress, None, list[Made]]:
    """Estimate the layers of a subject and blend them for the first time, as a job."""
    # What the layers are now: the job may outlive them.
    names = [layer.name for layer in subject.layers]
    return _steps(subject, subject.arrays(), names, blend, illumination)


def _others(selected: Sequence[Any], layer: Image) -> list[Image]:
    """The other image layers that are selected, without results."""
    return [
        other
        for other in selected
        if isinstance(other, Image) and other is not layer and not is_result(other)
    ]


def _check_scene(layer: Image, others: list[Image], order: tuple[int, ...]) -> None:
    """Refuse layers that cannot be divided by one illumination."""
    if not others:
        raise ValueError(
            "Select the image layers that share one illumination in the layer list, with Shift or "
            "Ctrl."
        )
    for other in (layer, *others):
        if other.rgb:
            raise ValueError(f"“{other.name}” is in colour: only grey layers can be channels.")
        alike = pixels(other).shape == pixels(layer).shape and plane_order(other) == order
        if not alike or other.multiscale != layer.multiscale:
            raise ValueError(
                f"“{other.name}” and “{layer.name}” differ in shape: select channels of one scene."
            )


def _check_alike(layer: Image, others: list[Image], order: tuple[int, ...]) -> None:
    """Refuse layers that cannot have levels and curve in common."""
    straight = order == tuple(range(len(order)))
    for other in others:
        kinds = {(bool(each.rgb), str(pixels(each).dtype)) for each in (layer, other)}
        turned_alike = plane_order(other) in (order, tuple(range(other.ndim)))
        if len(kinds) > 1 or not turned_alike or (len(order) != other.ndim and not straight):
            raise ValueError(
                f"“{other.name}” and “{layer.name}” differ in kind, and the look publication uses "
                "one curve for all selected layers: select others, or this one alone."
            )


def _steps(
    subject: Subject, arrays: list[Any], names: list[str], blend: Blend, illumination: bool
) -> Generator[Progress, None, list[Made]]:
    from ...model.inference.alike import alike_steps
    from ...model.inference.enhance import scene_steps
    from ...model.inference.flattening import flat_steps
    from ...model.progress import Progress

    yield Progress(0, 1)
    finest = [array[0] if isinstance(array, list) else array for array in arrays]
    _held = looked_at(names, finest, subject.options)
    yield Progress(0, 1)  # pixels may have come from afar: a run may have been cancelled meanwhile
    estimates: list[Any]
    if subject.background:
        found = known_background(subject.layers[0]).background
        steps = flat_steps(arrays[0], subject.background, found, subject.options)
        estimates = [(yield from steps)]
    else:
        several = alike_steps if subject.alike else scene_steps
        estimates = yield from several(arrays, subject.options)
    if not subject.straight:
        estimates = [Turned(estimate, subject.order) for estimate in estimates]
    return [shown(estimate, blend, illumination) for estimate in estimates]


def _copied_levels(layer: Image) -> tuple[float | None, float | None]:
    kept = layer.metadata.get(COPIED_LEVELS, {})
    return kept.get("black"), kept.get("white")
