"""The stage inspector in a real window."""

from helpers.inspecting import run, settle
from helpers.running import slow_steps
from helpers.turns import Shares, Turns

from napari_lle.widgets.stages import widget as _stages
from napari_lle.widgets.stages.showing import Showing


def test_the_window_turns_while_inspecting(qtbot, viewer, make, stack, monkeypatch):
    turns = Turns()
    monkeypatch.setattr(_stages, "inspect_steps", turns.watched(_stages.inspect_steps))
    viewer.add_image(stack)
    viewer.dims.set_current_step(0, 0)
    widget = make(viewer)
    run(qtbot, widget)
    viewer.dims.set_current_step(0, 2)
    qtbot.waitUntil(lambda: widget.finding.region.plane == (2,))
    settle(qtbot, widget)
    assert len(viewer.layers) > 2 and turns.apart()


def test_no_turn_changes_more_than_one_layer_or_the_plots(qtbot, viewer, make, stack, monkeypatch):
    shares = Shares(viewer)
    monkeypatch.setattr(Showing, "_advance", shares.counted(Showing._advance))
    viewer.add_image(stack)
    viewer.dims.set_current_step(0, 0)
    widget = make(viewer)
    widget.form.kinds["E"].value = True
    widget.form.plots.show_finding = shares.noted(widget.form.plots.show_finding, "plots")
    run(qtbot, widget)
    layers = len(widget.showing.layers.layers)
    widget.form.stage.value = 3
    settle(qtbot, widget)
    viewer.dims.set_current_step(0, 2)
    qtbot.waitUntil(lambda: widget.finding.region.plane == (2,))
    settle(qtbot, widget)
    viewer.layers.remove(viewer.layers[0])
    settle(qtbot, widget)
    words = [word for call in shares.calls for word in call]
    assert max(map(len, shares.calls)) == 1
    assert words.count("plots") == 2  # of the run, and of the other plane
    assert words.count("added") == words.count("removed") == layers > 3
    assert words.count("changed") >= 2 * (layers - 1)  # by the stage, and by the plane


def test_the_menu_opens_it_and_closing_the_dock_ends_the_run(
    qtbot, make_napari_viewer, make, stack, monkeypatch
):
    monkeypatch.setattr(_stages, "inspect_steps", slow_steps)
    viewer = make_napari_viewer()
    viewer.add_image(stack, name="cells")
    dock, widget = viewer.window.add_plugin_dock_widget("napari-lle", "Stage inspector")
    assert widget.form.image.value.name == "cells"
    widget.form.run.native.click()
    qtbot.waitUntil(lambda: widget.form.progress.value > 0)
    viewer.window.remove_dock_widget(dock)
    qtbot.waitUntil(lambda: not widget.job.running)
    assert len(viewer.layers) == 1
    widget.release()


def test_the_grid_shows_all_without_the_box(qtbot, make_napari_viewer, make, stack):
    viewer = make_napari_viewer()
    viewer.add_image(stack[0], name="cells")
    widget = make(viewer)
    run(qtbot, widget)
    widget.form.grid.value = True
    settle(qtbot, widget)
    grid = getattr(viewer, "canvas", viewer).grid
    assert grid.enabled
    assert "field" not in widget.showing.layers.layers
    widget.form.grid.value = False
    settle(qtbot, widget)
    assert not grid.enabled
    assert viewer.layers[-1] is widget.showing.layers.layers["field"]
