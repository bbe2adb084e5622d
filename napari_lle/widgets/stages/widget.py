"""The stage inspector: what each stage of the network sees and makes, in layers and plots."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
from napari.layers import Image, Vectors
from napari.utils.theme import get_theme
from qtpy.QtCore import QTimer

from ...model.io.errors import FileError
from ..shared.image_choice import ImageChoice, choose_input, images
from ..shared.jobs import Job
from ..shared.layers import files_of, is_result, pixels, shows_planes, visible_region
from ..shared.painting import PaintSoon
from ..shared.removing import RemoveInCanvas
from ..shared.responsiveness import old_at_once
from ..shared.work_panel import WorkPanel
from .captions import canvas_near
from .following import Following
from .form import StagesForm
from .inspector import Finding, inspect_steps, reach
from .leaving import take_away
from .saving import ask_figure, ask_folder, exported, saved_figure
from .sentence import one_sentence
from .showing import Showing


class StagesWidget(WorkPanel):
    """Look into the stages of a model on image layers of a viewer.

    Parameters
    ----------
    napari_viewer : napari.components.ViewerModel
    """

    def __init__(self, napari_viewer: Any) -> None:
        self.viewer = napari_viewer
        self.form = StagesForm(lambda _: images(napari_viewer))
        super().__init__(self.form.rows(), *self.form.folds.values())
        self.showing = Showing(
            napari_viewer, self.form, self.native, lambda key: self._uncheck(key)
        )
        self._known: tuple[tuple[Any, ...], Any] | None = None
        self._canvas: Any = None  # of the window that the dock is in
        self._following = Following(napari_viewer, self.form, self.inspect, self._outdate)
        self._images = ImageChoice(
            napari_viewer,
            self.form.image,
            lambda layer: not is_result(layer),
        )
        choose_input(self.form.image, napari_viewer.layers.selection.active)
        self._painting = PaintSoon(napari_viewer, self.native)
        self._removing = RemoveInCanvas(napari_viewer, self.native)
        self._connect()
        self._recolour()
        self.form.progress.hide()

    def inspect(self) -> None:
        """Run all stages on the plane in view."""
        layer = self.form.image.value
        if layer is None:
            self._say("Open or choose an image layer first.")
            return
        dims = self.viewer.dims
        if not shows_planes(dims):
            self._say("The inspector needs the 2-D view of the image's last two axes.")
            return
        request, data = self.form.request(), pixels(layer)
        shape = data.shape[layer.ndim - 2 : layer.ndim]
        seen = visible_region(layer, dims.point, 2**62)
        region = reach(shape, seen, request.count, bool(layer.rgb))
        whole = (layer, id(data), request.model, request.count, request.device)
        known = self._known[1] if self._known is not None and self._known[0] == whole else None
        self._following.ask(layer, region.plane, request.model)
        self._start(
            _warmed_up(inspect_steps(data, bool(layer.rgb), region, request, known)),
            lambda finding: self._show(layer, whole, finding),
            f"Inspecting {layer.name}",
        )

    def export(self, folder: str) -> None:
        """Write all stages of the whole layer, as `napari-lle stages` does."""
        if self.finding is not None:
            self._start(
                exported(self.finding, folder, files_of(self.viewer)),
                lambda report: self._end(f"{len(report['files'])} files written to {folder}."),
                f"Writing to {folder}",
                "Writing stages",  # may take long: napari shows it too
            )

    def save_figure(self, file: Path) -> None:
        """Write a figure of all stages."""
        source = self.showing.layers.source
        if self.finding is not None and source is not None:
            opened = files_of(self.viewer)
            self._start(
                saved_figure(self.finding, source, self.showing.layers.layers, file, opened),
                lambda path: self._end(f"Saved {path.name}."),
                f"Drawing {file.name}",
            )

    def release(self, *_: Any) -> None:
        """Let go of the viewer and of everything under way; the widget is of no use after it."""
        self.showing.release()
        self._following.release()
        self._images.release()
        self._painting.release()
        self._removing.release()
        for emitter, slot in self._listened():
            with suppress(ValueError):
                emitter.disconnect(slot)
        if self.job is not None:
            self.job.abandon()

    @property
    def finding(self) -> Finding | None:
        """What is shown."""
        return self.showing.finding

    @property
    def working(self) -> bool:
        """Whether plots are still to be drawn or layers to be added, changed or removed."""
        return self.showing.working

    def _listened(self) -> list[tuple[Any, Any]]:
        viewer = self.viewer
        return [
            (viewer.layers.events.removed, self._on_removed),
            (viewer.events.theme, self._recolour),
        ]

    def _connect(self) -> None:
        form = self.form
        for emitter, slot in self._listened():
            emitter.connect(slot)
        form.run.changed.connect(self.inspect)
        form.cancel.changed.connect(self.cancel)
        form.export.changed.connect(self._choose_folder)
        form.figure.changed.connect(self._choose_figure)
        form.instead.changed.connect(self._look_instead)
        form.stage.changed.connect(self.showing.step)
        for box in (form.grid, *form.kinds.values(), form.field, *form.extras.values()):
            box.changed.connect(self._choose)
        self.native_parent_changed.connect(self._on_parent)
        self.native.destroyed.connect(self.release)

    def _start(
        self, steps: Generator[Any, None, Any], done: Any, text: str, label: str = ""
    ) -> None:
        if self.job is not None:
            self.job.abandon()
        self._busy(True)
        self._say(f"{text}…")
        self.job = Job(
            steps,
            on_progress=self._progress,
            on_done=done,
            on_error=self._fail,
            on_cancelled=lambda: self._end("Cancelled: nothing changed."),
            label=label,
        )

    def _show(self, layer: Image, whole: tuple[Any, ...], finding: Finding) -> None:
        if layer not in self.viewer.layers:
            self._end(f"{layer.name} was deleted meanwhile.")
            return
        if id(pixels(layer)) != whole[1]:  # of which it is told soon
            self._end("")
            return
        self._known = whole, finding.stages
        self.form.stage.max = finding.count
        self.form.offer(finding.instead[0] if finding.instead else "")
        text = one_sentence(finding)
        if self._is_part(finding):
            text += " The plane is large: only the middle of the view is shown."
        self.showing.show(finding, layer)
        self._end(text)

    @staticmethod
    def _is_part(finding: Finding) -> bool:
        spans = (finding.region.rows, finding.region.columns)
        return finding.stages.plane_shape != tuple(last - first for first, last in spans)

    def _choose(self, *_: Any) -> None:
        """Follow the checkboxes; what has not been computed needs another run."""
        self.showing.choose()
        finding, request = self.finding, self.form.request()
        if finding is not None and (
            (request.noise and finding.noise is None) or (request.features and not finding.features)
        ):
            self.inspect()

    def _look_instead(self) -> None:
        """Inspect the model that is offered."""
        if self.finding is not None and self.finding.instead is not None:
            self.form.model.use(self.finding.instead[0])
            self.inspect()

    def _choose_folder(self) -> None:
        folder = ask_folder()
        if folder is not None:
            self.export(folder)

    def _choose_figure(self) -> None:
        try:
            file = ask_figure()
        except FileError as error:
            self._complain(error)
            return
        if file is not None:
            self.save_figure(file)

    def _on_parent(self, parent: Any) -> None:
        """Begin when the dock is there; end when it is closed; napari may keep the widget."""
        if parent is None:
            self.cancel()
            self._forget()
            take_away(self.viewer, self.showing.give_up(), self._canvas)
            self._canvas = None
            return
        self._canvas = canvas_near(self.native)
        if self._following.layer is None and self.form.image.value is not None:
            QTimer.singleShot(0, self._open)

    def _open(self) -> None:
        """Show the story at once, unless something else was asked for meanwhile."""
        with suppress(RuntimeError):  # closed meanwhile
            if self._following.layer is None and self.native.parent() is not None:
                self.inspect()

    def _on_removed(self, event: Any) -> None:
        self.showing.side_by_side.forget(event.value)
        if self._known is not None and event.value is self._known[0][0]:
            self._known = None
        if event.value is self._following.layer:
            self._forget()

    def _forget(self) -> None:
        """Let go of what was found, and follow nothing."""
        self._following.forget()
        self.form.offer("")
        self._outdate()

    def _outdate(self) -> None:
        """Take away what was found of other values."""
        self._known = None
        self.form.export.enabled = self.form.figure.enabled = False
        self.showing.clear()

    def _uncheck(self, key: str) -> None:
        self.form.box(key).value = False

    def _recolour(self, *_: Any) -> None:
        theme = get_theme(self.viewer.theme)
        self.form.plots.recolour(theme.background.as_hex(), theme.text.as_hex())

    def _busy(self, busy: bool) -> None:
        super()._busy(busy)
        form = self.form
        form.run.enabled, form.cancel.enabled = not busy, busy
        form.export.enabled = form.figure.enabled = not busy and self.finding is not None
        form.instead.enabled = not busy


def _warmed_up(steps: Generator[Any, None, Finding]) -> Generator[Any, None, Finding]:
    """Take what napari does once, for the first vectors of a session, off the window's thread."""
    with old_at_once():
        Vectors(np.zeros((1, 2, 2)))
    return (yield from steps)
