"""The window is painted a turn after a layer is added, in a real viewer; and whatever is closed."""

import numpy as np
from napari.components import ViewerModel
from qtpy.QtWidgets import QWidget

from napari_lle.widgets.shared.painting import PaintSoon

PIXELS = np.zeros((20, 30), np.uint8)


def docked(qtbot, make_napari_viewer):
    """A viewer on the screen with a widget in it, drawn; its window and the widget."""
    viewer = make_napari_viewer(show=True)
    widget = QWidget()
    viewer.window.add_dock_widget(widget)
    qtbot.waitExposed(viewer.window._qt_window)
    qtbot.wait(200)
    return viewer, viewer.window._qt_window, widget


def delete(qtbot, widget):
    with qtbot.waitSignal(widget.destroyed):
        widget.deleteLater()


def test_painting_waits_a_turn_for_each_layer(qtbot, make_napari_viewer):
    viewer, window, widget = docked(qtbot, make_napari_viewer)
    painting = PaintSoon(viewer, widget)
    canvas = viewer.window._qt_viewer.canvas
    drawn = []
    canvas.events.draw.connect(lambda _: drawn.append(window.updatesEnabled()))
    for count in (1, 2):
        drawn.clear()
        viewer.add_image(PIXELS)
        assert not window.updatesEnabled()
        canvas.native.repaint()  # at once, if that were allowed
        assert not drawn
        qtbot.waitUntil(lambda: bool(drawn))
        assert window.updatesEnabled() and all(drawn)
        assert len(viewer.layers) == count
    painting.release()


def test_layers_of_one_turn_wait_once(qtbot, make_napari_viewer):
    viewer, window, widget = docked(qtbot, make_napari_viewer)
    painting = PaintSoon(viewer, widget)
    viewer.add_image(PIXELS)
    viewer.add_image(PIXELS)
    assert not window.updatesEnabled()
    qtbot.waitUntil(window.updatesEnabled)
    qtbot.wait(50)
    assert window.updatesEnabled()
    painting.release()


def test_after_its_release_it_does_nothing(qtbot, make_napari_viewer):
    viewer, window, widget = docked(qtbot, make_napari_viewer)
    painting = PaintSoon(viewer, widget)
    painting.release()
    viewer.add_image(PIXELS)
    assert window.updatesEnabled()
    painting.release()  # again is no error


def test_a_closed_widget_is_survived(qtbot, make_napari_viewer):
    viewer, window, widget = docked(qtbot, make_napari_viewer)
    painting = PaintSoon(viewer, widget)
    viewer.window.remove_dock_widget(widget)
    delete(qtbot, widget)
    viewer.add_image(PIXELS)
    assert window.updatesEnabled() and len(viewer.layers) == 1
    painting.release()


def test_a_window_that_closes_meanwhile_is_survived(qtbot):
    viewer, window = ViewerModel(), QWidget()
    painting = PaintSoon(viewer, window)
    viewer.add_image(PIXELS)
    assert not window.updatesEnabled()
    delete(qtbot, window)
    qtbot.wait(50)  # an error in the turn that follows would fail the test
    painting.release()
