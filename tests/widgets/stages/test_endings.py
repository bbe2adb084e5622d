"""How a run of the stage inspector ends: in files, in an error, or not at all."""

import json

import pytest
from helpers.inspecting import run, settle
from helpers.running import slow_steps
from napari.layers._source import layer_source

from napari_lle.model.io.files import write_image
from napari_lle.widgets.stages import saving as _saving
from napari_lle.widgets.stages import widget as _stages


def test_export_writes_what_the_command_writes(qtbot, viewer, make, stack, tmp_path, monkeypatch):
    viewer.add_image(stack, name="cells")
    widget = make(viewer)
    assert not widget.form.export.enabled
    run(qtbot, widget)
    monkeypatch.setattr(_saving, "show_file_dialog", lambda **_: tmp_path / "out")
    widget.form.export.native.click()
    settle(qtbot, widget)
    report = json.loads((tmp_path / "out" / "stages.json").read_text())
    assert report["planes"] == 4
    assert {f.name for f in (tmp_path / "out").iterdir()} == {*report["files"], "stages.json"}
    assert "15 files" in widget.form.status.value
    widget.export(str(tmp_path / "no" / "out"))
    settle(qtbot, widget)
    assert "There is no folder" in widget.form.status.value
    assert widget.form.export.enabled


def test_export_spares_the_files_of_layers(qtbot, viewer, make, stack, tmp_path, monkeypatch):
    file = tmp_path / "L_1.tif"
    write_image(file, stack, rgb=False)
    before = file.read_bytes()
    with layer_source(path=str(file)):
        viewer.add_image(stack, name="cells")
    widget = make(viewer)
    run(qtbot, widget)
    widget.export(str(tmp_path))
    settle(qtbot, widget)
    assert "is the input itself" in widget.form.status.value
    assert file.read_bytes() == before and list(tmp_path.iterdir()) == [file]


def test_cancel_leaves_everything_as_it_was(qtbot, viewer, make, stack, monkeypatch):
    monkeypatch.setattr(_stages, "inspect_steps", slow_steps)
    viewer.add_image(stack)
    widget = make(viewer)
    widget.form.run.native.click()
    assert not widget.form.run.enabled
    qtbot.waitUntil(lambda: widget.form.progress.value > 0)
    widget.form.cancel.native.click()
    qtbot.waitUntil(lambda: not widget.job.running)
    assert "Cancelled" in widget.form.status.value
    assert widget.form.run.enabled
    assert len(viewer.layers) == 1


def test_errors_reach_the_user(qtbot, viewer, make, stack, monkeypatch):
    widget = make(viewer)
    widget.inspect()
    assert "choose an image" in widget.form.status.value
    viewer.add_image(stack)
    widget.form.model.use("gone.safetensors")
    run(qtbot, widget)
    assert "gone.safetensors" in widget.form.status.value
    assert widget.form.run.enabled


def test_the_layer_may_go_while_it_is_inspected(qtbot, viewer, make, stack):
    layer = viewer.add_image(stack)
    widget = make(viewer)
    widget.form.run.native.click()
    viewer.layers.remove(layer)
    settle(qtbot, widget)
    assert len(viewer.layers) == 0
    viewer.add_image(stack, name="again")
    run(qtbot, widget)
    shown = len(viewer.layers) - 1
    assert shown > 1
    removals = []
    viewer.layers.events.removed.connect(lambda _: removals.append(len(viewer.layers)))
    viewer.layers.remove("again")
    assert removals == [shown]  # the others go one in a turn: napari can crash if not
    settle(qtbot, widget)
    assert removals == list(range(shown, -1, -1))
    assert not widget.form.export.enabled


@pytest.mark.parametrize("axes", [2, 3])
def test_other_values_are_inspected_anew_whatever_their_axes(qtbot, viewer, make, stack, axes):
    layer = viewer.add_image(stack[0], name="cells")
    widget = make(viewer)
    run(qtbot, widget)
    first = widget.finding
    layer.data = stack[1] if axes == 2 else stack
    assert widget.finding is None and not widget.form.export.enabled
    qtbot.waitUntil(lambda: widget.finding is not None)
    settle(qtbot, widget)
    assert len(first.region.plane) == 0 and len(widget.finding.region.plane) == axes - 2
    shown = [each for each in viewer.layers if each is not layer]
    assert shown and all(each.ndim == axes for each in shown)


def test_values_that_come_during_a_run_are_the_ones_that_are_shown(qtbot, viewer, make, stack):
    layer = viewer.add_image(stack[0], name="cells")
    widget = make(viewer)
    widget.form.run.native.click()
    layer.data = stack
    qtbot.waitUntil(lambda: widget.finding is not None)
    settle(qtbot, widget)
    assert len(widget.finding.region.plane) == 1
    assert all(each.ndim == 3 for each in viewer.layers)
