"""What one run enhances: a layer, one with an axis of channels, or layers of one scene."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import replace
from typing import TYPE_CHECKING, Any, NamedTuple

from napari.layers import Image

from ..shared.layers import channel_axis, is_result, pixels, plane_order, scales
from .blank import refuse_blank
from .blending import Blend, Made, Turned, shown, turned
from .found import KEPT

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
    """

    layers: tuple[Image, ...]
    order: tuple[int, ...]
    options: EnhanceOptions

    @property
    def straight(self) -> bool:
        """Rows and columns are the last axes already."""
        return self.order == tuple(range(len(self.order)))

    def arrays(self) -> list[Any]:
        """The data of each layer, rows and columns last; of a multiscale layer, a list."""
        data = [scales(layer) if layer.multiscale else layer.data for layer in self.layers]
        return data if self.straight else [turned(each, self.order) for each in data]


def find_subject(
    viewer: Any, layer: Image, options: EnhanceOptions, *, together: bool, locked: bool
) -> Subject:
    """What is enhanced with a layer.

    Parameters
    ----------
    viewer : napari.components.ViewerModel
    layer : Image
    options : EnhanceOptions
        Its levels are those of `layer`; other layers have the ones that were copied to them.
    together : bool
        The selected image layers share an illumination.
    locked : bool
        All layers have the levels of `options`.

    Raises
    ------
    ValueError
        If the layers cannot share one; the message says what to do.
    """
    axis = None if options.channels == "per" else channel_axis(layer)
    options = replace(options, channel_axis=axis, rgb=bool(layer.rgb))
    order = plane_order(layer)
    if not together:
        return Subject((layer,), order, options)
    others = [
        other
        for other in viewer.layers
        if other in viewer.layers.selection
        and isinstance(other, Image)
        and other is not layer
        and not is_result(other)
    ]
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
    own = options.black, options.white
    levels = [own, *(own if locked else _kept(other) for other in others)]
    black, white = zip(*levels, strict=True)
    return Subject((layer, *others), order, replace(options, black=black, white=white))


def subject_steps(
    subject: Subject, blend: Blend, illumination: bool
) -> Generator[Progress, None, list[Made]]:
    """Estimate the layers of a subject and blend them for the first time, as a job."""
    # What the layers are now: the job may outlive them.
    names = [layer.name for layer in subject.layers]
    return _steps(subject, subject.arrays(), names, blend, illumination)


def _steps(
    subject: Subject, arrays: list[Any], names: list[str], blend: Blend, illumination: bool
) -> Generator[Progress, None, list[Made]]:
    from ...model.inference.enhance import scene_steps
    from ...model.progress import Progress

    yield Progress(0, 1)
    for name, array in zip(names, arrays, strict=True):
        refuse_blank(name, array[0] if isinstance(array, list) else array, subject.options)
    estimates = yield from scene_steps(arrays, subject.options)
    if not subject.straight:
        estimates = [Turned(estimate, subject.order) for estimate in estimates]
    return [shown(estimate, blend, illumination) for estimate in estimates]


def _kept(layer: Image) -> tuple[float | None, float | None]:
    kept = layer.metadata.get(KEPT, {})
    return kept.get("black"), kept.get("white")
