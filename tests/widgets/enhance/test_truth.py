"""What the window says of a run is so: nothing is added from nothing, and no name is wrong."""

import dask.array as da
import numpy as np
import pytest
from helpers.running import run, slow_steps
from napari.utils.notifications import notification_manager

from napari_lle.model.inference import enhance as inference
from napari_lle.widgets.shared.layers import METADATA_KEY


@pytest.mark.parametrize(
    ("image", "sentence"),
    [
        (np.full((30, 40), np.nan, np.float32), "contains no finite value"),
        (np.full((30, 40), 7, np.uint16), "is 7 everywhere"),
        (np.full((30, 40, 3), 7, np.uint8), "is 7 everywhere"),
        (da.full((30, 40), np.nan, dtype="f4"), "contains no finite value"),
    ],
)
def test_what_holds_nothing_is_told_and_not_added(qtbot, viewer, make, image, sentence):
    viewer.add_image(image, name="blank")
    widget = make(viewer)
    run(qtbot, widget)
    assert widget.form.status.value == f"“blank” {sentence}: there is nothing to enhance."
    assert len(viewer.layers) == 1
    qtbot.waitUntil(lambda: sentence in widget.form.line.value)
    widget.form.status.value = ""
    widget.form.preview.value = True
    qtbot.waitUntil(lambda: widget.preview._asked != ())  # it has begun
    qtbot.waitUntil(lambda: not widget.preview.busy)
    assert widget.form.status.value == "" and len(viewer.layers) == 1  # the line tells already


def test_one_pixel_makes_an_image(qtbot, viewer, make):
    image = np.zeros((20, 70_001), np.uint16)
    image[13, 7003] = 900  # which a sample misses
    viewer.add_image(image, name="dot")
    widget = make(viewer)
    run(qtbot, widget)
    assert "dot enhanced · not for measuring" in viewer.layers


def test_one_value_between_typed_levels_is_a_picture(qtbot, viewer, make):
    viewer.add_image(np.full((30, 40), 7, np.uint16), name="flat")
    widget = make(viewer)
    widget.form.levels.black.value, widget.form.levels.white.value = "0", "100"
    run(qtbot, widget)
    assert "flat enhanced · not for measuring" in viewer.layers


def test_an_input_deleted_during_its_run_is_told(qtbot, viewer, make, photo):
    layer = viewer.add_image(photo, name="night", rgb=True)
    widget = make(viewer)
    widget.form.run.native.click()
    viewer.layers.remove(layer)
    qtbot.waitUntil(lambda: not widget.job.running)
    assert [layer.name for layer in viewer.layers] == ["night enhanced · not for measuring"]
    assert "“night” was deleted meanwhile" in widget.form.status.value


def test_a_model_changed_during_a_run_does_not_misname_its_result(qtbot, viewer, make, photo):
    viewer.add_image(photo, name="night", rgb=True)
    widget = make(viewer)
    widget.form.run.native.click()
    widget.form.model.use("linear")
    widget.form.look.value = "astronomy"
    qtbot.waitUntil(lambda: not widget.job.running)
    record = viewer.layers["night enhanced · not for measuring"].metadata[METADATA_KEY]
    assert record["model"] == "random" and record["look"] == "photograph"
    assert "made by random" in widget.form.status.value
    assert widget.form.line.value.startswith("linear")


def test_what_the_status_says_is_not_said_by_a_toast_too(qtbot, viewer, make, photo, monkeypatch):
    viewer.add_image(photo, name="night", rgb=True)
    widget = make(viewer)
    before = len(notification_manager.records)
    widget.form.levels.black.value = "dark"
    widget.form.run.native.click()
    assert "must be a number" in widget.form.status.value
    widget.form.levels.black.value = ""
    run(qtbot, widget)
    widget.form.result.python.native.click()
    assert widget.form.status.value.startswith("Copied")
    monkeypatch.setattr(inference, "scene_steps", lambda *a: (_ for _ in ()).throw(OSError("no")))
    run(qtbot, widget)
    assert widget.form.status.value == "no"
    assert len(notification_manager.records) == before


def test_cancel_is_there_while_there_is_something_to_cancel(
    qtbot, viewer, make, photo, monkeypatch
):
    monkeypatch.setattr(inference, "scene_steps", slow_steps)
    viewer.add_image(photo, name="night", rgb=True)
    widget = make(viewer)
    cancel = widget.form.cancel.native
    assert cancel.isHidden()
    widget.form.run.native.click()
    assert not cancel.isHidden()
    cancel.click()
    qtbot.waitUntil(lambda: not widget.job.running)
    assert cancel.isHidden()
