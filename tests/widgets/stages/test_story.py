"""What the stage inspector opens with, and what it leaves behind."""

import numpy as np
import pytest
from helpers.inspecting import run, settle

from napari_lle.widgets.shared.covering import grid_of
from napari_lle.widgets.shared.layers import METADATA_KEY
from napari_lle.widgets.stages.side_by_side import camera_of, canvas_of, grid_shape


@pytest.fixture
def opened(qtbot, make_napari_viewer, keep, rng):
    """A window with an input and its result, which is selected, and the inspector."""
    viewer = make_napari_viewer(show=True)
    viewer.add_image(rng.integers(0, 900, (60, 40)).astype(np.uint16), name="cells")
    viewer.add_image(np.ones((60, 40)), name="other")
    about = {METADATA_KEY: {"layer": "cells", "kind": "reflectance"}}
    viewer.add_image(np.ones((60, 40), np.float32), name="cells enhanced", metadata=about)
    dock, widget = viewer.window.add_plugin_dock_widget("napari-lle", "Stage inspector")
    keep(widget)
    qtbot.waitUntil(lambda: widget.finding is not None)
    settle(qtbot, widget)
    return viewer, dock, widget


def test_it_opens_on_the_input_with_l_and_r_beside_it(opened):
    viewer, _, widget = opened
    assert widget.form.image.value is viewer.layers["cells"]
    shown = [layer for layer in reversed(viewer.layers) if layer.visible]
    assert [layer.name for layer in shown] == ["cells · input", "cells · L 1", "cells · R 1"]
    captions = widget.showing.side_by_side.captions
    words = ["input", "L: illumination, stage 1", "R: enhanced, stage 1"]
    assert sorted(captions.texts()) == sorted(words)
    shown[1].visible = False
    assert words[1] not in captions.texts() and len(captions.texts()) == 2
    shown[1].visible = True
    grid = grid_of(viewer)
    assert grid.enabled and grid.stride == -1 and np.prod(grid.shape) == 3
    np.testing.assert_array_equal(shown[0].data, viewer.layers["cells"].data)
    assert shown[0].contrast_limits == viewer.layers["cells"].contrast_limits
    assert viewer.layers.selection.active is viewer.layers["cells enhanced"]
    assert widget.form.status.value.endswith(".")


def test_what_experts_want_is_folded(opened):
    form = opened[2].form
    for control in (form.count, form.device, form.kinds["E"], form.extras["features"]):
        assert not control.native.isVisible()
    assert not form.plots.isVisible()
    form.folds["Expert"].expand(animate=False)
    assert form.kinds["E"].native.isVisible() and form.plots.isVisible()


def test_closing_leaves_the_viewer_as_it_was(qtbot, opened):
    viewer, dock, widget = opened
    viewer.window.remove_dock_widget(dock)
    assert not grid_of(viewer).enabled and grid_of(viewer).stride == 1
    qtbot.waitUntil(lambda: len(viewer.layers) == 3)
    assert [layer.name for layer in viewer.layers] == ["cells", "other", "cells enhanced"]
    assert all(layer.visible for layer in viewer.layers)
    assert not widget.showing.side_by_side.captions.texts()


def test_the_grid_gives_way_to_what_is_laid_over_an_image(qtbot, opened):
    viewer, _, widget = opened
    viewer.add_image(np.ones((60, 40)), name="opened")
    assert grid_of(viewer).enabled
    about = {METADATA_KEY: {"layer": "cells", "kind": "reflectance"}}
    result = viewer.add_image(np.zeros((60, 40), np.float32), name="new", metadata=about)
    assert not grid_of(viewer).enabled and not widget.form.grid.value
    settle(qtbot, widget)
    shown = [layer.name for layer in viewer.layers if layer.visible]
    assert result.visible and not {"cells · input", "cells · L 1", "cells · R 1"} & set(shown)
    assert {"cells", "other", "cells enhanced", "opened"} <= set(shown)
    assert "field" in widget.showing.layers.layers and "cells · receptive field" not in shown
    widget.form.grid.value = True
    settle(qtbot, widget)
    shown = [layer.name for layer in reversed(viewer.layers) if layer.visible]
    assert sorted(shown) == ["cells · L 1", "cells · R 1", "cells · input"]


def test_side_by_side_hides_the_others_for_as_long(qtbot, viewer, make, stack):
    source = viewer.add_image(stack[0], name="cells")
    hidden = viewer.add_image(stack[0], name="hidden", visible=False)
    widget = make(viewer)
    widget.form.image.value = source
    run(qtbot, widget)
    assert source.visible and not grid_of(viewer).enabled
    camera = camera_of(viewer)
    camera.center, camera.zoom = (0, 11, 17), 6.5
    widget.form.grid.value = True
    settle(qtbot, widget)
    assert not source.visible and grid_of(viewer).enabled and camera.zoom != 6.5
    assert "field" not in widget.showing.layers.layers and "input" in widget.showing.layers.layers
    widget.form.grid.value = False
    settle(qtbot, widget)
    assert source.visible and not hidden.visible and not grid_of(viewer).enabled
    assert (tuple(camera.center), camera.zoom) == ((0, 11, 17), 6.5)
    assert "field" in widget.showing.layers.layers and "input" not in widget.showing.layers.layers


def test_side_by_side_shows_a_small_image_large_beside_others(qtbot, viewer, make, stack):
    viewer.add_image(np.zeros((900, 1200)), name="wide", translate=(5000, 7000))
    source = viewer.add_image(stack[0], name="cells", scale=(0.1, 0.1))
    widget = make(viewer)
    widget.form.image.value = source
    run(qtbot, widget)
    widget.form.grid.value = True
    settle(qtbot, widget)
    camera, world = camera_of(viewer), source.extent.world
    np.testing.assert_allclose(camera.center[-2:], world.mean(axis=0))
    height, width = canvas_of(viewer)
    rows, columns = grid_of(viewer).shape
    share = np.ptp(world, axis=0) * camera.zoom / (height / rows, width / columns)
    assert 0.6 < share.max() < 1


def test_another_model_is_inspected_at_once(qtbot, viewer, make, stack):
    viewer.add_image(stack[0], name="cells")
    widget = make(viewer)
    run(qtbot, widget)
    widget.form.model.use("linear")
    qtbot.waitUntil(lambda: widget.finding.stages.model.name == "linear")
    settle(qtbot, widget)


@pytest.mark.parametrize(
    ("extent", "canvas", "shape"),
    [((400, 600), (750, 650), (3, 1)), ((600, 400), (750, 1200), (1, 3))],
)
def test_cells_suit_the_image(extent, canvas, shape):
    assert grid_shape(3, extent, canvas) == shape
    assert grid_shape(4, (500, 500), (700, 700)) == (2, 2)
