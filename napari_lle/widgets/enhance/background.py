"""The smooth background of an image: found once, shown as a layer, taken out before a run."""

from __future__ import annotations

from collections.abc import Callable, Generator
from typing import TYPE_CHECKING, Any, NamedTuple
from weakref import WeakKeyDictionary, ref

import numpy as np
from napari.layers import Image

from ..shared.jobs import Job
from ..shared.layers import METADATA_KEY, OVER, pixels, plane_order, spatial
from .blending import turned

if TYPE_CHECKING:
    from ...model.inference.options import EnhanceOptions
    from ...model.inference.survey import Survey
    from ...model.preprocessing.background import Background
    from .form import Form

HOWS = [("kept", ""), ("subtracted", "subtract"), ("divided", "divide")]
IN_MEMORY = (
    "“{}” is not held in memory as one array, so no background is found: set background to kept."
)
ONE_LAYER = (
    "A background is removed from one layer at a time: select “{}” alone, or set background to "
    "kept."
)


class Flat(NamedTuple):
    """What was made of a layer's values: they are `of`, a weak reference."""

    of: Any
    background: Background
    how: str = ""
    image: Any = None  # without the background


_KNOWN: WeakKeyDictionary[Image, Flat] = WeakKeyDictionary()


def check_background(layer: Image, *, alone: bool = True) -> None:
    """Raise ValueError with a sentence for the user where none can be found, or taken out."""
    if not alone:
        raise ValueError(ONE_LAYER.format(layer.name))
    if not isinstance(layer.data, np.ndarray):
        raise ValueError(IN_MEMORY.format(layer.name))


def straight(layer: Image) -> Any:
    """The values of a layer, rows and columns last but for colours."""
    return pixels(layer) if layer.rgb else turned(pixels(layer), plane_order(layer))


def known_background(layer: Image) -> Flat:
    """The background of a layer, rows and columns last; known until its values change."""
    from ...model.preprocessing.background import find_background

    data, known = pixels(layer), _KNOWN.get(layer)
    if known is None or known.of() is not data:
        known = Flat(ref(data), find_background(straight(layer), rgb=bool(layer.rgb)))
        _KNOWN[layer] = known
    return known


def without_background(layer: Image, how: str) -> Any:
    """The values of a layer without its background, rows and columns last."""
    known = known_background(layer)
    if known.how != how:
        flat = known.background.flatten(straight(layer), how)
        known = _KNOWN[layer] = known._replace(how=how, image=flat)
    return known.image


def surveyed(
    layer: Image, how: str, options: EnhanceOptions, known: Survey | None = None
) -> tuple[Any, EnhanceOptions, Survey]:
    """A layer without its background, options that are those of the layer, and what is found."""
    from ...model.inference.matching import survey_for
    from ...model.inference.settling import settle

    data, flat = pixels(layer), without_background(layer, how)
    options = settle([straight(layer)], options)
    return flat, options, known or survey_for(flat, np.dtype(data.dtype), options)


class BackgroundTool:
    """The button that shows the background of the chosen image as a layer.

    Parameters
    ----------
    viewer : napari.components.ViewerModel
    form : Form
    say, fail : callable
        Take a sentence for the user, and an error that is one.
    """

    def __init__(
        self,
        viewer: Any,
        form: Form,
        say: Callable[[str], Any],
        fail: Callable[[Exception], Any],
    ) -> None:
        self._viewer, self._form, self._say, self._fail = viewer, form, say, fail
        self.job: Job | None = None
        form.levels.show_background.changed.connect(self.show)

    def release(self) -> None:
        """Let go of a search under way."""
        if self.job is not None:
            self.job.abandon()

    def show(self) -> None:
        """Find the background of the chosen image and add it as a layer."""
        layer = self._form.image.value
        if layer is None:
            self._say("Open or choose an image layer first.")
            return
        try:
            check_background(layer)
        except ValueError as error:
            self._fail(error)
            return
        self.release()
        self._say(f"Finding the background of {layer.name}…")
        self.job = Job(
            layer_steps(layer), on_done=lambda made: self._add(layer, made), on_error=self._fail
        )

    def _add(self, source: Image, layer: Image) -> None:
        if source not in self._viewer.layers:
            self._say(f"“{source.name}” was deleted meanwhile.")
            return
        self._viewer.add_layer(layer)
        low, high = layer.contrast_limits_range
        self._say(f"Added “{layer.name}”: it goes from {low:.4g} to {high:.4g}.")


def layer_steps(layer: Image) -> Generator[Any, None, Image]:
    """The background of a layer over it, grey, in its units, as a job."""
    yield 0, 1, ""
    background, order = known_background(layer).background, plane_order(layer)
    surface = background.surface().astype(np.float32)
    surface = surface.mean(axis=-1) if layer.rgb else turned(surface, tuple(np.argsort(order)))
    low, high = float(surface.min()), float(surface.max())
    return Image(
        surface,
        **spatial(layer),
        name=f"{layer.name} background",
        blending=OVER,
        contrast_limits=(low, high if high > low else low + 1),
        metadata={
            METADATA_KEY: {"kind": "background", "layer": layer.name, **background.as_record()}
        },
    )
