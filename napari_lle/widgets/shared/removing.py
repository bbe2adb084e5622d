"""Keep the window from crashing after a layer was removed.

napari deletes a layer's textures and programs at once, in whatever OpenGL context is current, which
is often the one that Qt composes the window with: the canvas then draws with what is half deleted,
and dies of a segmentation fault in the driver, `benchmarks/napari_crash.py` shows how. Much as in
https://github.com/napari/napari/issues/6472 and 8471. It may go when that script lives.
"""

from __future__ import annotations

from typing import Any

from qtpy.QtOpenGLWidgets import QOpenGLWidget

from .layer_events import AtLayerEvent


class RemoveInCanvas(AtLayerEvent):
    """Makes the canvas's own context current whenever a layer is about to be removed.

    Parameters
    ----------
    viewer : napari.components.ViewerModel
    widget : QWidget
        In the viewer's window.
    """

    def __init__(self, viewer: Any, widget: Any) -> None:
        super().__init__(viewer.layers.events.removing, widget)

    def act(self, window: Any) -> None:
        """Enter the context of each canvas; the last one stays."""
        for canvas in window.findChildren(QOpenGLWidget):
            canvas.makeCurrent()
