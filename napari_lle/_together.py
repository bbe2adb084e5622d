"""What one run enhances: a layer, one with an axis of channels, or layers of one scene."""

from __future__ import annotations

from collections.abc import Generator
from typing import TYPE_CHECKING, Any, NamedTuple

from napari.layers import Image

from ._layers import channel_axis, is_result, pixels, scales
from ._levels import KEPT
from ._live import Made, Options, Scales, as_dasks, enhance_steps, shown

if TYPE_CHECKING:
    from .model.inference import Progress

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
    """

    layers: tuple[Image, ...]
    axis: int | None
    levels: tuple[Pair, ...]

    @property
    def single(self) -> bool:
        """Nothing is shared: each plane has an illumination of its own."""
        return len(self.layers) == 1 and self.axis is None

    def arrays(self) -> list[Any]:
        """The data of each layer; of a multiscale layer, a list."""
        return [scales(layer) if layer.multiscale else layer.data for layer in self.layers]


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
    if not together:
        return Subject((layer,), axis, (own,))
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
            raise ValueError(f"“{other.name}” holds colours: only grey layers can be channels.")
        if pixels(other).shape != pixels(layer).shape or other.multiscale != layer.multiscale:
            raise ValueError(
                f"“{other.name}” and “{layer.name}” differ in shape: select channels of one scene."
            )
    levels = [own if locked else _kept(other) for other in others]
    return Subject((layer, *others), axis, (own, *levels))


def subject_steps(
    arrays: list[Any],
    rgb: bool,
    axis: int | None,
    levels: tuple[Pair, ...],
    options: Options,
    strength: float,
    illumination: bool,
) -> Generator[Progress, None, list[Made]]:
    """Estimate the arrays of a `Subject` and blend them for the first time, as a job."""
    if len(arrays) == 1 and axis is None:
        made = yield from enhance_steps(arrays[0], rgb, options, strength, illumination)
        return [made]
    from .model.jointly import joint_steps, survey_together
    from .model.lazy import is_lazy

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
    estimates = [Scales(list(of)) if many else of[0] for of in zip(*found, strict=True)]
    return [shown(estimate, strength, illumination) for estimate in estimates]


def _kept(layer: Image) -> Pair:
    kept = layer.metadata.get(KEPT, {})
    return kept.get("black"), kept.get("white")
