"""From the window into print: texts of the latest result, and a bundle that is repeated."""

import numpy as np
import pytest
from helpers.command_line import lle
from helpers.running import run
from qtpy.QtWidgets import QApplication

from napari_lle.model.publishing.bundle import bundle_steps
from napari_lle.model.publishing.texts import texts_of
from napari_lle.widgets.enhance import publishing
from napari_lle.widgets.shared.layers import METADATA_KEY


@pytest.fixture
def cells(rng):
    return (100 + rng.gamma(2, 300, (3, 40, 50))).astype(np.uint16)


@pytest.fixture
def published(qtbot, viewer, make):
    """Enhance a layer in the look of a publication, and open the window."""

    def build(data, **layer):
        viewer.add_image(data, name="cells", **layer)
        widget = make(viewer)
        widget.form.model.use("auto")
        widget.form.look.value = "publication"
        run(qtbot, widget)
        widget.form.result.publish.native.click()
        qtbot.waitUntil(lambda: widget.afterwards.publishing is not None)
        return widget, widget.afterwards.publishing

    return build


def saved(qtbot, window, path):
    window.write(path)
    qtbot.waitUntil(lambda: window.job is not None and not window.job.running)


def test_the_texts_are_those_of_the_record_and_can_be_copied(viewer, published, cells):
    widget, window = published(cells[0])
    texts = texts_of(widget.live.layer.metadata[METADATA_KEY])
    for name, box in window.boxes.items():
        assert box.value == getattr(texts, name) and box.tooltip
        window.copies[name].native.click()
        assert QApplication.clipboard().text() == getattr(texts, name)
    assert "midtones transfer function" in texts.methods and window.isVisible()


def test_the_bundle_is_repeated_by_the_command_line(qtbot, viewer, published, cells, tmp_path):
    _, window = published(cells, scale=(2, 0.5, 0.5), units=("um",) * 3)
    viewer.dims.set_point(0, 4)  # the plane in view, in the units of the world
    saved(qtbot, window, tmp_path / "figure")
    assert "Saved figure.zip" in window.status.value
    done = lle("reproduce", tmp_path / "figure.zip")
    assert done.returncode == 0 and "cells: reproduced bit for bit" in done.stdout
    window.write(tmp_path / "figure")
    assert "there already" in window.status.value


@pytest.mark.parametrize("kind", ["lazy", "multiscale", "turned", "half"])
def test_any_layer_can_be_bundled(qtbot, viewer, published, cells, tmp_path, kind):
    import dask.array as da

    data, labels = {
        "lazy": (da.from_array(cells, chunks=(1, 40, 50)), None),
        "multiscale": ([da.from_array(cells), da.from_array(cells[:, ::2, ::2])], None),
        "turned": (cells, ("y", "x", "z")),
        "half": (cells, None),
    }[kind]
    _, window = published(data, **({"axis_labels": labels} if labels else {}))
    window.raw.value = kind != "half"
    saved(qtbot, window, tmp_path / "a.zip")
    done = lle("reproduce", tmp_path / "a.zip")
    if kind == "half":
        assert done.returncode == 2 and "--input" in done.stderr
    else:
        assert done.returncode == 0, done.stderr


def test_saving_can_be_cancelled(qtbot, published, cells, tmp_path, monkeypatch):
    _, window = published(cells[0])

    def slowly(path, images, raw):
        for _ in range(50):
            yield from bundle_steps(path, images, raw=raw)

    monkeypatch.setattr(publishing, "publish_steps", slowly)
    window.write(tmp_path / "a.zip")
    assert window.cancel.enabled and not window.save.enabled
    window.cancel.native.click()
    qtbot.waitUntil(lambda: not window.job.running)
    assert "nothing was saved" in window.status.value and window.save.enabled


def test_what_cannot_be_repeated_is_told(qtbot, viewer, make, cells):
    layers = [viewer.add_image(plane, name=f"c{i}") for i, plane in enumerate(cells[:2])]
    widget = make(viewer)
    widget.form.image.value = layers[0]
    viewer.layers.selection = set(layers)
    widget.form.together.value = True
    run(qtbot, widget)
    widget.form.result.publish.native.click()
    qtbot.waitUntil(lambda: "cannot be repeated" in widget.form.status.value)
    assert widget.afterwards.publishing is None


def test_the_button_restores_the_latest_result(qtbot, viewer, make, cells):
    viewer.add_image(cells[0], name="cells")
    widget = make(viewer)
    assert not widget.form.result.restore.enabled
    run(qtbot, widget)
    widget.form.result.restore.native.click()
    qtbot.waitUntil(lambda: "cells restored" in viewer.layers)
    np.testing.assert_array_equal(viewer.layers["cells restored"].data, cells[0])
