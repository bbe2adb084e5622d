"""Levels in the Enhance widget: from a dark layer or a drawn region, locked, and passed on."""

from __future__ import annotations

from collections.abc import Callable, Generator
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from napari.layers import Image, Shapes

from ..shared.jobs import Job
from ..shared.layers import is_result, pixels
from ..shared.regions import region_mask
from .histogram import draw_histogram, pixmap

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from .form import Form

SHOWN = 200_000  # values that a histogram counts
KEPT = "napari_lle_levels"  # of a layer's metadata: the levels that were copied to it


def median_steps(data: Any, rgb: bool, roi: Any) -> Generator[Any, None, float]:
    """Median of a layer or of a region of it, as a job."""
    from ...model.preprocessing.sampling import region_values

    yield 0, 1, ""
    return float(np.median(region_values(data, roi, rgb=rgb)))


class Found(NamedTuple):
    """Automatic levels of a layer, and some of its values for a histogram."""

    levels: tuple[float, float]
    values: NDArray[np.float64]


def found_steps(data: Any, rgb: bool) -> Generator[Any, None, Found]:
    """What a run would find of a layer, as a job; of a lazy one, from an excerpt like there."""
    from ...model.inference.lazy import in_memory
    from ...model.preprocessing.levels import find_levels, sample

    yield 0, 1, ""
    part = in_memory(data, rgb)
    levels = find_levels(part, rgb=rgb)
    values = np.ravel(sample(part, rgb=rgb))
    values = values[:: max(1, values.size // SHOWN)].astype(np.float64)
    return Found((levels.black, levels.white), values[np.isfinite(values)])


def references(viewer: Any) -> list[tuple[str, Any]]:
    """Layers that black can be taken from: images, and shapes."""
    return [
        (layer.name, layer)
        for layer in viewer.layers
        if isinstance(layer, Shapes) or (isinstance(layer, Image) and not is_result(layer))
    ]


class LevelTools:
    """The buttons about levels and what they do to the form and the layers.

    Parameters
    ----------
    viewer : napari.components.ViewerModel
    form : Form
    say : callable
        Takes a sentence for the user.
    """

    def __init__(self, viewer: Any, form: Form, say: Callable[[str], Any]) -> None:
        self.viewer = viewer
        self.form = form
        self._say = say
        self._of_layer = False
        self._found: Found | None = None
        self.job: Job | None = None
        form.take.changed.connect(self.take_black)
        form.lock.changed.connect(self._on_lock)
        form.pass_on.changed.connect(self.pass_on)
        form.find.changed.connect(self.look)
        form.image.changed.connect(self._forget)
        form.image.changed.connect(self.show_kept)
        for level in (form.black, form.white):
            level.changed.connect(self._draw)

    def release(self) -> None:
        """Let go of a measurement under way."""
        if self.job is not None:
            self.job.abandon()

    def take_black(self) -> None:
        """Measure the median of the dark layer, or of the image within the shapes, into black."""
        image, source = self.form.image.value, self.form.reference.value
        if image is None or source is None:
            self._say("First open a dark frame, or draw a shape where the image is dark.")
            return
        try:
            roi = region_mask(source, image) if isinstance(source, Shapes) else None
        except ValueError as error:
            self._say(str(error))
            return
        layer = image if isinstance(source, Shapes) else source

        def done(black: float) -> None:
            self.form.black.value = f"{black:.6g}"
            self._say(f"Black is {black:.6g}, the median of “{source.name}”.")

        self._measure(median_steps(pixels(layer), bool(layer.rgb), roi), done)

    def look(self) -> None:
        """Find the automatic levels of the chosen layer and show them in its histogram."""
        image = self.form.image.value
        if image is None:
            self._say("Open or choose an image layer first.")
            return

        def done(found: Found) -> None:
            if image is self.form.image.value:
                self._found = found
                self.form.show_levels(*found.levels)
                self._draw()

        self._measure(found_steps(pixels(image), bool(image.rgb)), done)

    def pass_on(self) -> None:
        """Give the levels in force to the selected layers, which keep them for their own runs."""
        image = self.form.image.value
        chosen = [
            layer
            for layer in self.viewer.layers.selection
            if isinstance(layer, Image) and layer is not image and not is_result(layer)
        ]
        if image is None or not chosen:
            self._say("Select the image layers that should use these levels in the layer list.")
            return

        def done(levels: tuple[float, float]) -> None:
            for layer in chosen:
                layer.metadata[KEPT] = {"black": levels[0], "white": levels[1]}
            names = ", ".join(sorted(layer.name for layer in chosen))
            self._say(f"Black {levels[0]:.6g} and white {levels[1]:.6g} copied to {names}.")

        self._with_levels(image, done)

    def show_kept(self, *_: Any) -> None:
        """Show the levels that the chosen layer keeps, unless they are locked."""
        image = self.form.image.value
        if image is None or self.form.lock.value:
            return
        kept = image.metadata.get(KEPT)
        if kept:
            self._fix(kept["black"], kept["white"])
        elif self._of_layer:
            self.form.black.value = self.form.white.value = ""
        self._of_layer = bool(kept)

    def _forget(self, *_: Any) -> None:
        """Show no histogram of another layer."""
        self._found = None
        self.form.forget_levels()
        self._draw()

    def _draw(self, *_: Any) -> None:
        """The histogram with the levels in force: typed ones, or those found."""
        found, label = self._found, self.form.histogram
        label.visible = found is not None
        if found is None:
            return
        try:
            typed = self.form.levels()
        except ValueError:  # half a number is being typed
            return
        black, white = (f if t is None else t for t, f in zip(typed, found.levels, strict=True))
        if black < white:
            label.native.setPixmap(pixmap(draw_histogram(found.values, black, white)))

    def _on_lock(self, locked: bool) -> None:
        image = self.form.image.value
        if locked and image is not None:
            self._with_levels(image, lambda levels: self._fix(*levels))
        elif not locked:
            self._of_layer = True  # the next layer brings its own
            self.show_kept()

    def _with_levels(self, image: Image, use: Callable[[tuple[float, float]], Any]) -> None:
        """Hand over what the form says, with what is found of the image in empty fields."""
        try:
            typed = self.form.levels()
        except ValueError as error:
            self._say(str(error))
            return
        if typed[0] is not None and typed[1] is not None:
            use((typed[0], typed[1]))
            return

        def done(found: Found) -> None:
            both = zip(typed, found.levels, strict=True)
            black, white = (f if t is None else t for t, f in both)
            use((black, white))

        self._measure(found_steps(pixels(image), bool(image.rgb)), done)

    def _fix(self, black: float, white: float) -> None:
        self.form.black.value, self.form.white.value = f"{black:.9g}", f"{white:.9g}"

    def _measure(self, steps: Generator[Any, None, Any], done: Callable[[Any], Any]) -> None:
        self.release()
        self.job = Job(steps, on_done=done, on_error=lambda error: self._say(str(error)))
