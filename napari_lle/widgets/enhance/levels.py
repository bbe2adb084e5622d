"""Levels in the Enhance widget: found, dragged, from a dark layer or a region, and passed on."""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import numpy as np
from napari.layers import Image
from superqt.utils import QSignalDebouncer

from ...model.preprocessing.normalizing import level_text
from ...model.preprocessing.sky import NEAR_SKY
from ..shared.jobs import Job
from ..shared.layers import is_result
from .dark import dark_steps
from .found import COPIED_LEVELS, Found, found_steps
from .subject import Subject, find_subject

if TYPE_CHECKING:
    from .form import Form

LEVEL_DIGITS = 9  # of a level that is fixed
LEVELS_DELAY = 150  # ms without a change before an image is looked at again


class LevelTools:
    """The histogram and the fields about levels, and what they do to the form and the layers.

    Parameters
    ----------
    viewer : napari.components.ViewerModel
    form : Form
    selected : callable
        Returns the layers that count as selected in a run on one.
    say : callable
        Takes a sentence for the user.
    tell : callable
        Called when the levels in force, or what is known of the image, have changed.

    Attributes
    ----------
    found : Found or None
        Of the chosen image, as soon as it is known.
    """

    def __init__(
        self,
        viewer: Any,
        form: Form,
        selected: Callable[[Image], Sequence[Any]],
        say: Callable[[str], Any],
        tell: Callable[[], Any],
    ) -> None:
        self.viewer = viewer
        self.form = form
        self._selected = selected
        self._say = say
        self._tell = tell
        self._of_layer = False
        self._followed: Image | None = None
        self._asked: Subject | None = None
        self.found: Found | None = None
        self.job: Job | None = None  # of a button
        self.look: Job | None = None  # at the chosen image
        self._later = QSignalDebouncer()
        self._later.setTimeout(LEVELS_DELAY)
        self._later.triggered.connect(self._find)
        form.levels.take.changed.connect(self.take_black)
        form.levels.lock.changed.connect(self._on_lock)
        form.levels.pass_on.changed.connect(self.pass_on)
        form.image.changed.connect(self.show_kept)
        for control in form.inputs():
            control.changed.connect(self.refresh)
        viewer.layers.selection.events.changed.connect(self.refresh)
        form.levels.histogram.dragged.connect(self._on_dragged)
        form.levels.histogram.reset.connect(self._reset)

    def release(self) -> None:
        """Let go of the layer and of measurements under way."""
        with suppress(ValueError):
            self.viewer.layers.selection.events.changed.disconnect(self.refresh)
        self._follow(None)
        self._later.cancel()
        for job in (self.job, self.look):
            if job is not None:
                job.abandon()

    def take_black(self) -> None:
        """Measure the median of the dark layer, or of the image within the shapes, into black."""
        image, source = self.form.image.value, self.form.levels.reference.value
        if image is None or source is None:
            self._say("First open a dark frame, or draw a shape where the image is dark.")
            return
        try:
            steps = dark_steps(image, source)
        except ValueError as error:
            self._say(str(error))
            return

        def done(black: float) -> None:
            self.form.levels.black.value = f"{black:.6g}"
            self._say(f"Black is {black:.6g}, the median of “{source.name}”.")

        self._measure(steps, done)

    def refresh(self, *_: Any) -> None:
        """Show the levels in force, and find anew what no longer holds."""
        image = self.form.image.value
        if image is not self._followed:
            self._follow(image)
            self._forget()
            self._find()
        else:
            self._later.throttle()
        self._draw()

    def renew(self, *_: Any) -> None:
        """Look again at values that have changed, or at what turned out to be something else."""
        self._forget()
        self._find()
        self._draw()

    def let_go(self, layer: Any) -> None:
        """Follow a layer no more that is gone, whatever is chosen after it."""
        if layer is self._followed:
            self._follow(None)
        if self._asked is not None and layer in self._asked.layers:
            self._asked = None

    def _find(self) -> None:
        """Find the automatic levels of the chosen layer, unless they are known."""
        image = self.form.image.value
        subject = None if image is None else self._subject(image)
        if subject is None or subject == self._asked:
            return
        self._asked = subject
        if self.look is not None:
            self.look.abandon()

        def done(found: Found) -> None:
            self.found = found
            self.form.levels.show(found.levels.black, found.levels.white)
            self._draw()

        self.look = Job(
            found_steps(subject), on_done=done, on_error=lambda error: self._say(str(error))
        )

    def _subject(self, image: Image) -> Subject | None:
        """The image with what is asked for, but for levels that were typed."""
        try:
            options = self.form.options(typed=False)
            return find_subject(
                image,
                options,
                selected=self._selected(image),
                together=False,
                locked=False,
                background=self.form.levels.background.value,
            )
        except ValueError:  # half a number is being typed
            return None

    def _forget(self, *_: Any) -> None:
        self.found = self._asked = None
        if self.look is not None:
            self.look.abandon()
        self.form.levels.forget()

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

        def done(black: Any, white: Any) -> None:
            for layer in chosen:
                layer.metadata[COPIED_LEVELS] = {"black": black, "white": white}
            names = ", ".join(sorted(layer.name for layer in chosen))
            self._say(f"Black {level_text(black)} and white {level_text(white)} copied to {names}.")

        self._with_levels(image, done)

    def show_kept(self, *_: Any) -> None:
        """Show the levels that the chosen layer keeps, unless they are locked."""
        image = self.form.image.value
        if image is None or self.form.levels.lock.value:
            return
        kept = image.metadata.get(COPIED_LEVELS)
        if kept:
            self._fix(kept["black"], kept["white"])
        elif self._of_layer:
            self.form.levels.black.value = self.form.levels.white.value = ""
        self._of_layer = bool(kept)

    def in_force(self) -> tuple[float, float] | None:
        """Black and white: typed, or found; none while they are not known or make no sense.

        Of channels, the lowest black and the highest white.
        """
        try:
            typed = self.form.levels.typed()
        except ValueError:  # half a number is being typed
            return None
        both = self._completed(typed)
        if both is None:
            return None
        black, white = float(np.min(both[0])), float(np.max(both[1]))
        return (black, white) if black < white else None

    def told(self) -> tuple[Any, Any, float] | None:
        """Black, white and the share of values below black, as far as they are known."""
        if self.found is None or self.in_force() is None:
            return None
        black = self.form.levels.typed()[0]
        typed = None if black is None or black == NEAR_SKY else float(np.min(black))
        both = self._completed(self.form.levels.typed())
        return None if both is None else (*both, self.found.share_below(typed))

    def _completed(self, typed: tuple[Any, Any]) -> tuple[Any, Any] | None:
        """What was typed, with what was found in empty fields; none where that is not known."""
        wanting = [each is None or each == NEAR_SKY for each in typed]
        if self.found is None:
            return None if any(wanting) else typed
        found = self.found.levels.black, self.found.levels.white
        black, white = (f if w else t for f, t, w in zip(found, typed, wanting, strict=True))
        return black, white

    def _draw(self, *_: Any) -> None:
        """The histogram with the levels in force."""
        levels = self.in_force()
        if self.found is None:
            self.form.levels.histogram.clear()
        elif levels is not None:
            self.form.levels.histogram.show_values(self.found.values, *levels)
        self._tell()

    def _on_dragged(self, level: str, value: float) -> None:
        getattr(self.form.levels, level).value = f"{value:.6g}"

    def _reset(self) -> None:
        self.form.levels.black.value = self.form.levels.white.value = ""

    def _follow(self, layer: Image | None) -> None:
        """Look again when the values of the chosen image change."""
        if self._followed is layer:
            return
        if self._followed is not None:
            with suppress(ValueError):
                self._followed.events.data.disconnect(self.renew)
        if layer is not None:
            layer.events.data.connect(self.renew)
        self._followed = layer

    def _on_lock(self, locked: bool) -> None:
        image = self.form.image.value
        if locked and image is not None:
            self._with_levels(image, self._fix)
        elif not locked:
            self._of_layer = True  # the next layer brings its own
            self.show_kept()

    def _with_levels(self, image: Image, use: Callable[[Any, Any], Any]) -> None:
        """Hand over what the form says, with what is found of the image in empty fields."""
        try:
            typed = self.form.levels.typed()
        except ValueError as error:
            self._say(str(error))
            return
        known, subject = self._completed(typed), self._subject(image)
        if known is not None:
            use(*known)
        elif subject is not None:

            def done(found: Found) -> None:
                self.found = found
                use(*(self._completed(typed) or ()))

            self._measure(found_steps(subject), done)

    def _fix(self, black: Any, white: Any) -> None:
        for edit, level in ((self.form.levels.black, black), (self.form.levels.white, white)):
            edit.value = level_text(level, LEVEL_DIGITS)

    def _measure(self, steps: Generator[Any, None, Any], done: Callable[[Any], Any]) -> None:
        if self.job is not None:
            self.job.abandon()
        self.job = Job(steps, on_done=done, on_error=lambda error: self._say(str(error)))
