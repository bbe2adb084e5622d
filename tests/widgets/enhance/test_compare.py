"""Before and after: by a key that is held, along a line, as a difference."""

import numpy as np
import pytest
from helpers.running import run
from napari.layers import Image, Labels, Points, Shapes, Surface, Tracks, Vectors
from napari.utils.shortcuts import default_shortcuts
from qtpy.QtCore import QPoint, Qt

from napari_lle.model import enhance
from napari_lle.widgets.enhance.compare_controls import KEY_BEFORE


@pytest.fixture
def cells(rng):
    return (100 + rng.gamma(2, 300, (48, 64))).astype(np.uint16)


def visible(viewer):
    return [layer.name for layer in viewer.layers if layer.visible]


def test_napari_leaves_the_key_free_and_tooltips_name_it(viewer, make):
    taken = {str(key) for keys in default_shortcuts.values() for key in keys}
    for kind in (Image, Labels, Points, Shapes, Surface, Tracks, Vectors):
        taken |= {str(key) for key in kind.class_keymap}
    taken |= {str(key) for key in type(viewer).class_keymap}
    assert KEY_BEFORE not in taken and "Space" in taken
    controls = make(viewer).form.compare
    assert f"the key {KEY_BEFORE}" in controls.before.tooltip


@pytest.mark.parametrize("blending", ["additive", "translucent_no_depth"])
def test_the_input_is_seen_while_the_key_is_held(qtbot, viewer, make, cells, blending):
    viewer.add_image(cells, name="cells", blending=blending)
    viewer.add_labels(np.zeros((48, 64), int), name="marks")
    widget = make(viewer)
    run(qtbot, widget)
    widget.form.again.value = "add"
    run(qtbot, widget)
    before = visible(viewer)
    held = next(iter(viewer.keymap.values()))(viewer)
    next(held)
    assert visible(viewer) == ["cells", "marks"]
    next(held, None)
    assert visible(viewer) == before
    button = widget.form.compare.before.native
    button.pressed.emit()
    assert visible(viewer) == ["cells", "marks"]
    button.released.emit()
    assert visible(viewer) == before


def test_the_key_serves_the_preview_too_and_nothing_without_either(qtbot, viewer, make, cells):
    viewer.add_image(cells, name="cells", blending="additive")
    widget = make(viewer)
    widget.compare.before()
    assert visible(viewer) == ["cells"]
    widget.form.preview.value = True
    qtbot.waitUntil(lambda: widget.preview.layer is not None)
    widget.compare.before()
    assert visible(viewer) == ["cells"]
    widget.compare.after()
    assert visible(viewer) == ["[preview] cells"]
    widget.release()
    assert not viewer.keymap


def test_a_real_key_is_heard_in_the_panel_and_on_the_canvas(qtbot, make_napari_viewer, make, cells):
    viewer = make_napari_viewer(show=True)
    viewer.add_image(cells, name="cells", blending="additive")
    widget = make(viewer)
    viewer.window.add_dock_widget(widget)
    run(qtbot, widget)
    for place in (widget.form.run.native, viewer.window._qt_viewer.canvas.native):
        qtbot.keyPress(place, Qt.Key.Key_H)
        assert visible(viewer) == ["cells"]
        qtbot.keyRelease(place, Qt.Key.Key_H)
        assert visible(viewer) == ["cells enhanced · not for measuring"]


def test_a_line_parts_the_canvas_and_is_dragged(qtbot, make_napari_viewer, make, cells):
    viewer = make_napari_viewer(show=True)
    viewer.add_image(cells, name="cells", blending="additive", contrast_limits=(0, 65535))
    widget = make(viewer)
    run(qtbot, widget)
    canvas = viewer.window._qt_viewer.canvas.native

    def bright():
        """The share of the canvas, from its left, where only the dark input is seen."""
        shot = viewer.screenshot(canvas_only=True, flash=False)[..., :3]
        shot = shot[: len(shot) // 2].max(axis=(0, 2))  # above the mark of the result
        lit = np.flatnonzero(shot > 40)
        return lit[0] / len(shot)

    whole = bright()
    widget.form.compare.swipe.value = True
    line = widget.compare.swipe.line
    assert line.isVisible() and visible(viewer) == ["cells", "cells enhanced · not for measuring"]
    assert bright() == pytest.approx(0.5, abs=0.01)
    start = QPoint(line.width() // 2, 40)
    away = QPoint(round(canvas.width() * 0.2), 0)
    qtbot.mousePress(line, Qt.MouseButton.LeftButton, pos=start)
    qtbot.mouseMove(line, start + away)
    qtbot.mouseRelease(line, Qt.MouseButton.LeftButton, pos=start + away)
    assert line.share == pytest.approx(0.7, abs=0.02)
    assert bright() == pytest.approx(line.share, abs=0.01)
    widget.compare.before()
    assert line.isHidden() and visible(viewer) == ["cells"]
    widget.compare.after()
    assert line.isVisible()
    widget.form.compare.swipe.value = False
    assert visible(viewer) == ["cells enhanced · not for measuring"]
    assert bright() == pytest.approx(whole, abs=0.01)
    widget.form.compare.swipe.value = True
    viewer.layers.remove("cells")
    line = widget.compare.swipe.line
    qtbot.waitUntil(line.isHidden)
    assert bright() == pytest.approx(whole, abs=0.01)


def test_a_result_whose_input_is_gone_stays_seen(qtbot, viewer, make, cells):
    viewer.add_image(cells, name="cells")
    widget = make(viewer)
    run(qtbot, widget)
    viewer.layers.remove("cells")
    before = visible(viewer)
    widget.compare.before()
    assert visible(viewer) == before == ["cells enhanced · not for measuring"]
    widget.compare.after()
    assert visible(viewer) == before


def test_restored_values_make_room_for_the_line(qtbot, make_napari_viewer, make, cells):
    viewer = make_napari_viewer(show=True)
    viewer.add_image(cells, name="cells")
    widget = make(viewer)
    run(qtbot, widget)
    widget.form.result.restore.native.click()
    qtbot.waitUntil(lambda: "cells restored" in viewer.layers)
    before = visible(viewer)
    assert before[-1] == "cells restored"
    widget.form.compare.swipe.value = True
    assert visible(viewer) == ["cells", "cells enhanced · not for measuring"]
    widget.form.compare.swipe.value = False
    assert visible(viewer) == before
    viewer.layers.remove("cells restored")
    widget.form.compare.swipe.value = True
    widget.form.result.restore.native.click()
    qtbot.waitUntil(lambda: "cells restored" in viewer.layers)
    assert not widget.form.compare.swipe.value and visible(viewer)[-1] == "cells restored"


def test_the_line_is_laid_over_a_new_preview_as_well(qtbot, make_napari_viewer, make, cells):
    viewer = make_napari_viewer(show=True)
    viewer.add_image(cells, name="cells", blending="additive")
    widget = make(viewer)
    widget.form.compare.swipe.value = True
    assert widget.compare.swipe.line.isHidden()
    widget.form.preview.value = True
    qtbot.waitUntil(lambda: widget.preview.layer is not None)
    qtbot.waitUntil(lambda: visible(viewer) == ["cells", "[preview] cells"])
    assert widget.compare.swipe.line.isVisible()
    widget.form.preview.value = False
    qtbot.waitUntil(widget.compare.swipe.line.isHidden)
    assert visible(viewer) == ["cells"]


def test_line_and_key_go_with_the_dock_and_come_with_it(qtbot, make_napari_viewer, cells):
    viewer = make_napari_viewer(show=True)
    viewer.add_image(cells, name="cells", blending="additive")
    dock, widget = viewer.window.add_plugin_dock_widget("napari-lle", "Enhance")
    widget.form.compare.swipe.value = True
    qtbot.waitUntil(lambda: visible(viewer) == ["cells", "[preview] cells"])
    line = widget.compare.swipe.line
    assert line.isVisible() and viewer.keymap
    viewer.window.remove_dock_widget(dock)
    assert widget.compare.swipe is None and not viewer.keymap
    assert visible(viewer) == ["cells"]
    viewer.window.add_dock_widget(widget)
    assert viewer.keymap and not widget.form.compare.swipe.value
    qtbot.waitUntil(lambda: widget.preview.layer is not None)
    widget.release()


def test_a_window_is_closed_with_the_line_on_it(qtbot, make_napari_viewer, make, cells):
    viewer = make_napari_viewer(show=True)
    viewer.add_image(cells, name="cells", blending="additive")
    widget = make(viewer)
    viewer.window.add_dock_widget(widget)
    run(qtbot, widget)
    widget.form.compare.swipe.value = True
    widget.compare.before()
    with qtbot.waitSignal(widget.native.destroyed):
        viewer.close()
    qtbot.wait(50)  # an error in the turn that follows would fail the test
    assert widget.compare.swipe is None


def test_in_a_grid_there_is_no_line_and_a_sentence(make_napari_viewer, make, cells):
    viewer = make_napari_viewer()
    viewer.add_image(cells, name="cells")
    widget = make(viewer)
    grid = getattr(viewer, "canvas", viewer).grid
    grid.enabled = True
    widget.form.compare.swipe.value = True
    assert not widget.form.compare.swipe.value and widget.compare.swipe is None
    assert "grid" in widget.form.status.value
    grid.enabled = False
    widget.form.compare.swipe.value = True
    assert widget.compare.swipe is not None


def test_without_a_window_there_is_no_line_and_a_sentence(viewer, make):
    widget = make(viewer)
    widget.form.compare.swipe.value = True
    assert not widget.form.compare.swipe.value
    assert "no canvas" in widget.form.status.value


@pytest.mark.parametrize("kind", ["grey", "colour"])
def test_the_difference_is_a_layer(qtbot, viewer, make, cells, photo, model_file, kind):
    image = cells if kind == "grey" else photo
    viewer.add_image(image, name="it", rgb=kind == "colour")
    widget = make(viewer)
    run(qtbot, widget)
    widget.form.result.difference.native.click()
    qtbot.waitUntil(lambda: "it enhanced difference" in viewer.layers)
    layer = viewer.layers["it enhanced difference"]
    after, before = (
        enhance(image, model_file, look=widget.form.look.value, strength=s).reflectance
        for s in (1, 0)
    )
    expected = after - before
    if kind == "colour":
        expected = np.take_along_axis(
            expected, np.abs(expected).argmax(axis=-1)[..., None], axis=-1
        )[..., 0]
    np.testing.assert_allclose(np.abs(layer.data), np.abs(expected), atol=1e-6)
    assert layer.contrast_limits[0] == -layer.contrast_limits[1]
