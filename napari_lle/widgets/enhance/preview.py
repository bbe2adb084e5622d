"""A temporary layer that shows the visible part of an image as it would become."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from napari.layers import Image
from qtpy.QtCore import QTimer
from superqt.utils import QSignalDebouncer

from ..shared.image_choice import select_again
from ..shared.jobs import Job
from ..shared.layers import (
    METADATA_KEY,
    Region,
    pixels,
    region_options,
    result_options,
    shows_planes,
    visible_region,
)
from ..shared.preferences import preferences
from .blank import BlankError
from .blending import Blend
from .covers import Covers, place_over
from .preview_part import PreviewPart, preview_steps
from .shown_range import FollowedLimits
from .subject import Subject

if TYPE_CHECKING:
    from numpy.typing import NDArray


PREVIEW_DELAY = 250  # ms without a change before the network runs


class Wish(NamedTuple):
    """What the preview should show."""

    subject: Subject
    blend: Blend


def _changes(layer: Image | None) -> tuple[Any, ...]:
    """Events after which what was found of a layer, or where it lies, no longer holds."""
    if layer is None:
        return ()
    events = layer.events
    return events.data, events.scale, events.translate, events.rotate, events.shear, events.affine


class Preview:
    """Keeps the preview layer of a viewer up to date while it is switched on.

    Parameters
    ----------
    viewer : napari.components.ViewerModel
    wish : callable
        Returns a `Wish`, or None where there is nothing to show; raises ValueError with a
        sentence for the user.
    say : callable
        Takes that sentence; an empty one where the last no longer holds.
    removed : callable
        Called when the user deletes the preview layer.
    covers : Covers
        Told what the preview stands for.
    """

    def __init__(
        self,
        viewer: Any,
        wish: Callable[[], Wish | None],
        say: Callable[[str], Any],
        removed: Callable[[], Any],
        covers: Covers,
    ) -> None:
        self._viewer = viewer
        self._wish = wish
        self._say = say
        self._removed = removed
        self._covers = covers
        self._job: Job | None = None
        self._asked: tuple[Any, ...] | None = None
        self._resting = False
        self._surveys: dict[Subject, Any] = {}
        self._part: PreviewPart | None = None
        self._source: Image | None = None
        self._followed: Image | None = None
        self.layer: Image | None = None
        self._limits: FollowedLimits | None = None
        self._later = QSignalDebouncer()
        self._later.setTimeout(PREVIEW_DELAY)
        self._later.triggered.connect(self._run)

    @property
    def on(self) -> bool:
        """Whether the preview follows the viewer."""
        return self._asked is not None

    @property
    def busy(self) -> bool:
        """Whether a region is being estimated."""
        return self._job is not None and self._job.running

    def start(self) -> None:
        """Switch on and show."""
        if self.on:
            return
        self._asked, self._resting = (), False
        for emitter in self._emitters():
            emitter.connect(self.refresh)
        self._viewer.layers.events.removed.connect(self._on_removed)
        self._run()

    def stop(self) -> None:
        """Switch off and take the layer away."""
        if not self.on:
            return
        self._asked = None
        for emitter in self._emitters():
            emitter.disconnect(self.refresh)
        self._viewer.layers.events.removed.disconnect(self._on_removed)
        self._later.cancel()
        self._surveys.clear()
        self._follow(None)
        if self._job is not None:
            self._job.abandon()
        self._clear()
        self._say("")

    def refresh(self, *_: Any) -> None:
        """Look again soon; many calls in a row make one look."""
        if self.on and not self._resting:
            self._later.throttle()

    def rest(self) -> None:
        """Take the layer away until something is changed: what it would show is there."""
        self._resting = True
        if self.on:
            self._asked = ()
            self._later.cancel()
            if self._job is not None:
                self._job.abandon()
            self._clear()

    def wake(self, *_: Any) -> None:
        """Show again what the options make of the image."""
        self._resting = False
        self.refresh()

    def blend(self, blend: Blend) -> None:
        """Show another blend of what has been estimated."""
        if self.layer is not None and self._part is not None:
            self.layer.data = self._shaped(self._part.plane(blend))
            if self._limits is not None:
                self._limits.follow(self._part.toned(blend), blend.strength)

    def _emitters(self) -> tuple[Any, ...]:
        camera = getattr(self._viewer, "scene", self._viewer).camera.events  # napari 0.9 moved it
        dims = self._viewer.dims.events
        return camera.center, camera.zoom, dims.point, dims.ndisplay, dims.order

    def _follow(self, layer: Image | None) -> None:
        """Start over when the values or the place of the image in view change."""
        if self._followed is not layer:
            for emitter in _changes(self._followed):
                emitter.disconnect(self._start_over)
            for emitter in _changes(layer):
                emitter.connect(self._start_over)
        self._followed = layer

    def _start_over(self, *_: Any) -> None:
        self._surveys.clear()
        self._asked = ()
        if self._job is not None:
            self._job.abandon()
        self._clear()
        self.refresh()

    def _run(self) -> None:
        try:
            wish = self._wish()
        except ValueError as error:
            self._say(str(error))
            return
        if wish is None or not self.on:
            self._asked = ()
            self._clear()
            return
        subject = wish.subject
        layer = subject.layers[0]
        dims = self._viewer.dims
        if not subject.straight:
            self._say(f"The preview needs y and x to be the last axes of “{layer.name}”.")
            self._asked = ()
            self._clear()
            return
        if not shows_planes(dims):
            self._say("The preview needs the 2-D view of the image's last two axes.")
            self._asked = ()
            self._clear()
            return
        region = visible_region(layer, dims.point, round(1e6 * preferences().preview))
        data = pixels(layer)
        asked = (subject, id(data), region)
        if asked == self._asked:
            return
        self._asked = asked
        self._follow(layer)
        if self._job is not None:
            self._job.abandon()
        # What is found of the whole does not depend on the device.
        whole = subject._replace(options=replace(subject.options, device="auto"))
        known = self._surveys.get(whole)
        self._job = Job(
            preview_steps(subject, region, known),
            on_done=lambda part: self._show(layer, region, whole, part),
            on_error=self._fail,
        )

    def _show(self, source: Image, region: Region, whole: Subject, part: PreviewPart) -> None:
        try:
            wish = self._wish()
        except ValueError:  # it was changed meanwhile; the next look tells
            return
        if wish is None or self._resting or source not in self._viewer.layers:
            return
        again = whole in self._surveys
        self._surveys = {whole: part.survey}
        if self._source is not source:
            self._clear()
        self._source, self._part = source, part
        data = self._shaped(part.plane(wish.blend))
        place = region_options(source, region)
        if self.layer is None:
            self._add(source, data, place)
        else:
            self.layer.data = data
            self.layer.scale, self.layer.translate = place["scale"], place["translate"]
        if self._limits is None or not again:  # other options: as a run with them is shown
            self._limits = FollowedLimits(self.layer, part.seen, part.limits(wish.blend))
        part_of = f"The preview shows one pixel in {region.step} along each axis"
        self._say(f"{part_of}: zoom in to see all." if region.step > 1 else "")

    def _fail(self, error: Exception) -> None:
        if not isinstance(error, BlankError):  # which the widget's line tells of every image
            self._say(str(error))

    def _add(self, source: Image, data: NDArray[np.float32], place: dict[str, Any]) -> None:
        options = {
            **result_options(source),
            **place,
            "name": f"[preview] {source.name}",
            "multiscale": False,
            "metadata": {METADATA_KEY: {"preview": True}},
        }
        layers = self._viewer.layers
        selected = set(layers.selection)
        self.layer = Image(data, **options)
        layers.insert(place_over(self._viewer, [source]), self.layer)
        self._covers.put(self.layer, source)
        if selected:
            select_again(self._viewer, selected)

    def _shaped(self, plane: NDArray[np.float32]) -> NDArray[np.float32]:
        source = self._source
        lead = 0 if source is None else source.ndim - 2
        return plane.reshape((1,) * lead + plane.shape)

    def _clear(self) -> None:
        layer, self.layer, self._part, self._source = self.layer, None, None, None
        self._limits = None
        if layer is not None and layer in self._viewer.layers:
            self._viewer.layers.remove(layer)

    def _taken_away(self, source: Image | None) -> None:
        """Tell that the user deleted the layer alone, not the image with it."""
        if self.on and source in self._viewer.layers:
            self._removed()

    def _on_removed(self, event: Any) -> None:
        if event.value is self.layer:
            self.layer = self._limits = None
            QTimer.singleShot(0, partial(self._taken_away, self._source))
            return
        if any(event.value in subject.layers for subject in self._surveys):
            self._surveys.clear()
        if event.value is self._followed:
            self._follow(None)
        if event.value is self._source:
            self._clear()
            self.refresh()
