"""Brings what was found onto the canvas and into the plots, a piece in every turn of the window."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import numpy as np
from napari.layers import Image
from qtpy.QtCore import QTimer
from superqt.utils import QSignalThrottler

from ..shared.layers import is_result
from .inspector import INPUT_KEY, Finding
from .layers import StageLayers
from .side_by_side import SideBySide

if TYPE_CHECKING:
    from .form import StagesForm

CURSOR_INTERVAL = 40  # ms between two looks at the cursor
SHOWING_PAUSE = 15  # ms between two changes of layers and plots: the window draws and answers


class Showing:
    """Layers, captions and plots of a finding.

    Parameters
    ----------
    viewer : napari.components.ViewerModel
    form : StagesForm
        Whose stage and whose checkboxes hold.
    widget : QWidget
        Docked in the viewer's window, if that has one.
    removed : callable
        Takes the key of a layer that the user deleted.

    Attributes
    ----------
    finding : Finding or None
        What is shown.
    layers : StageLayers
    side_by_side : SideBySide
    """

    def __init__(
        self, viewer: Any, form: StagesForm, widget: Any, removed: Callable[[str], Any]
    ) -> None:
        self._viewer, self._form = viewer, form
        self.finding: Finding | None = None
        self.layers = StageLayers(viewer, removed)
        self.side_by_side = SideBySide(viewer, widget)
        self._undrawn = False  # whether the plots still show an earlier finding
        self._cursor, self._work = QSignalThrottler(), QTimer()
        self._cursor.setTimeout(CURSOR_INTERVAL)
        self._cursor.triggered.connect(self._look)
        self._work.setInterval(SHOWING_PAUSE)
        self._work.timeout.connect(self._advance)
        viewer.cursor.events.position.connect(self._on_cursor)
        viewer.layers.events.inserted.connect(self._give_way)

    @property
    def working(self) -> bool:
        """Whether plots are still to be drawn or layers to be added, changed or removed."""
        return bool(self._work.isActive())

    def show(self, finding: Finding, source: Image) -> None:
        """Show a finding, in place of the one before."""
        self.finding = finding
        self.layers.quiet = False
        self.layers.stage = self._form.stage.value
        self.layers.want(self._form.wanted())
        self.layers.show(finding, source)
        self._undrawn = True
        self._work.start()

    def step(self, stage: int) -> None:
        """Show another stage."""
        self.layers.step(stage)
        self._work.start()
        if self.finding is not None and stage <= self.finding.count:
            self._form.plots.show_stage(self.finding, stage)

    def choose(self) -> None:
        """Follow the checkboxes."""
        self.layers.quiet = False
        if not self._form.grid.value:
            self.side_by_side.end()
        self.layers.want(self._form.wanted())
        self._work.start()

    def clear(self) -> None:
        """Forget the finding; its layers are taken away one by one."""
        self.finding = None
        self.layers.clear()
        self._work.start()

    def give_up(self) -> list[Any]:
        """Let go of all layers at once, and return them."""
        self.finding = None
        self.side_by_side.end()
        return self.layers.give_up()

    def release(self) -> None:
        """Let go of the viewer; the layers stay."""
        self.layers.release()
        self.side_by_side.captions.end()
        with suppress(ValueError):
            self._viewer.cursor.events.position.disconnect(self._on_cursor)
        with suppress(ValueError):
            self._viewer.layers.events.inserted.disconnect(self._give_way)
        with suppress(RuntimeError):  # where Qt has deleted them before
            self._work.stop()
            self._cursor.cancel()

    def _advance(self) -> None:
        """Draw the plots, or change one layer, so that the window answers in between."""
        if self._undrawn and self.finding is not None:
            self._undrawn = False
            self._form.plots.show_finding(self.finding, self._form.stage.value)
            self._look()
        elif not self.layers.advance():
            self._work.stop()
            self._arrange()

    def _arrange(self) -> None:
        """Put what is shown side by side, or everything as it was."""
        shown = self.layers
        if not self._form.grid.value or self.finding is None or INPUT_KEY not in shown.layers:
            self.side_by_side.end()
            return
        extent = np.ptp(shown.layers[INPUT_KEY].extent.world[:, -2:], axis=0)
        self.side_by_side.begin()
        self.side_by_side.arrange(shown.words(), tuple(extent))

    def _give_way(self, event: Any) -> None:
        """End the grid for what comes to lie over an image: it would be seen in one of the cells.

        Another image waits below until it is inspected.
        """
        layer, own = event.value, list(self.layers.layers.values())
        over = is_result(layer) or not isinstance(layer, Image)
        if over and self.side_by_side.on and layer not in own:
            self._form.grid.value = False
            self.layers.quiet = True  # what one view has in addition waits, too
            for each in own:
                each.visible = False

    def _on_cursor(self, *_: Any) -> None:
        self._cursor.throttle()

    def _look(self) -> None:
        """Show the values at the cursor."""
        point = self.layers.point(self._viewer.cursor.position)
        profile = None
        if point is not None and self.finding is not None:
            profile = self.finding.profile(*point)
        if point is not None and profile is not None:
            self._form.plots.show_profile(profile, *point)
            self.layers.move_field(*point)
