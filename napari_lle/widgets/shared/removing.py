"""Keep the window from crashing after a layer was removed.

napari deletes a layer's textures and programs at once, in whatever OpenGL context is current, which
is often the one that Qt composes the window with: the canvas then draws with what is half deleted,
and dies of a segmentation fault in the driver, `benchmarks/napari_crash.py` shows how. Much as in
https://github.com/napari/napari/issues/6472 and 8471. It may go when that script lives.
"""

from __future__ import annotations

from contextlib import suppress
from typing import Any

from qtpy.QtOpenGLWidgets import QOpenGLWidget


class RemoveInCanvas:
    """Makes the canvas's own context current whenever a layer is about to be removed.

    Parameters
    ----------
    viewer : napari.components.ViewerModel
    widget : QWidget
        In the viewer's window.
    """

    def __init__(self, viewer: Any, widget: Any) -> None:
        self._event = viewer.layers.events.removing
        self._widget = widget
        self._event.connect(self._enter)

    def release(self) -> None:
        """Let go of the viewer."""
        with suppress(ValueError):
            self._event.disconnect(self._enter)

    def _enter(self, *_: Any) -> None:
        with suppress(RuntimeError):  # the widget is gone
            for canvas in self._widget.window().findChildren(QOpenGLWidget):
                canvas.makeCurrent()
