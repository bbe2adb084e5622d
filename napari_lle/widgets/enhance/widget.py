"""The Enhance widget: a dark image layer in, a clear one out, and its strength in the hand."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import Any

from napari.layers import Image
from napari.utils.notifications import show_error, show_info
from qtpy.QtWidgets import QApplication
from superqt.utils import QSignalThrottler

from ...model.inference.options import EnhanceOptions
from ...model.kernels import warm_up_in_background
from ...model.preprocessing.normalizing import level_words
from ..shared.image_choice import ImageChoice, images
from ..shared.jobs import Job
from ..shared.layers import KEY, is_result
from ..shared.painting import PaintSoon
from ..shared.panel import Panel
from .blending import Live, Made
from .covers import Covers
from .form import REPLACE, Form
from .levels import LevelTools, references
from .preview import Preview, Wish
from .report import ReportWindow, gain_layer, report_steps
from .results import Origin, Results
from .saving import PictureSaver
from .subject import Subject, find_subject, subject_steps
from .trust import CHANGED, UNCERTAINTY, trust_layer, trust_steps

FRAME = 40  # ms between two blends while the slider moves


class EnhanceWidget(Panel):
    """Enhance image layers of a viewer.

    Parameters
    ----------
    napari_viewer : napari.components.ViewerModel
    """

    def __init__(self, napari_viewer: Any) -> None:
        self.viewer = napari_viewer
        self.form = Form(lambda _: images(napari_viewer), lambda _: references(napari_viewer))
        super().__init__(self.form.rows())
        self.levels = LevelTools(napari_viewer, self.form, self._say)
        self.report_window: ReportWindow | None = None
        self.report_job: Job | None = None
        self.trust_job: Job | None = None
        self.job: Job | None = None
        self.covers = Covers(napari_viewer)
        self.results = Results(napari_viewer, self.covers)
        self.preview = Preview(
            napari_viewer, self._wish, self._say, lambda: self._uncheck_preview(), self.covers
        )
        self.saver = PictureSaver(
            napari_viewer, self.form, lambda: self.results.layers, self._say, self._complain
        )
        self._blends = QSignalThrottler()
        self._blends.setTimeout(FRAME)
        self._blends.triggered.connect(self._blend)
        # Results are rarely enhanced again, and what is dark is chosen by hand.
        self._choices = (
            ImageChoice(napari_viewer, self.form.image, lambda layer: not is_result(layer)),
            ImageChoice(napari_viewer, self.form.reference, lambda _: False),
        )
        self._painting = PaintSoon(napari_viewer, self.native)
        self._connect()
        self.form.progress.hide()
        warm_up_in_background()

    def enhance(self) -> None:
        """Start a run on the chosen layer."""
        layer = self.form.image.value
        if layer is None:
            self._say("Open or choose an image layer first.")
            return
        try:
            subject = self._subject(layer)
        except ValueError as error:
            self._say(str(error))
            show_error(str(error))
            return
        strength = self.form.strength.value
        light = self.form.illumination.value
        origins = [Origin.of(each) for each in subject.layers]
        name = " and ".join(each.name for each in subject.layers)
        self._busy(True)
        self._say(f"Enhancing {name}…")
        self.job = Job(
            subject_steps(subject, strength, light),
            on_progress=self._progress,
            on_done=lambda made: self._add(origins, str(subject.options.model), strength, made),
            on_error=self._fail,
            on_cancelled=lambda: self._end("Cancelled: nothing was added."),
            label=f"Enhancing {name}",
        )

    def cancel(self) -> None:
        """Stop the run under way."""
        if self.job is not None and self.job.running:
            self._say("Cancelling…")
            self.job.cancel()

    def release(self, *_: Any) -> None:
        """Let go of the viewer and of everything under way; the widget is of no use after it."""
        for each in (self.job, self.report_job, self.trust_job):
            if each is not None:
                each.abandon()
        self._painting.release()
        self.levels.release()
        if self.report_window is not None:
            self.report_window.close()
        self.results.close()
        self.saver.release()
        self.preview.stop()
        self.covers.release()
        self._blends.cancel()
        for choice in self._choices:
            choice.release()
        with suppress(ValueError):
            self.viewer.layers.events.removed.disconnect(self._on_removed)
            self.viewer.layers.selection.events.changed.disconnect(self.preview.refresh)

    def report(self) -> None:
        """Tell what the latest result did to the intensities, and add its gain as a layer."""
        live = self.live
        if live is None:
            return
        strength = live.layer.metadata[KEY]["strength"]

        def done(made: tuple[Any, Any]) -> None:
            report, gain = made
            self.viewer.add_layer(gain_layer(live.layer, live.estimate, gain))
            self.report_window = ReportWindow(live.layer.name, report, self.native)
            self.report_window.show()
            self._say(" ".join(report.sentences()))

        self.report_job = Job(
            report_steps(live.estimate, strength), on_done=done, on_error=self._fail
        )

    def trust(self, which: str) -> None:
        """Add a layer of what changed in the latest result, or of how uncertain it is."""
        live = self.live
        if live is None:
            return
        strength = live.layer.metadata[KEY]["strength"]
        self.trust_job = Job(
            trust_steps(live.estimate, strength, which),
            on_done=lambda made: self.viewer.add_layer(
                trust_layer(live.layer, live.estimate, which, *made)
            ),
            on_error=self._fail,
        )

    def copy(self, write: Callable[[EnhanceOptions, dict[str, Any]], str]) -> None:
        """Put the latest run on the clipboard, as code or as a command."""
        try:
            record = self.results.record
            QApplication.clipboard().setText(write(EnhanceOptions.from_record(record), record))
        except ValueError as error:
            self._say(str(error))
            return
        show_info("Copied.")

    @property
    def live(self) -> Live | None:
        """The latest result of the chosen layer, which follows the strength."""
        return self.results.latest

    def _subject(self, layer: Image) -> Subject:
        """What is enhanced with a layer; raises ValueError with a sentence for the user."""
        form = self.form
        return find_subject(
            self.viewer,
            layer,
            form.options(),
            together=form.together.value,
            locked=form.lock.value,
        )

    def _connect(self) -> None:
        form = self.form
        self.viewer.layers.events.removed.connect(self._on_removed)
        self.viewer.layers.selection.events.changed.connect(self.preview.refresh)
        form.run.changed.connect(self.enhance)
        form.report.changed.connect(self.report)
        form.changed.changed.connect(lambda: self.trust(CHANGED))
        form.uncertain.changed.connect(lambda: self.trust(UNCERTAINTY))
        form.cancel.changed.connect(self.cancel)
        form.strength.changed.connect(self._blends.throttle)
        form.preview.changed.connect(self._toggle_preview)
        form.python.changed.connect(lambda: self.copy(as_python))
        form.command.changed.connect(lambda: self.copy(as_command))
        for control in form.inputs():
            control.changed.connect(self.preview.refresh)
        self.native_parent_changed.connect(self._on_parent)
        self.native.destroyed.connect(self.release)

    def _on_parent(self, parent: Any) -> None:
        """Stop everything when the dock is closed; napari may keep the widget itself."""
        if parent is None:
            self.form.preview.value = False
            self.cancel()

    def _on_removed(self, event: Any) -> None:
        self.results.forget(event.value)
        if not self.job or not self.job.running:
            self._offer_copies()

    def _add(self, origins: list[Origin], model: str, strength: float, made: list[Made]) -> None:
        replace = self.form.again.value == REPLACE
        self.results.add(origins, made, model, strength, replace)
        self.form.preview.value = False  # the whole is there to be seen
        levels = made[0].estimate.levels
        self.form.show_levels(levels.black, levels.white)
        names = ", ".join(f"“{origin.look['name']}”" for origin in origins)
        self._end(f"Added {names} ({level_words(levels)}).")
        if self.form.strength.value != strength:  # moved during the run
            self._blend()

    def _blend(self) -> None:
        strength = self.form.strength.value
        self.results.blend(strength)
        self.preview.blend(strength)

    def _wish(self) -> Wish | None:
        layer = self.form.image.value
        if layer is None:
            return None
        return Wish(self._subject(layer), self.form.strength.value)

    def _toggle_preview(self, on: bool) -> None:
        if on:
            self.preview.start()
        else:
            self.preview.stop()

    def _uncheck_preview(self) -> None:
        self.form.preview.value = False

    def _progress(self, step: Any) -> None:
        self.form.progress.max = step.total
        self.form.progress.value = step.done
        if step.note:
            self._say(step.note)

    def _fail(self, error: Exception) -> None:
        self._end("")
        self._complain(error)

    def _complain(self, error: Exception) -> None:
        message = " ".join(str(error).split()) or type(error).__name__
        self._say(message)
        show_error(message)

    def _end(self, message: str) -> None:
        self._busy(False)
        self._say(message)
        self._offer_copies()

    def _busy(self, busy: bool) -> None:
        form = self.form
        form.run.enabled, form.cancel.enabled = not busy, busy
        form.progress.max, form.progress.value = 1, 0
        form.progress.visible = busy

    def _offer_copies(self) -> None:
        form = self.form
        of_a_result = (form.picture, form.report, form.changed, form.uncertain)
        for button in (form.python, form.command, *of_a_result):
            button.enabled = self.live is not None

    def _say(self, message: str) -> None:
        label = self.form.status.native
        self.form.status.value = message
        label.setMinimumHeight(max(label.heightForWidth(label.width()), 0))  # else Qt cuts lines


def as_python(options: EnhanceOptions, record: dict[str, Any]) -> str:
    """Code that repeats a run."""
    return options.as_python(record["strength"])


def as_command(options: EnhanceOptions, record: dict[str, Any]) -> str:
    """The command that repeats a run on the file that the layer came from."""
    return options.as_command(record["strength"], record.get("source") or "INPUT.tif")
