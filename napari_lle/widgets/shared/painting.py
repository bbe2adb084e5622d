"""Let a window answer between a change of its layers and the painting of it."""

from __future__ import annotations

from contextlib import suppress
from typing import Any
from weakref import ref

from qtpy.QtCore import QTimer

from .layer_events import AtLayerEvent

TURN = 6  # ms: a turn of the event loop


class PaintSoon(AtLayerEvent):
    """Puts off the painting by a turn of the event loop whenever a layer is added.

    napari needs about as long to take in a layer as to paint the window, and does both in one turn;
    both together are felt. So the window's painting is frozen until the next turn. It may go when
    napari can hold back repaints itself, as was talked of in
    https://github.com/napari/napari/pull/1945.

    Parameters
    ----------
    viewer : napari.components.ViewerModel
    widget : QWidget
        In the viewer's window.
    """

    def __init__(self, viewer: Any, widget: Any) -> None:
        super().__init__(viewer.layers.events.inserting, widget)

    def act(self, window: Any) -> None:
        """Freeze the painting, and thaw it soon."""
        if window.updatesEnabled():
            window.setUpdatesEnabled(False)
            held = ref(window)  # a timer keeps no window that is closed
            QTimer.singleShot(TURN, lambda: _paint_window(held()))


def _paint_window(window: Any) -> None:
    with suppress(RuntimeError):  # closed meanwhile
        if window is not None:
            window.setUpdatesEnabled(True)
