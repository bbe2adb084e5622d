"""A smooth background in the window: shown, taken out, and back in what is restored."""

import dask.array as da
import numpy as np
import pytest
from helpers.running import run
from qtpy.QtWidgets import QApplication

from napari_lle.model import enhance_flattened
from napari_lle.widgets.enhance.restore import restore_layer
from napari_lle.widgets.shared.layers import METADATA_KEY

pytest.importorskip("photutils")


@pytest.fixture
def field(rng):
    """A star field under a glow that grows along the columns, uint16."""
    image = 400 + np.linspace(0, 600, 96) + rng.normal(0, 6, (80, 96))
    image[::11, ::13] += rng.uniform(100, 5000, image[::11, ::13].shape)
    return image.astype(np.uint16)


def test_it_is_shown_as_a_layer_in_units_of_the_image(qtbot, viewer, make, field):
    layer = viewer.add_image(field, name="field", scale=(2, 2))
    widget = make(viewer)
    widget.form.levels.show_background.native.click()
    qtbot.waitUntil(lambda: "field background" in viewer.layers)
    shown = viewer.layers["field background"]
    np.testing.assert_allclose(
        shown.data, np.broadcast_to(400 + np.linspace(0, 600, 96), (80, 96)), atol=12
    )
    assert tuple(shown.scale) == tuple(layer.scale) and shown.metadata[METADATA_KEY]["degree"] == 2
    assert widget.form.image.value is layer


@pytest.mark.parametrize("kind", ["plane", "colours", "turned"])
def test_it_is_taken_out_and_restored(qtbot, viewer, make, field, kind, model_file):
    image, options = {
        "plane": (field, {}),
        "colours": (np.stack([field, field // 2, field[::-1]], -1), {"rgb": True}),
        "turned": (np.stack([field, field // 2], -1), {"axis_labels": ("y", "x", "t")}),
    }[kind]
    viewer.add_image(image, name="field", **options)
    widget = make(viewer)
    widget.form.levels.background.value = "subtract"
    run(qtbot, widget)
    result, record = widget.live.layer, widget.results.record
    straight = np.moveaxis(image, -1, 0) if kind == "turned" else image
    expected = enhance_flattened(
        straight, "subtract", model=model_file, look=widget.form.look.value, rgb=kind == "colours"
    )
    found = np.moveaxis(result.data, -1, 0) if kind == "turned" else result.data
    np.testing.assert_allclose(found, expected.reflectance, atol=1e-6)
    assert record["background"]["coefficients"] == expected.record["background"]["coefficients"]
    widget.form.strength.value = 0.5
    qtbot.waitUntil(lambda: result.metadata[METADATA_KEY]["strength"] == 0.5)
    viewer.layers.selection.active = result
    job = restore_layer(viewer)
    qtbot.waitUntil(lambda: not job.running)
    np.testing.assert_array_equal(viewer.layers["field restored"].data, image)


def test_preview_and_levels_are_those_of_the_run(qtbot, viewer, make, field):
    viewer.add_image(field, name="field")
    widget = make(viewer)
    widget.form.levels.background.value = "divide"
    widget.form.preview.value = True
    qtbot.waitUntil(lambda: widget.preview.layer is not None)
    seen = np.array(widget.preview.layer.data)
    run(qtbot, widget)
    np.testing.assert_allclose(widget.live.layer.data, seen, atol=1e-5)
    black = widget.live.estimate.levels.black
    qtbot.waitUntil(lambda: widget.levels.found and widget.levels.found.levels.black == black)


def test_a_copied_run_says_so(qtbot, viewer, make, field):
    viewer.add_image(field, name="field")
    widget = make(viewer)
    widget.form.levels.background.value = "subtract"
    run(qtbot, widget)
    widget.form.result.python.native.click()
    code = QApplication.clipboard().text()
    assert "enhance_flattened(" in code and "image, 'subtract', 2," in code
    told = code.splitlines()[0].removeprefix("# In napari's console: ")
    scope = {"viewer": viewer}
    exec(f"{told}\n{code}", scope)
    np.testing.assert_allclose(widget.live.layer.data, scope["result"].reflectance, atol=1e-6)
    widget.form.result.command.native.click()
    assert "--background subtract:2" in QApplication.clipboard().text()


def test_where_none_can_be_taken_out_a_sentence_says_what_to_do(viewer, make, field):
    viewer.add_image(da.from_array(field), name="lazy")
    widget = make(viewer)
    widget.form.levels.show_background.native.click()
    assert "set background to kept" in widget.form.status.value
    widget.form.levels.background.value = "subtract"
    widget.form.run.native.click()
    assert widget.job is None and "not held in memory" in widget.form.status.value
    plain = viewer.add_image(field, name="plain")
    widget.form.image.value = plain
    widget.form.together.value = True
    widget.form.run.native.click()
    assert widget.job is None and "one layer at a time" in widget.form.status.value


def test_nothing_is_added_for_an_image_that_was_deleted_meanwhile(qtbot, viewer, make, field):
    viewer.add_image(field, name="field")
    widget = make(viewer)
    widget.form.levels.show_background.native.click()
    viewer.layers.clear()
    qtbot.waitUntil(lambda: not widget.background.job.running)
    assert not viewer.layers
    assert widget.form.status.value == "“field” was deleted meanwhile."
