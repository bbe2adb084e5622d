"""The Enhance widget: a dark image layer in, a clear one out, and its strength in the hand."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import Any

from magicgui.widgets import Container
from napari.layers import Image
from napari.utils.notifications import show_error, show_info
from qtpy.QtWidgets import QApplication
from superqt.utils import QSignalThrottler

from ._form import Form
from ._layers import (
    KEY,
    as_command,
    as_python,
    illumination_options,
    is_result,
    metadata,
    result_options,
    scales,
)
from ._levels import LevelTools, references
from ._live import Live, Made, Options, enhance_steps
from ._preview import Preview, Wish
from ._report import ReportWindow, gain_layer, report_steps
from ._worker import Job
from .model.bundled import GLOBAL, SUFFIX
from .model.kernels import warm_up_in_background

FRAME = 40  # ms between two blends while the slider moves


class EnhanceWidget(Container):  # type: ignore[misc]
    """Enhance image layers of a viewer.

    Parameters
    ----------
    napari_viewer : napari.components.ViewerModel
    """

    def __init__(self, napari_viewer: Any) -> None:
        self.viewer = napari_viewer
        self.form = Form(self._images, lambda _: references(napari_viewer))
        super().__init__(widgets=self.form.rows(), labels=False)
        self.levels = LevelTools(napari_viewer, self.form, self._say)
        self.report_window: ReportWindow | None = None
        self.report_job: Job | None = None
        self.job: Job | None = None
        self.live: Live | None = None
        self.preview = Preview(
            napari_viewer, self._wish, self._say, lambda: self._uncheck_preview()
        )
        self._blends = QSignalThrottler()
        self._blends.setTimeout(FRAME)
        self._blends.triggered.connect(self._blend)
        self._fill()
        self._choose_active()
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
            options = self.form.options()
        except ValueError as error:
            self._say(str(error))
            show_error(str(error))
            return
        strength = self.form.strength.value
        light = self.form.illumination.value
        data = scales(layer) if layer.multiscale else layer.data
        look = result_options(layer)  # now: the layer may be gone at the end
        source = {"layer": layer.name, "source": layer.source.path}
        self._busy(True)
        self._say(f"Enhancing {layer.name}…")
        self.job = Job(
            enhance_steps(data, bool(layer.rgb), options, strength, light),
            on_progress=self._progress,
            on_done=lambda made: self._add(layer, look, source, options, strength, made),
            on_error=self._fail,
            on_cancelled=lambda: self._end("Cancelled: nothing was added."),
            label=f"Enhancing {layer.name}",
        )

    def cancel(self) -> None:
        """Stop the run under way."""
        if self.job is not None and self.job.running:
            self._say("Cancelling…")
            self.job.cancel()

    def release(self, *_: Any) -> None:
        """Let go of the viewer and of everything under way; the widget is of no use after it."""
        for each in (self.job, self.report_job):
            if each is not None:
                each.abandon()
        self.levels.release()
        if self.report_window is not None:
            self.report_window.close()
        if self.live is not None:
            self.live.close()
        self.live = None
        self.preview.stop()
        self._blends.cancel()
        events = self.viewer.layers.events
        with suppress(ValueError):
            events.inserted.disconnect(self._fill)
            events.removed.disconnect(self._on_removed)
            events.renamed.disconnect(self._fill)
            self.viewer.layers.selection.events.active.disconnect(self._choose_active)

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

    def copy(self, text: str) -> None:
        """Put a text on the clipboard."""
        QApplication.clipboard().setText(text)
        show_info("Copied.")

    @property
    def record(self) -> dict[str, Any]:
        """How the latest result was made."""
        if self.live is None:
            raise ValueError("Run Enhance first.")
        return dict(self.live.layer.metadata[KEY])

    def _connect(self) -> None:
        form, layers = self.form, self.viewer.layers
        layers.events.inserted.connect(self._fill)
        layers.events.removed.connect(self._on_removed)
        layers.events.renamed.connect(self._fill)
        layers.selection.events.active.connect(self._choose_active)
        form.run.changed.connect(self.enhance)
        form.report.changed.connect(self.report)
        form.cancel.changed.connect(self.cancel)
        form.strength.changed.connect(self._blends.throttle)
        form.preview.changed.connect(self._toggle_preview)
        form.python.changed.connect(lambda: self.copy(as_python(self.record)))
        form.command.changed.connect(lambda: self.copy(as_command(self.record)))
        for control in form.inputs():
            control.changed.connect(self.preview.refresh)
        self.native_parent_changed.connect(self._on_parent)
        self.native.destroyed.connect(self.release)

    def _on_parent(self, parent: Any) -> None:
        """Stop everything when the dock is closed; napari may keep the widget itself."""
        if parent is None:
            self.form.preview.value = False
            self.cancel()

    def _fill(self, *_: Any) -> None:
        """Offer the viewer's image layers, keeping the choice."""
        chosen = self.form.image.value
        self.form.image.reset_choices()
        self.form.reference.reset_choices()
        if chosen in self.form.image.choices:  # a renamed layer counts as a new choice
            self.form.image.value = chosen

    def _images(self, _: Any) -> list[tuple[str, Image]]:
        return [
            (layer.name, layer)
            for layer in self.viewer.layers
            if isinstance(layer, Image) and not layer.metadata.get(KEY, {}).get("preview")
        ]

    def _choose_active(self, *_: Any) -> None:
        """Follow the selection to images, not to results, which are rarely enhanced again."""
        active = self.viewer.layers.selection.active
        if isinstance(active, Image) and not is_result(active):
            self._fill()
            self.form.image.value = active

    def _on_removed(self, event: Any) -> None:
        self._fill()
        if self.live is not None and event.value is self.live.light:
            self.live.light = None
        if self.live is not None and event.value is self.live.layer:
            self.live.close()
            self.live = None
            self._offer_copies()

    def _add(
        self,
        source: Image,
        look: dict[str, Any],
        origin: dict[str, Any],
        options: Options,
        strength: float,
        made: Made,
    ) -> None:
        """Show a result, and its illumination where asked for."""
        if options.model.removesuffix(GLOBAL).endswith(SUFFIX):
            origin = {**origin, "model_file": str(Path(options.model).absolute())}
        about = metadata(made.estimate.record, strength=strength, **origin)
        light = None
        if made.illumination is not None:
            light = Image(
                made.illumination,
                **illumination_options(source, made.estimate),
                metadata={KEY: dict(about[KEY])},
            )
            self.viewer.add_layer(light)
        layer = Image(made.reflectance, **look, contrast_limits=made.limits, metadata=about)
        self.viewer.add_layer(layer)
        if self.live is not None:
            self.live.close()
        self.live = Live(made.estimate, layer, light)
        levels = made.estimate.levels
        self.form.show_levels(levels.black, levels.white)
        self._end(f"Added “{layer.name}” (black {levels.black:.6g}, white {levels.white:.6g}).")
        if self.form.strength.value != strength:  # moved during the run
            self._blend()

    def _blend(self) -> None:
        strength = self.form.strength.value
        if self.live is not None:
            self.live.blend(strength)
        self.preview.blend(strength)

    def _wish(self) -> Wish | None:
        layer = self.form.image.value
        if layer is None:
            return None
        return Wish(layer, self.form.options(), self.form.strength.value)

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
        message = " ".join(str(error).split()) or type(error).__name__
        self._end(message)
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
        for button in (self.form.python, self.form.command, self.form.report):
            button.enabled = self.live is not None

    def _say(self, message: str) -> None:
        self.form.status.value = message
