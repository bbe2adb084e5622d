"""Layers that are deleted are held by nothing in a widget, however they were known to it."""

import numpy as np
import pytest
from helpers.inspecting import settle
from helpers.running import run
from monkey_watch import held


def until_let_go(qtbot, widget, viewer):
    """What is under way may hold a layer until it has ended; nothing does after it."""
    qtbot.waitUntil(lambda: all(layer in viewer.layers for _, layer in held(widget)))


@pytest.fixture
def cells(rng):
    return (100 + rng.gamma(2, 300, (48, 64))).astype(np.uint16)


def test_results_and_covers_let_go_of_input_and_illumination(qtbot, viewer, make, cells):
    viewer.add_image(cells, name="cells", blending="additive")
    widget = make(viewer)
    widget.form.illumination.value = True
    run(qtbot, widget)
    assert len(viewer.layers) == 3
    for layer in [viewer.layers["cells"], *(x for x in viewer.layers if "illumination" in x.name)]:
        viewer.layers.remove(layer)
        until_let_go(qtbot, widget, viewer)


def test_compare_and_gallery_let_go(qtbot, make_napari_viewer, make, cells):
    viewer = make_napari_viewer(show=True)
    viewer.add_image(cells, name="cells")
    widget = make(viewer)
    run(qtbot, widget)
    widget.form.compare.swipe.value = True
    widget.form.folds["Compare"].expand(animate=False)
    qtbot.waitUntil(lambda: bool(widget.gallery._asked) and not widget.gallery._todo)
    qtbot.waitUntil(lambda: not widget.gallery.job.running)
    viewer.layers.remove("cells")
    until_let_go(qtbot, widget, viewer)


def test_levels_let_go_whatever_is_chosen_next(qtbot, viewer, make, cells):
    viewer.add_image(cells, name="cells")
    widget = make(viewer)
    qtbot.waitUntil(lambda: widget.levels.found is not None)
    with widget.form.image.changed.blocked():
        viewer.layers.remove("cells")
    until_let_go(qtbot, widget.levels, viewer)


def test_the_inspector_lets_go_of_what_it_has_hidden_and_seen(
    qtbot, make_napari_viewer, keep, cells
):
    viewer = make_napari_viewer(show=True)
    viewer.add_image(cells, name="cells")
    viewer.add_image(cells, name="other")
    _, widget = viewer.window.add_plugin_dock_widget("napari-lle", "Stage inspector")
    keep(widget)
    qtbot.waitUntil(lambda: widget.finding is not None)
    settle(qtbot, widget)
    for name in ("cells", "other"):
        viewer.layers.remove(name)
        settle(qtbot, widget)
        until_let_go(qtbot, widget, viewer)


def test_a_layer_unchecked_before_its_turn_is_not_added(qtbot, make_napari_viewer, keep, cells):
    viewer = make_napari_viewer()
    viewer.add_image(cells, name="cells")
    _, widget = viewer.window.add_plugin_dock_widget("napari-lle", "Stage inspector")
    keep(widget)
    qtbot.waitUntil(lambda: widget.finding is not None)
    settle(qtbot, widget)
    widget.form.kinds["u"].value = True
    widget.form.kinds["u"].value = False
    settle(qtbot, widget)
    assert "u" not in widget.showing.layers.layers
