"""The Enhance widget: a dark image layer in, a clear one out, and its strength in the hand."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

from napari.layers import Image
from napari.utils.theme import get_theme
from qtpy.QtWidgets import QDockWidget
from superqt.utils import QSignalThrottler

from ...model.inference.looks import PUBLICATION
from ...model.kernels import warm_up_in_background
from ..shared.adoption import Adopter
from ..shared.forms import enable, put_message
from ..shared.image_choice import ImageChoice, choose_input, images
from ..shared.jobs import Job
from ..shared.layers import ILLUMINATION, REFLECTANCE, is_result, kind
from ..shared.marks import unmarked
from ..shared.painting import PaintSoon
from ..shared.removing import RemoveInCanvas
from ..shared.sight import tell_sight
from ..shared.work_panel import WorkPanel
from .afterwards import Afterwards
from .background import BackgroundTool
from .blending import Blend, Live, Made
from .compare import Compare
from .covers import Covers
from .dark import references
from .form import REPLACE, Form
from .gallery import Gallery
from .levels import LevelTools
from .line import line_of, settled_model
from .look_choice import LookChoice
from .preview import Preview, Wish
from .refusal import RefusalHint
from .results import Origin, Results
from .saving import PictureSaver
from .subject import Subject, find_subject, subject_steps
from .warming import needed_models

BLEND_INTERVAL = 40  # ms between two blends while the slider moves


class EnhanceWidget(WorkPanel):
    """Enhance image layers of a viewer.

    Parameters
    ----------
    napari_viewer : napari.components.ViewerModel
    """

    def __init__(self, napari_viewer: Any) -> None:
        self.viewer = napari_viewer
        self._of_preview = ""  # what it said last
        self.form = Form(lambda _: images(napari_viewer), lambda _: references(napari_viewer))
        super().__init__(self.form.rows(), *self.form.below())
        self._show(napari_viewer)
        self._blends = QSignalThrottler()
        self._blends.setTimeout(BLEND_INTERVAL)
        self._blends.triggered.connect(self._blend)
        # Results are rarely enhanced again, and what is dark is chosen by hand.
        self._choices = (
            ImageChoice(napari_viewer, self.form.image, lambda layer: not is_result(layer)),
            ImageChoice(napari_viewer, self.form.levels.reference, lambda _: False),
        )
        self.look = LookChoice(self.form)
        self.adopter = Adopter(napari_viewer, self._on_adopted)
        self.background = BackgroundTool(napari_viewer, self.form, self._say, self._complain)
        self.levels = LevelTools(
            napari_viewer, self.form, self.results.selected, self._say, self._tell
        )
        self._painting = PaintSoon(napari_viewer, self.native)
        self._removing = RemoveInCanvas(napari_viewer, self.native)
        self._refusals = RefusalHint(napari_viewer, self._say)
        self._connect()
        self._recolour()
        self.levels.refresh()
        self.form.progress.hide()
        warm_up_in_background(needed_models(self.form))
        self._toggle_preview(self.form.preview.value)

    def _show(self, viewer: Any) -> None:
        """What shows results and previews, and what is done with a result."""
        form = self.form
        self.covers = Covers(viewer)
        self.results = Results(viewer, self.covers)
        self.preview = Preview(
            viewer, self._wish, self._tell_of_it, lambda: self._uncheck_preview(), self.covers
        )
        talk = self._say, self._complain
        self.saver = PictureSaver(viewer, form.result, lambda: self.results.layers, *talk)
        self.afterwards = Afterwards(viewer, form.result, self.results, *talk, self.native)
        self.compare = Compare(viewer, form.compare, self._before, self._say, self.native)
        self.gallery = Gallery(viewer, form, self._subject)

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
            return
        blend = self.form.tone.blend()
        light = self.form.illumination.value
        origins = [Origin.of(each) for each in subject.layers]
        name = " and ".join(each.name for each in subject.layers)
        self._busy(True)
        self._say(f"Enhancing {name}…")
        self.job = Job(
            subject_steps(subject, blend, light),
            on_progress=self._progress,
            on_done=lambda made: self._add(origins, subject, blend, made),
            on_error=self._fail,
            on_cancelled=lambda: self._end("Cancelled: nothing was added."),
            label=f"Enhancing {name}",
        )

    def release(self, *_: Any) -> None:
        """Let go of the viewer and of everything under way; the widget is of no use after it."""
        if self.job is not None:
            self.job.abandon()
        self._painting.release()
        self._removing.release()
        self._refusals.release()
        self.adopter.release()
        self.levels.release()
        self.background.release()
        self.compare.release()
        self.gallery.release()
        self.afterwards.release()
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
            self.viewer.events.theme.disconnect(self._recolour)

    @property
    def live(self) -> Live | None:
        """The latest result of the chosen layer, which follows the strength."""
        return self.results.latest

    def _subject(self, layer: Image, model: str = "") -> Subject:
        """What is enhanced with a layer; raises ValueError with a sentence for the user."""
        form = self.form
        return find_subject(
            layer,
            form.options(model=model),
            selected=self.results.selected(layer),
            together=form.together.value,
            locked=form.levels.lock.value,
            background=form.levels.background.value,
        )

    def _connect(self) -> None:
        form = self.form
        self.viewer.layers.events.removed.connect(self._on_removed)
        self.viewer.layers.selection.events.changed.connect(self.preview.refresh)
        self.viewer.events.theme.connect(self._recolour)
        form.run.changed.connect(self.enhance)
        form.image.changed.connect(self._forget_message)
        form.cancel.changed.connect(self.cancel)
        for slider in form.tone.all():
            slider.changed.connect(self._blends.throttle)
        form.preview.changed.connect(self._toggle_preview)
        for control in form.inputs():
            control.changed.connect(self.preview.wake)
        self.native_parent_changed.connect(self._on_parent)
        self.native.destroyed.connect(self.release)

    def _on_parent(self, parent: Any) -> None:
        """Stop everything when the dock is closed; napari may keep the widget itself."""
        if parent is None:
            self.preview.stop()
            self.form.compare.swipe.value = False
            self.compare.mute()
            self.cancel()
        else:
            self.compare.hear()
            if isinstance(parent, QDockWidget):
                tell_sight(parent, self._on_sight)
            self._toggle_preview(self.form.preview.value)

    def _on_sight(self, seen: bool) -> None:
        """Preview nothing from behind the tab of another widget."""
        if self.native.parent() is not None:
            self._toggle_preview(seen and self.form.preview.value)

    def _on_removed(self, event: Any) -> None:
        before = self.live
        self.results.forget(event.value)
        self.levels.let_go(event.value)
        if not self.job or not self.job.running:
            self.form.result.offer(self.live is not None)
        if before is not None and self.live is None:
            self.preview.wake()

    def _on_adopted(self) -> None:
        """Show no preview and no levels of what has turned out to be a result."""
        if (chosen := self.form.image.value) and kind(chosen) == ILLUMINATION:
            choose_input(self.form.image, chosen)
        self.levels.renew()
        self.preview.wake()

    def _forget_message(self, *_: Any) -> None:
        """Say no more what was done with another image."""
        if self.job is None or not self.job.running:
            self._say("")

    def _add(self, origins: list[Origin], subject: Subject, blend: Blend, made: list[Made]) -> None:
        gone = [each for each in origins if each.layer not in self.viewer.layers]
        self.preview.rest()  # the whole is there to be seen
        replace = self.form.again.value == REPLACE
        known = list(self.viewer.layers)
        self.results.add(origins, made, str(subject.options.model), blend.strength, replace)
        estimate = made[0].estimate
        if origins[0].layer is self.form.image.value:
            self.form.levels.show(estimate.levels.black, estimate.levels.white)
        shown = [layer for layer in self.viewer.layers if layer in self.results.layers]
        names = ", ".join(f"“{unmarked(layer.name)}”" for layer in shown)
        done = "Replaced" if all(layer in known for layer in shown) else "Added"
        said = f"{done} {names}, made by {estimate.record['model']}."
        if gone:
            lost = " and ".join(f"“{origin.source['layer']}”" for origin in gone)
            said += f" {lost} was deleted meanwhile: there is no input to compare with."
        self._end(said)
        if self.form.tone.blend() != blend:  # moved during the run
            self._blend()

    def _blend(self) -> None:
        blend = self.form.tone.blend()
        self.results.blend(blend)
        self.preview.blend(blend)
        if self.live is not None and self.live.told:
            self._say(self.live.told)

    def _wish(self) -> Wish | None:
        layer = self.form.image.value
        if layer is None or kind(layer) == REFLECTANCE:  # of which the line tells
            return None
        return Wish(self._subject(layer), self.form.tone.blend())

    def _before(self) -> list[Image]:
        """The inputs of what is shown: of the latest run, or else the chosen image."""
        sources = self.results.sources or [self.form.image.value]
        return [layer for layer in sources if layer in self.viewer.layers]

    def _toggle_preview(self, on: bool) -> None:
        if on:
            self.preview.start()
        else:
            self.preview.stop()

    def _tell_of_it(self, message: str) -> None:
        """Say something of the preview, or nothing more of what it said last."""
        if message or self.form.status.value == self._of_preview:
            self._say(message)
        self._of_preview = message

    def _uncheck_preview(self) -> None:
        self.form.preview.value = False

    def _tell(self, *_: Any) -> None:
        """Say what the model and the levels are, as far as they are known."""
        form = self.form
        put_message(form.line, line_of(form, self.levels))
        one_curve = form.look.value == PUBLICATION
        form.together.enabled = not one_curve
        with suppress(ValueError):  # which the line says
            enable(form.levels.sky, form.options().near_sky)
            model = settled_model(form) if form.image.value else ""
            together = form.together.value and not one_curve
            form.tone.allow(form.image.value, model, together=together)

    def _recolour(self, *_: Any) -> None:
        """Follow the viewer's theme."""
        theme = get_theme(self.viewer.theme)
        self.form.recolour(theme.text.as_hex(), theme.current.as_hex())
        self.afterwards.recolour()

    def _end(self, message: str) -> None:
        super()._end(message)
        self.form.result.offer(self.live is not None)

    def _busy(self, busy: bool) -> None:
        super()._busy(busy)
        form = self.form
        form.run.enabled, form.cancel.enabled = not busy, busy
        form.cancel.visible = busy
