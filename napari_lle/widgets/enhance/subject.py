"""What one run enhances: a layer, one with an axis of channels, or layers of one scene."""

from __future__ import annotations

from collections.abc import Generator
from typing import TYPE_CHECKING, Any, NamedTuple

from napari.layers import Image

from ..shared.layers import channel_axis, is_result, pixels, plane_order, scales
from .blending import Made, Options, Scales, Turned, as_dasks, layer_steps, shown, turned
from .levels import KEPT

if TYPE_CHECKING:
    from ...model.inference.enhance import Progress

Pair = tuple[float | None, float | None]


class Subject(NamedTuple):
    """Layers that are enhanced in one run, the chosen one first.

    Attributes
    ----------
    layers : tuple of Image
    axis : int or None
        Of channels that share an illumination, in each of the layers.
    levels : tuple of (black, white)
        For each of the layers; None where they are to be found.
    order : tuple of int
        Of the axes of each layer, rows and columns last; `axis` counts in it.
    """

    layers: tuple[Image, ...]
    axis: int | None
    levels: tuple[Pair, ...]
    order: tuple[int, ...]

    @property
    def straight(self) -> bool:
        """Rows and columns are the last axes already."""
        return self.order == tuple(range(len(self.order)))

    @property
    def single(self) -> bool:
        """Nothing is shared: each plane has an illumination of its own."""
        return len(self.layers) == 1 and self.axis is None

    def arrays(self) -> list[Any]:
        """The data of each layer, rows and columns last; of a multiscale layer, a list."""
        data = [scales(layer) if layer.multiscale else layer.data for layer in self.layers]
        return data if self.straight else [turned(each, self.order) for each in data]


def find_subject(
    viewer: Any, layer: Image, options: Options, *, together: bool, locked: bool
) -> Subject:
    """What is enhanced with a layer.

    Parameters
    ----------
    viewer : napari.components.ViewerModel
    layer : Image
    options : Options
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
    own = (options.black, options.white)
    axis = None if options.channels == "per" else channel_axis(layer)
    order = plane_order(layer)
    if not together:
        return Subject((layer,), axis, (own,), order)
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
    levels = [own if locked else _kept(other) for other in others]
    return Subject((layer, *others), axis, (own, *levels), order)


def subject_steps(
    subject: Subject, options: Options, strength: float, illumination: bool
) -> Generator[Progress, None, list[Made]]:
    """Estimate the layers of a subject and blend them for the first time, as a job."""
    # What the layers are now: the job may outlive them.
    work = _steps(subject, subject.arrays(), options)
    return _shown_steps(work, subject, strength, illumination)


def _shown_steps(
    work: Generator[Progress, None, list[Any]],
    subject: Subject,
    strength: float,
    illumination: bool,
) -> Generator[Progress, None, list[Made]]:
    estimates = yield from work
    if not subject.straight:
        estimates = [Turned(estimate, subject.order) for estimate in estimates]
    return [shown(estimate, strength, illumination) for estimate in estimates]


def _steps(
    subject: Subject, arrays: list[Any], options: Options
) -> Generator[Progress, None, list[Any]]:
    axis, levels = subject.axis, subject.levels
    if subject.single:
        estimate = yield from layer_steps(arrays[0], bool(subject.layers[0].rgb), options)
        return [estimate]
    from ...model.inference.lazy import is_lazy
    from ...model.inference.shared_illumination import joint_steps, survey_together

    many = isinstance(arrays[0], list)
    each = [array if many else [array] for array in arrays]
    if many or any(is_lazy(part) for parts in each for part in parts):
        each = [as_dasks(parts) for parts in each]
    blacks, whites = zip(*levels, strict=True)
    known = survey_together([parts[0] for parts in each], axis=axis, black=blacks, white=whites)
    found = []
    for parts in zip(*each, strict=True):  # the same scale of each layer
        steps = joint_steps(parts, options.model, axis=axis, known=known, device=options.device)
        found.append((yield from steps))
    return [Scales(list(of)) if many else of[0] for of in zip(*found, strict=True)]


def _kept(layer: Image) -> Pair:
    kept = layer.metadata.get(KEPT, {})
    return kept.get("black"), kept.get("white")
