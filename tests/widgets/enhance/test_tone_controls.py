"""Brightness and noise removal move a result and its preview at once; its record tells them."""

import dask.array as da
import numpy as np
import pytest
from helpers.running import run
from qtpy.QtWidgets import QAbstractSpinBox

from napari_lle.model import enhance
from napari_lle.model.inference import torch_tiles
from napari_lle.model.inference.options import EnhanceOptions
from napari_lle.widgets.enhance.restore import restore_layer
from napari_lle.widgets.shared.layers import METADATA_KEY


@pytest.fixture
def cells(rng):
    return (100 + rng.gamma(2, 30, (3, 40, 50))).astype(np.uint16)


@pytest.mark.parametrize("labels", [("z", "y", "x"), ("y", "x", "z")])
def test_sliders_move_the_result_without_the_network(
    qtbot, viewer, make, cells, monkeypatch, labels
):
    turn = labels[-1] == "z"
    viewer.add_image(
        np.moveaxis(cells, 0, -1) if turn else cells, name="cells", axis_labels=labels, rgb=False
    )
    widget = make(viewer)
    tone = widget.form.tone
    widget.form.model.use("linear")
    run(qtbot, widget)
    calls = []
    monkeypatch.setattr(torch_tiles, "_run_tile", lambda *a: calls.append(1))
    result = viewer.layers["cells enhanced · not for measuring"]
    tone.brightness.value, tone.denoise.value = 0.4, 0.3
    qtbot.waitUntil(lambda: result.metadata[METADATA_KEY].get("denoise") == 0.3)
    monkeypatch.undo()
    assert not calls
    record = result.metadata[METADATA_KEY]
    names = {"image": cells}
    exec(EnhanceOptions.from_record(record).as_python(record["strength"]), names)
    data = np.moveaxis(result.data, -1, 0) if turn else result.data
    np.testing.assert_array_equal(data, names["result"].reflectance)
    viewer.layers.selection.active = result
    job = restore_layer(viewer)
    qtbot.waitUntil(lambda: not job.running)
    back = viewer.layers["cells restored"].data
    np.testing.assert_array_equal(np.moveaxis(back, -1, 0) if turn else back, cells)
    tone.brightness.value, tone.denoise.value = 0.25, 1.0
    qtbot.waitUntil(lambda: "denoise" not in record and "brightness" not in record)
    data = np.moveaxis(result.data, -1, 0) if turn else result.data
    np.testing.assert_array_equal(data, enhance(cells, "linear", rgb=False).reflectance)


def test_a_run_and_its_preview_have_the_tone_that_is_set(qtbot, viewer, make, cells):
    viewer.add_image(cells[0], name="cells")
    widget = make(viewer)
    widget.form.model.use("science")
    widget.form.tone.denoise.value = 0.5
    widget.form.preview.value = True
    qtbot.waitUntil(lambda: widget.preview.layer is not None)
    seen = np.array(widget.preview.layer.data)
    run(qtbot, widget)
    record = viewer.layers["cells enhanced · not for measuring"].metadata[METADATA_KEY]
    assert record["denoise"] == 0.5 and "brightness" not in record
    expected = enhance(cells[0], "science", denoise=0.5).reflectance
    found = viewer.layers[
        "cells enhanced · not for measuring"
    ].data  # by torch in another thread: the last digit
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(seen, expected, rtol=1e-4, atol=1e-6)


def test_sliders_are_dead_where_nothing_follows_them(viewer, make, cells, photo):
    viewer.add_image(cells, name="cells", axis_labels=("z", "y", "x"))
    viewer.add_image(cells, name="channels", axis_labels=("c", "y", "x"))
    viewer.add_image(da.from_array(cells), name="lazy")
    viewer.add_image(photo, name="photo", rgb=True)
    form = make(viewer).form
    form.model.use("auto")
    for name, brightness, denoise in (
        ("cells", True, True),
        ("channels", False, False),
        ("lazy", False, False),
        ("photo", True, False),
    ):
        form.image.value = viewer.layers[name]
        tone = form.tone
        assert (tone.brightness.enabled, tone.denoise.enabled) == (brightness, denoise), name
        for slider in tone.all():  # with the number beside it
            parts = slider.native.findChildren(QAbstractSpinBox)
            assert parts and all(part.isEnabled() == slider.enabled for part in parts), name
    form.tone.denoise.value = 0.5
    assert form.tone.blend().denoise is None
