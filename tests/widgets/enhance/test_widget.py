import gc
import weakref

import numpy as np
import pytest
from helpers.running import run, slow_steps
from helpers.turns import Turns

from napari_lle.model.inference import enhance as inference
from napari_lle.model.inference import torch_tiles
from napari_lle.model.progress import Progress
from napari_lle.widgets.shared.layers import METADATA_KEY


def test_a_run_adds_a_layer_with_place_and_record(qtbot, viewer, make, rng, model_file):
    stack = rng.integers(0, 900, (3, 40, 50)).astype(np.uint16)
    layer = viewer.add_image(
        stack,
        name="cells",
        scale=(2, 0.5, 0.5),
        translate=(1, 2, 3),
        units=("um",) * 3,
        axis_labels=("z", "y", "x"),
        blending="additive",
        colormap="green",
    )
    widget = make(viewer)
    run(qtbot, widget)
    result = viewer.layers["cells enhanced · not for measuring"]
    assert result.data.dtype == np.float32
    expected = inference.enhance(stack, model_file, rgb=False)
    np.testing.assert_array_equal(result.data, expected.reflectance)
    np.testing.assert_array_equal(result.scale, layer.scale)
    np.testing.assert_array_equal(result.translate, layer.translate)
    assert result.units == layer.units
    assert result.axis_labels == layer.axis_labels
    assert result.blending == "additive"
    assert not result.rgb
    assert tuple(result.contrast_limits) != tuple(layer.contrast_limits)
    assert [str(u) for u in viewer.layers.extent.units] == ["micrometer"] * 3
    record = result.metadata[METADATA_KEY]
    assert record["strength"] == 1.0
    assert record["model"] == "random"
    assert record["levels"]["white"] == expected.levels.white
    assert record["layer"] == "cells"
    assert "measure" in record["note"]
    assert "cells enhanced" in widget.form.status.value
    assert widget.form.run.enabled
    assert not widget.form.cancel.enabled


def test_a_photograph_stays_rgb_and_brings_its_illumination(qtbot, viewer, make, photo):
    viewer.add_image(photo, name="night", rgb=True)
    widget = make(viewer)
    widget.form.illumination.value = True
    widget.form.strength.value = 0.6
    run(qtbot, widget)
    result, light = (
        viewer.layers["night enhanced · not for measuring"],
        viewer.layers["night illumination"],
    )
    assert result.rgb
    assert light.rgb
    np.testing.assert_allclose(result.data * light.data, photo / 255, atol=1e-6)
    widget.form.strength.value = 0.3
    qtbot.waitUntil(lambda: light.metadata[METADATA_KEY]["strength"] == 0.3)
    np.testing.assert_allclose(result.data * light.data, photo / 255, atol=1e-6)


def test_strength_moves_the_result_without_the_network(qtbot, viewer, make, photo, monkeypatch):
    viewer.add_image(photo, name="night", rgb=True)
    widget = make(viewer)
    calls = []
    real = torch_tiles._run_tile
    monkeypatch.setattr(torch_tiles, "_run_tile", lambda *a: (calls.append(1), real(*a))[1])
    run(qtbot, widget)
    assert calls
    before = len(calls)
    result = viewer.layers["night enhanced · not for measuring"]
    full = np.array(result.data)
    widget.form.strength.value = 0.5
    qtbot.waitUntil(lambda: result.metadata[METADATA_KEY]["strength"] == 0.5)
    assert np.abs(result.data - full).max() > 0.01
    np.testing.assert_array_equal(result.data, widget.live.estimate.reflectance(0.5))
    widget.form.strength.value = 0.0
    qtbot.waitUntil(lambda: result.metadata[METADATA_KEY]["strength"] == 0.0)
    np.testing.assert_allclose(result.data, photo / 255, rtol=1e-6)
    assert len(calls) == before


@pytest.mark.parametrize("shape", [(4, 40, 50), (120, 150)])
def test_strength_moves_large_results_too(qtbot, viewer, make, rng, monkeypatch, shape):
    monkeypatch.setattr("napari_lle.widgets.enhance.blending.EAGER", 1000)
    viewer.add_image(rng.integers(0, 900, shape).astype(np.uint16), name="big")
    widget = make(viewer)
    run(qtbot, widget)
    result = viewer.layers["big enhanced · not for measuring"]
    for strength in (0.9, 0.7, 0.4):
        widget.form.strength.value = strength
    qtbot.waitUntil(lambda: result.metadata[METADATA_KEY]["strength"] == 0.4)
    np.testing.assert_array_equal(np.asarray(result.data), widget.live.estimate.reflectance(0.4))


def test_cancel_returns_the_button_and_adds_nothing(qtbot, viewer, make, photo, monkeypatch):
    monkeypatch.setattr(inference, "scene_steps", slow_steps)
    viewer.add_image(photo, rgb=True)
    widget = make(viewer)
    widget.form.run.native.click()
    assert not widget.form.run.enabled
    qtbot.waitUntil(lambda: widget.form.progress.value > 0)
    widget.form.cancel.native.click()
    qtbot.waitUntil(lambda: not widget.job.running)
    assert widget.form.run.enabled
    assert not widget.form.cancel.enabled
    assert len(viewer.layers) == 1
    assert "Cancelled" in widget.form.status.value


def test_a_runtime_error_reaches_the_user(qtbot, viewer, make, photo, monkeypatch):
    def broken(*args, **kwargs):
        yield Progress(0, 1)
        raise RuntimeError("the kernel failed")

    monkeypatch.setattr(inference, "scene_steps", broken)
    viewer.add_image(photo, rgb=True)
    widget = make(viewer)
    run(qtbot, widget)
    assert widget.form.status.value == "the kernel failed"
    assert widget.form.run.enabled
    assert len(viewer.layers) == 1


def test_a_level_that_is_no_number_is_said_before_the_run(viewer, make, photo):
    viewer.add_image(photo, rgb=True)
    widget = make(viewer)
    widget.form.levels.black.value = "dark"
    widget.form.run.native.click()
    assert widget.job is None
    assert "black level must be a number" in widget.form.status.value


def test_levels_are_used_and_shown(qtbot, viewer, make, rng):
    viewer.add_image(rng.integers(0, 900, (30, 30)).astype(np.uint16), name="a")
    widget = make(viewer)
    widget.form.levels.black.value = "17"
    run(qtbot, widget)
    levels = viewer.layers["a enhanced · not for measuring"].metadata[METADATA_KEY]["levels"]
    assert levels["black"] == 17
    assert f"{levels['white']:.6g}" in widget.form.levels.white.native.placeholderText()


def test_the_image_choice_follows_the_viewer(viewer, make, photo):
    viewer.add_image(photo, name="first", rgb=True)
    second = viewer.add_image(photo, name="second", rgb=True)
    viewer.add_labels(np.zeros((4, 4), int))
    widget = make(viewer)
    assert [layer.name for layer in widget.form.image.choices] == ["first", "second"]
    viewer.layers.selection.active = second
    assert widget.form.image.value is second
    second.name = "renamed"
    assert widget.form.image.value is second
    assert "renamed" in [layer.name for layer in widget.form.image.choices]
    viewer.layers.remove(second)
    assert widget.form.image.value.name == "first"


def test_a_deleted_image_is_let_go(qtbot, viewer, make, photo):
    widget = make(viewer)
    first = weakref.ref(viewer.add_image(photo, name="first", rgb=True))
    widget.form.preview.value = True
    qtbot.waitUntil(lambda: widget.preview.layer is not None)
    run(qtbot, widget)
    viewer.add_image(photo, name="second", rgb=True)
    for name in ("first", "first enhanced · not for measuring"):
        viewer.layers.remove(name)
    qtbot.waitUntil(lambda: not (widget.levels.look.running or widget.preview.busy))
    gc.collect()
    assert first() is None


def test_a_removed_result_is_let_go(qtbot, viewer, make, photo):
    viewer.add_image(photo, name="night", rgb=True)
    widget = make(viewer)
    run(qtbot, widget)
    viewer.layers.remove("night enhanced · not for measuring")
    assert widget.live is None
    assert not widget.form.result.python.enabled
    widget.form.strength.value = 0.2
    qtbot.wait(100)
    assert len(viewer.layers) == 1


def test_every_control_has_a_tooltip(viewer, make):
    form = make(viewer).form
    controls = [w for w in vars(form).values() if hasattr(w, "tooltip")] + [form.model.widget]
    assert len(controls) > 12
    assert all(control.tooltip for control in controls)
    assert all(control.native.toolTip() for control in controls)  # of a slider's number, too


def test_the_window_turns_during_a_run(qtbot, viewer, make, stack, monkeypatch):
    turns = Turns()
    monkeypatch.setattr(inference, "scene_steps", turns.watched(inference.scene_steps))
    viewer.add_image(stack)
    widget = make(viewer)
    run(qtbot, widget)
    assert len(viewer.layers) == 2 and turns.apart()


def test_closing_the_dock_ends_the_run(qtbot, make_napari_viewer, make, photo, monkeypatch):
    monkeypatch.setattr(inference, "scene_steps", slow_steps)
    viewer = make_napari_viewer()
    viewer.add_image(photo, rgb=True)
    widget = make(viewer)
    dock = viewer.window.add_dock_widget(widget)
    widget.form.run.native.click()
    qtbot.waitUntil(lambda: widget.form.progress.value > 0)
    viewer.window.remove_dock_widget(dock)
    qtbot.waitUntil(lambda: not widget.job.running)
    assert len(viewer.layers) == 1


def test_the_menu_opens_the_widget(make_napari_viewer, photo):
    viewer = make_napari_viewer()
    viewer.add_image(photo, name="night", rgb=True)
    _, widget = viewer.window.add_plugin_dock_widget("napari-lle", "Enhance")
    assert widget.form.image.value.name == "night"
    widget.release()
