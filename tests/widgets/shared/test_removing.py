"""Layers are removed in the canvas's own OpenGL context, or napari may die of it."""

import numpy as np
import pytest
from qtpy.QtGui import QOpenGLContext
from qtpy.QtWidgets import QWidget

from napari_lle.widgets.shared.removing import RemoveInCanvas

PIXELS = np.zeros((20, 30), np.uint8)


@pytest.fixture
def window(qtbot, make_napari_viewer):
    """A viewer on the screen with a widget in it, drawn."""
    viewer, widget = make_napari_viewer(show=True), QWidget()
    viewer.window.add_dock_widget(widget)
    viewer.add_image(PIXELS)
    qtbot.waitExposed(viewer.window._qt_window)
    qtbot.wait(200)
    return viewer, widget


def test_the_canvas_is_current_while_a_layer_goes(window):
    viewer, widget = window
    canvas, current = viewer.window._qt_viewer.canvas.native, []
    viewer.layers.events.removed.connect(lambda: current.append(QOpenGLContext.currentContext()))
    removing = RemoveInCanvas(viewer, widget)
    if (before := QOpenGLContext.currentContext()) is not None:
        before.doneCurrent()
    viewer.layers.clear()
    assert [context.surface() for context in current] == [canvas.context().surface()]
    removing.release()
    canvas.doneCurrent()
    viewer.add_image(PIXELS)
    viewer.layers.clear()
    assert len(current) == 2
    removing.release()  # again is no error


def test_without_a_window_nothing_happens(viewer, qtbot):
    widget = QWidget()
    removing = RemoveInCanvas(viewer, widget)
    viewer.add_image(PIXELS)
    viewer.layers.clear()
    with qtbot.waitSignal(widget.destroyed):
        widget.deleteLater()
    viewer.add_image(PIXELS)
    viewer.layers.clear()
    removing.release()
