"""The preview of the visible part: what it equals, follows and leaves alone."""

from collections import Counter

import numpy as np
import pytest
from helpers.lazy import watched
from helpers.running import last, run
from napari.layers import Image

from napari_lle.model.inference import enhance as inference
from napari_lle.model.inference import plan as _plan
from napari_lle.model.inference import torch_tiles
from napari_lle.model.inference.options import EnhanceOptions
from napari_lle.widgets.enhance.blending import Blend
from napari_lle.widgets.enhance.found import found_steps
from napari_lle.widgets.enhance.preview_part import preview_steps
from napari_lle.widgets.enhance.subject import Subject, subject_steps
from napari_lle.widgets.shared.layers import Region


@pytest.mark.parametrize(("rgb", "model"), [(True, ""), (False, ""), (True, "photo-quarter")])
def test_preview_equals_the_whole_at_its_place(qtbot, viewer, make, rng, rgb, model):
    shape = (190, 230, 3) if rgb else (3, 190, 230)
    image = rng.integers(0, 200, shape).astype(np.uint8 if rgb else np.uint16)
    layer = viewer.add_image(image, name="night", rgb=rgb, scale=(0.5,) * (2 if rgb else 3))
    if not rgb:
        viewer.dims.set_point(0, 1.0)
    layer.corner_pixels = np.array([[0] * layer.ndim, [0] * layer.ndim])
    layer.corner_pixels[:, -2:] = [[101, 117], [149, 180]]
    widget = make(viewer)
    if model:
        widget.form.model.use(model)
    widget.form.preview.value = True
    qtbot.waitUntil(lambda: widget.preview.layer is not None)
    shown = widget.preview.layer
    assert shown.name == "[preview] night"
    corner = (101, 117) if rgb else (2, 101, 117)
    np.testing.assert_allclose(shown.data_to_world((0,) * layer.ndim), layer.data_to_world(corner))
    whole = inference.enhance(image, widget.form.model.value, rgb=rgb).reflectance
    region = whole[101:150, 117:181] if rgb else whole[2:3, 101:150, 117:181]
    np.testing.assert_allclose(shown.data, region, rtol=1e-5, atol=1e-7)
    assert shown not in widget.form.image.choices
    assert viewer.layers.selection.active is layer
    widget.form.preview.value = False
    assert [each.name for each in viewer.layers] == ["night"]


def test_preview_follows_slider_and_strength(qtbot, viewer, make, rng, monkeypatch):
    stack = rng.integers(0, 900, (4, 40, 50)).astype(np.uint16)
    viewer.add_image(stack, name="cells")
    viewer.dims.set_point(0, 0)
    widget = make(viewer)
    widget.form.preview.value = True
    qtbot.waitUntil(lambda: widget.preview.layer is not None)
    shown = widget.preview.layer
    viewer.dims.set_point(0, 3)
    qtbot.waitUntil(lambda: shown.translate[0] == 3)
    qtbot.waitUntil(lambda: not widget.preview.busy)
    levels = inference.enhance(stack, widget.form.model.value, rgb=False).levels
    calls = []
    monkeypatch.setattr(torch_tiles, "_run_tile", lambda *a: calls.append(1))
    full = np.array(shown.data)
    widget.form.strength.value = 0.0
    qtbot.waitUntil(lambda: not np.array_equal(shown.data, full))
    plain = (stack[3] - levels.black) / levels.span
    np.testing.assert_allclose(shown.data[0], plain, rtol=1e-4, atol=1e-6)
    assert not calls


def test_deleting_the_preview_layer_switches_it_off(qtbot, viewer, make, photo):
    viewer.add_image(photo, name="night", rgb=True)
    widget = make(viewer)
    widget.form.preview.value = True
    qtbot.waitUntil(lambda: widget.preview.layer is not None)
    viewer.layers.remove(widget.preview.layer)
    qtbot.waitUntil(lambda: widget.form.preview.value is False)
    assert not widget.preview.on


def test_a_preview_leaves_the_choice_that_is_not_the_selection(qtbot, viewer, make, photo):
    first = viewer.add_image(photo, name="first", rgb=True)
    second = viewer.add_image(photo[::-1], name="second", rgb=True)
    widget = make(viewer)
    widget.form.image.value = second
    widget.form.preview.value = True
    qtbot.waitUntil(lambda: widget.preview.layer is not None)
    widget.form.image.value = first
    qtbot.waitUntil(lambda: widget.preview.layer in viewer.layers)
    qtbot.waitUntil(lambda: widget.preview.layer.name == "[preview] first")
    assert viewer.layers.selection.active is second
    assert widget.form.image.value is first
    run(qtbot, widget)
    assert widget.live.layer.name.startswith("first enhanced")


def test_a_preview_leaves_several_layers_selected(qtbot, viewer, make, stack):
    """Those that are enhanced together are selected: a preview of them must not undo that."""
    channels = {viewer.add_image(stack[i], name=name) for i, name in enumerate(("red", "green"))}
    widget = make(viewer)
    viewer.layers.selection = channels
    widget.form.together.value = True
    widget.form.preview.value = True
    qtbot.waitUntil(lambda: widget.preview.layer is not None)
    assert set(viewer.layers.selection) == channels
    run(qtbot, widget)
    assert len(widget.results.layers) == 2


def test_a_preview_is_shown_between_the_limits_of_new_options(qtbot, viewer, make, stack):
    viewer.add_image(stack[0], name="cells")
    widget = make(viewer)
    widget.form.model.use("auto")
    widget.form.look.value = "fluorescence"
    widget.form.preview.value = True
    qtbot.waitUntil(lambda: widget.preview.layer is not None)
    shown = widget.preview.layer
    shown.contrast_limits = (0.1, 0.4)  # by hand
    widget.form.look.value = "publication"
    qtbot.waitUntil(lambda: tuple(shown.contrast_limits) == (0, 1))
    assert widget.preview.layer is shown


def test_deleting_all_layers_leaves_the_preview_on_for_the_next_image(qtbot, viewer, make, photo):
    viewer.add_image(photo, name="night", rgb=True)
    widget = make(viewer)
    widget.form.preview.value = True
    qtbot.waitUntil(lambda: widget.preview.layer is not None)
    viewer.layers.clear()
    viewer.add_image(photo[::-1], name="next", rgb=True)
    qtbot.waitUntil(lambda: widget.preview.layer is not None)
    assert widget.form.preview.value is True
    assert widget.preview.layer.name == "[preview] next"


def test_what_a_preview_says_of_itself_goes_when_it_no_longer_holds(qtbot, viewer, make, rng):
    wide = viewer.add_image(rng.integers(0, 900, (1300, 1300)).astype(np.uint16), name="wide")
    widget = make(viewer)
    widget.form.preview.value = True
    status, camera = widget.form.status, getattr(viewer, "scene", viewer).camera
    qtbot.waitUntil(lambda: "one pixel in 2" in status.value)
    wide.corner_pixels = np.array([[0, 0], [99, 99]])  # as zooming in does
    camera.zoom *= 10
    qtbot.waitUntil(lambda: status.value == "")
    viewer.dims.ndisplay = 3
    qtbot.waitUntil(lambda: "2-D view" in status.value)
    viewer.dims.ndisplay = 2
    qtbot.waitUntil(lambda: widget.preview.layer is not None and status.value == "")
    wide.corner_pixels = np.array([[0, 0], [1299, 1299]])
    camera.zoom /= 10
    qtbot.waitUntil(lambda: "one pixel in 2" in status.value)
    status.value = "Saved it."
    widget.form.preview.value = False
    assert status.value == "Saved it."


def test_what_is_looked_at_is_read_once(model_file, rng):
    source, stack = watched(rng.integers(0, 900, (5, 32, 48)).astype(np.uint16), (1, 32, 48))
    layer = Image(stack, name="cells", contrast_limits=(0, 900))
    subject = Subject((layer,), (0, 1, 2), EnhanceOptions(model=str(model_file), rgb=False))
    for steps in (
        lambda: preview_steps(subject, Region((2,), (0, 8), (0, 8)), None),
        lambda: found_steps(subject),
        lambda: subject_steps(subject, Blend(1.0), False),
    ):
        source.read.clear()
        held = last(steps())
        read = Counter(int(np.ravel(np.arange(5)[key[0]])[0]) for key, _ in source.read)
        glimpses = [read.pop(plane) for plane in (0, 2, 4)]  # of what is shown first
        assert max(glimpses) <= 2 and set(read.values()) == {1}, held


def test_a_run_can_be_cancelled_between_reading_and_levels(model_file, rng, monkeypatch):
    source, stack = watched(rng.integers(0, 900, (5, 32, 48)).astype(np.uint16), (1, 32, 48))
    layer = Image(stack, name="cells", contrast_limits=(0, 900))
    subject = Subject((layer,), (0, 1, 2), EnhanceOptions(model=str(model_file), rgb=False))
    monkeypatch.setattr(_plan, "find_survey", lambda *_, **__: pytest.fail("it went on"))
    steps = subject_steps(subject, Blend(1.0), False)
    source.read.clear()
    next(steps)
    assert not source.read
    next(steps)
    assert len(source.read) == 5
    steps.close()
