from types import SimpleNamespace

import numpy as np
import pytest
from napari.components import ViewerModel

from napari_lle.widgets.shared.image_choice import images
from napari_lle.widgets.shared.picture_swipe import HIDE, SHOW, PictureSwipe, swiped

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


def test_two_pictures_meet_at_a_line():
    both = swiped(BLACK, WHITE, 0.3)
    assert not both[:, :28].any() and (both[:, 32:] == 1).all()
    assert len(np.unique(both[0, 30])) == 3  # the line is in colour
    np.testing.assert_array_equal(swiped(BLACK, WHITE, 0.0), WHITE)
    np.testing.assert_array_equal(swiped(BLACK, WHITE, 1.0), BLACK)


def test_the_layer_follows_line_and_choices_and_goes_again(swipe, viewer):
    assert not swipe.button.enabled
    offered(swipe)
    assert swipe.button.enabled and swipe.left.choices == ("input", "before", "after")
    swipe.button.native.click()
    (layer,) = viewer.layers
    assert layer.name == "[compare] cup" and swipe.button.text == HIDE
    assert images(viewer) == []  # it is no image to work on
    swipe.line.value = 80
    assert not layer.data[:, :78].any() and (layer.data[:, 82:] == 1).all()
    swipe.left.value = "before"
    assert (layer.data[:, :78] == 0.5).all()
    swipe.button.native.click()
    assert not viewer.layers and swipe.button.text == SHOW
    swipe.toggle()
    viewer.layers.clear()  # by the user
    assert swipe.button.text == SHOW
    swipe.line.value = 10
    swipe.toggle()
    assert len(viewer.layers) == 1
    swipe.clear()
    assert not viewer.layers and not swipe.button.enabled


def drag(swipe, layer, start, *moves):
    event = SimpleNamespace(type="mouse_press", position=(10.0, start))
    steps = swipe._drag(layer, event)
    for column in moves:
        if next(steps, "nothing") == "nothing":
            return
        event.type, event.position = "mouse_move", (10.0, column)
    next(steps, None)
    event.type = "mouse_release"
    next(steps, None)


def test_the_line_is_dragged_on_the_canvas(swipe, viewer):
    offered(swipe)
    swipe.toggle()
    (layer,) = viewer.layers
    drag(swipe, layer, 101.0, 120.0, 60.0)  # in units of the world, twice as many as pixels
    assert swipe.line.value == 30 and layer.mouse_pan
    drag(swipe, layer, 150.0, 160.0)  # far from the line: that moves the camera
    assert swipe.line.value == 30
