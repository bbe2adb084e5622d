"""The training widget: pairs of layers in, a model of one's own out."""

from __future__ import annotations

from collections.abc import Callable, Generator
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any

from magicgui.widgets import show_file_dialog
from napari.layers import Labels, Shapes
from napari.utils.notifications import show_info
from napari.utils.theme import get_theme
from qtpy.QtCore import QTimer
from qtpy.QtWidgets import QApplication

from ...model.data.project import Draft
from ...model.io.files import FileError
from ...model.io.outputs import check_outputs
from ...model.network.bundled import MODEL_SUFFIX
from ..shared.image_choice import ImageChoice, images
from ..shared.jobs import DRAWN, Job
from ..shared.layers import files_of
from ..shared.own_models import OWN
from ..shared.painting import PaintSoon
from ..shared.removing import RemoveInCanvas
from ..shared.work_panel import WorkPanel
from . import runs as _runs
from .close_guard import Leaving
from .controls import Controls
from .form import TrainForm
from .pair_steps import annotated_steps
from .pairs import Pairs
from .preview import PreviewLayer
from .runner import Comparison, HeldOutPreview, Outcome, Tick, command, start_steps, train_steps
from .score_table import in_words
from .step_bar import TRAIN_STEP, VERDICT_STEP


class TrainWidget(WorkPanel):
    """Train a network on pairs of layers of a viewer.

    Parameters
    ----------
    napari_viewer : napari.components.ViewerModel
    """

    def __init__(self, napari_viewer: Any) -> None:
        self.viewer = napari_viewer
        layers = partial(images, napari_viewer)
        self.form = TrainForm(lambda _: layers(), self._annotations, napari_viewer)
        super().__init__(self.form.rows(), *self.form.below)
        self.body.native.layout().insertWidget(0, self.form.steps)
        self.order_tabs()
        self.plots = self.form.plots
        self.pairs = Pairs(napari_viewer, self.form, self._start, self._say, self._suit)
        self.controls: Controls | None = None
        self.folder: Path | None = None
        self.outcome: Outcome | None = None
        self._preview = PreviewLayer(napari_viewer)
        self._closed = False
        self._suited = "paired"  # as the form begins
        form = self.form
        self._choices = [
            ImageChoice(napari_viewer, widget, lambda _: False)  # pairs are chosen by hand
            for widget in (form.low, form.reference, form.annotation)
        ]
        self._leaving = Leaving(self.native, self.cancel)
        self._painting = PaintSoon(napari_viewer, self.native)
        self._removing = RemoveInCanvas(napari_viewer, self.native)
        self._connect()
        self._recolour()
        self.form.progress.hide()
        self._offer_resume()

    @property
    def training(self) -> bool:
        """Whether a run is under way."""
        return self.controls is not None and self.job is not None and self.job.running

    def train(self) -> None:
        """Train on the pairs of the list."""
        entries, request, controls = list(self.pairs.entries), self.form.request(), Controls()
        folder = _runs.new_folder(entries[0].draft.name if entries else "")
        steps = annotated_steps(entries, lambda ds: start_steps(folder, ds, request, controls))
        self._run(folder, controls, steps)

    def resume(self) -> None:
        """Continue the latest run that has not come to its end."""
        folders = _runs.unfinished()
        if not folders:
            self._offer_resume()
            return
        controls = Controls()
        steps = train_steps(folders[0], controls, self.form.device.value)
        self._run(folders[0], controls, steps)

    def pause(self) -> None:
        """Pause, or continue."""
        if self.training and self.controls is not None:
            self.controls.pause(not self.controls.paused)
            self.form.pause.text = "Continue" if self.controls.paused else "Pause"
            self._say("Pausing after this step…" if self.controls.paused else "Continuing…")

    def stop(self) -> None:
        """End the run and keep the best so far."""
        if self.training and self.controls is not None:
            self.controls.stop()
            self._say("Stopping, keeping the best weights so far…")

    def save(self, path: str) -> None:
        """Write the model and offer it in all lists of models."""
        if self.outcome is None:
            return
        file = Path(path)
        try:
            if file.suffix != MODEL_SUFFIX:
                file = file.with_name(f"{file.name}{MODEL_SUFFIX}")
                if file.exists():  # the dialog has not asked about this one
                    raise FileError(f"{file.name} is there already: choose another name.")
            check_outputs([file], files_of(self.viewer))
            self.outcome.save(file)
        except (OSError, ValueError) as error:
            self._complain(error)
            return
        OWN.add(str(file))
        self._say(f"Saved {file.name}: choose it in Enhance.")

    def release(self, *_: Any) -> None:
        """Let go of the viewer; a run that is under way stops, to be resumed."""
        self._closed = True
        self._leaving.release()
        self._painting.release()
        self._removing.release()
        self.form.verdict.swipe.release()
        self.pairs.release()
        if self.job is not None:
            self.job.abandon()
        for choice in self._choices:
            choice.release()
        with suppress(ValueError):
            self.viewer.events.theme.disconnect(self._recolour)

    def _connect(self) -> None:
        form = self.form
        self.viewer.events.theme.connect(self._recolour)
        form.train.changed.connect(self.train)
        form.pause.changed.connect(self.pause)
        form.stop.changed.connect(self.stop)
        form.resume.changed.connect(self.resume)
        form.verdict.save.changed.connect(self._choose_file)
        form.verdict.command.changed.connect(self._copy)
        self.native_parent_changed.connect(self._on_parent)
        self.native.destroyed.connect(self.release)

    def _on_parent(self, parent: Any) -> None:
        """The dock was closed: the run stops with its state on disk."""
        self._closed = parent is None
        if self._closed and self.training:
            self.cancel()
            show_info("Training was stopped: open the widget again and press Resume to continue.")

    def _annotations(self, _: Any) -> list[tuple[str, Any]]:
        return [(la.name, la) for la in self.viewer.layers if isinstance(la, Labels | Shapes)]

    def _suit(self, draft: Draft) -> None:
        """Choose the objective that suits pairs, or images alone; the start follows by itself."""
        suited = "paired" if draft.reference is not None else "self" if draft.rgb else "noisy"
        if self._suited != suited:  # what was chosen since is the user's
            self._suited = self.form.objective.value = suited

    def _start(
        self,
        steps: Generator[Any, None, Any],
        done: Callable[[Any], Any],
        text: str,
    ) -> None:
        """Run something beside the window, one thing at a time."""
        if self.job is not None and self.job.running:
            self._say("Wait until the current task has finished, or stop it.")
            return
        self._busy(True)
        self._say(f"{text}…")

        def ended(result: Any) -> None:
            self._end("")
            done(result)

        self.job = Job(
            steps,
            on_progress=self._progress,
            on_done=ended,
            on_error=self._fail,
            on_cancelled=lambda: self._end("Stopped: press Resume to continue."),
        )

    def _run(self, folder: Path, controls: Controls, steps: Generator[Any, None, Any]) -> None:
        if self.job is not None and self.job.running:
            self._say("Wait until the current task has finished, or stop it.")
            return
        self.folder, self.controls, self.outcome = folder, controls, None
        verdict = self.form.verdict
        self.plots.clear()
        verdict.show([])
        verdict.swipe.clear()
        verdict.save.enabled = verdict.command.enabled = False
        self.form.steps.setCurrentIndex(TRAIN_STEP)
        self._leaving.watch()
        self._start(steps, self._finish, "Training")

    def _progress(self, step: Any) -> None:
        form = self.form
        form.progress.max, form.progress.value = step.total, step.done
        if not isinstance(step, Tick):
            return
        form.verdict.command.enabled = step.done > 0
        if step.row:
            self.plots.add(step.row)
        if step.preview:
            QTimer.singleShot(DRAWN, partial(self._show, step.preview))
        if step.total and self.controls and not (self.controls.paused or self.controls.stopped):
            self._say(f"Step {step.done} of about {step.total}, {_duration(step.left)} left.")
        elif step.note:
            self._say(step.note)

    def _show(self, preview: HeldOutPreview) -> None:
        """Unless the dock was closed meanwhile, and the whole window perhaps with it."""
        if not self._closed:
            self._preview.show(preview, self.pairs.entries)

    def _finish(self, outcome: Outcome) -> None:
        self.outcome = outcome
        verdict = self.form.verdict
        rows = [(s.name, *in_words(s.psnr, s.ssim)) for s in outcome.scores]
        verdict.show(rows, outcome.verdict)
        verdict.save.enabled = verdict.command.enabled = True
        verdict.past.fill()
        if outcome.pictures and not self._closed:
            place = self._preview.place(outcome.pictures, self.pairs.entries)
            self._compare(outcome.pictures, place)
        self.form.steps.setCurrentIndex(VERDICT_STEP)
        self._say(f"The run has ended{': this is how good its model is' * bool(rows)}.")

    def _compare(self, found: Comparison, place: dict[str, Any]) -> None:
        """Show before and after on the canvas, where the images are still there."""
        swipe, start = self.form.verdict.swipe, "before" if "before" in found.pictures else "input"
        swipe.offer(found.pictures, found.name, place, (start, "after"))
        if place:
            swipe.toggle()

    def _end(self, message: str) -> None:
        self._leaving.release()
        self.controls = None
        super()._end(message)
        self._offer_resume()

    def _busy(self, busy: bool) -> None:
        form = self.form
        running = busy and self.controls is not None
        for button in (form.train, form.resume, form.add, form.add_selected, form.add_folders):
            button.enabled = not busy
        for button in (form.fix, form.swap, form.remove, form.split):
            button.enabled = not busy
        form.pause.enabled = form.stop.enabled = running
        form.pause.text = "Pause"
        super()._busy(busy)

    def _offer_resume(self) -> None:
        folders = [] if self.training else _runs.unfinished()
        self.form.resume.visible = bool(folders)
        if folders:
            self.form.resume.text = f"Resume at {_runs.progress(folders[0])}"
            self.form.resume.tooltip = f"Continue {folders[0].name}, which was not finished."

    def _choose_file(self) -> None:
        path = show_file_dialog(
            mode="w", caption="Save the model", filter=f"Models (*{MODEL_SUFFIX})", parent=None
        )
        if path is not None:
            self.save(str(path))

    def _copy(self) -> None:
        if self.folder is not None:
            QApplication.clipboard().setText(command(self.folder))
            show_info("Copied.")

    def _recolour(self, *_: Any) -> None:
        theme = get_theme(self.viewer.theme)
        for plots in (self.plots, self.form.verdict.past.plots):
            plots.recolour(theme.background.as_hex(), theme.text.as_hex())


def _duration(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest} s" if minutes else f"{rest} s"
