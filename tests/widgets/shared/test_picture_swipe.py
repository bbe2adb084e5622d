import numpy as np
import pytest
from napari.components import ViewerModel
from napari.layers import Image
from qtpy.QtCore import QPoint, Qt
from qtpy.QtWidgets import QApplication

from napari_lle.widgets.shared.image_choice import images
from napari_lle.widgets.shared.picture_swipe import HIDE, SHOW, PictureSwipe

BLACK, GREY, WHITE = (np.full((20, 100, 3), v, np.float32) for v in (0.0, 0.5, 1.0))
PLACE = {"affine": np.diag([2.0, 2.0, 1.0])}


@pytest.fixture
def viewer():
    return ViewerModel()


@pytest.fixture
def swipe(qapp, viewer):
    made = PictureSwipe(viewer)
    yield made
    made.release()


def offered(swipe):
    pictures = {"input": BLACK, "before": GREY, "after": WHITE}
    swipe.offer(pictures, "cup", PLACE, ("input", "after"))


def test_two_layers_follow_the_choices_and_go_again(swipe, viewer):
    assert not swipe.button.enabled
    offered(swipe)
    assert swipe.button.enabled and swipe.left.choices == ("input", "before", "after")
    swipe.button.native.click()
    left, right = viewer.layers
    assert [left.name, right.name] == ["[compare] cup: input", "[compare] cup: after"]
    assert swipe.button.text == HIDE
    assert images(viewer) == []  # they are no images to work on
    swipe.left.value = "before"
    assert (left.data == 0.5).all() and (right.data == 1).all()
    assert left.name == "[compare] cup: before"
    swipe.button.native.click()
    assert not viewer.layers and swipe.button.text == SHOW


def test_an_image_that_covers_them_takes_their_place(qtbot, swipe, viewer):
    offered(swipe)
    swipe.toggle()
    viewer.add_labels(np.ones((20, 100), int))
    viewer.layers.insert(0, Image(WHITE, name="below"))
    viewer.add_image(WHITE, name="not seen", visible=False)
    qtbot.wait(50)
    assert swipe.shown
    viewer.add_image(WHITE, name="enhanced")
    qtbot.waitUntil(lambda: swipe.button.text == SHOW)
    assert [x.name for x in viewer.layers] == ["below", "Labels", "not seen", "enhanced"]
    swipe.toggle()
    viewer.add_image(WHITE)
    swipe.release()  # before it goes
    qtbot.wait(50)


def test_what_the_user_takes_away_comes_again(swipe, viewer):
    offered(swipe)
    swipe.toggle()
    viewer.layers.pop(0)
    assert swipe.button.text == SHOW and len(viewer.layers) == 1
    swipe.right.value = "before"  # of no layer now
    swipe.toggle()
    assert [layer.name[-6:] for layer in viewer.layers] == [" input", "before"]
    viewer.layers.clear()
    assert swipe.button.text == SHOW
    swipe.toggle()
    swipe.clear()
    assert not viewer.layers and not swipe.button.enabled


def test_a_line_parts_them_on_the_canvas(qtbot, make_napari_viewer):
    viewer = make_napari_viewer(show=True)
    swipe = PictureSwipe(viewer)
    offered(swipe)
    swipe.toggle()
    line = swipe.swipe.line

    def bright():
        """Columns of the canvas on which the right picture is seen."""
        QApplication.processEvents()
        shot = viewer.screenshot(canvas_only=True, flash=False)
        return np.flatnonzero(shot[shot.shape[0] // 2, :, 0] > 200)

    assert line.isVisible()
    middle, width = bright()[0], viewer.window._qt_viewer.canvas.native.width()
    assert middle == pytest.approx(width / 2, abs=line.width())
    start = QPoint(line.width() // 2, 40)
    qtbot.mousePress(line, Qt.MouseButton.LeftButton, pos=start)
    qtbot.mouseMove(line, start + QPoint(width // 5, 0))
    qtbot.mouseRelease(line, Qt.MouseButton.LeftButton, pos=start + QPoint(width // 5, 0))
    assert bright()[0] == pytest.approx(0.7 * width, abs=line.width())
    viewer.layers.pop(0)
    assert swipe.swipe is None and not line.isVisible()
    swipe.release()
