import dask.array as da
import numpy as np
import pytest
from helpers.running import run

from napari_lle.model import enhance, uncertainty, what_changed
from napari_lle.model.evaluation.fields import cell_field
from napari_lle.model.evaluation.simulate import camera
from napari_lle.widgets.enhance import blending
from napari_lle.widgets.shared.layers import METADATA_KEY


@pytest.fixture
def image(rng):
    light = 300 * cell_field(64, rng)
    return camera(np.stack([light, light[::-1]])[:, :60], rng, offset=100)


def shape(image, kind):
    """An image as a layer of a kind, and its axes."""
    return {
        "whole": (image, ("z", "y", "x")),
        "lazy": (da.from_array(image, chunks=(1, -1, -1)), ("z", "y", "x")),
        "multiscale": ([image, image[:, ::2, ::2]], ("z", "y", "x")),
        "turned": (np.moveaxis(image, 0, -1), ("y", "x", "z")),
    }[kind]


@pytest.mark.parametrize("kind", ["whole", "lazy", "multiscale", "turned"])
def test_what_changed_and_the_uncertainty_become_layers(qtbot, viewer, make, image, kind):
    data, labels = shape(image, kind)
    many = kind == "multiscale"
    viewer.add_image(
        data, name="cells", scale=(3, 2, 1), axis_labels=labels, rgb=False, multiscale=many
    )
    widget = make(viewer)
    widget.form.model.widget.value = "linear"
    assert not widget.form.result.changed.enabled and not widget.form.result.uncertain.enabled
    run(qtbot, widget)
    widget.form.result.changed.native.click()
    qtbot.waitUntil(lambda: "cells enhanced what changed" in viewer.layers)
    widget.form.result.uncertain.native.click()
    qtbot.waitUntil(lambda: "cells enhanced uncertainty" in viewer.layers)
    whole = enhance(image, "linear", rgb=False)
    for name, expected in (("what changed", what_changed), ("uncertainty", uncertainty)):
        layer = viewer.layers[f"cells enhanced {name}"]
        found = np.asarray(layer.data[0] if many else layer.data)
        found = np.moveaxis(found, -1, 0) if kind == "turned" else found
        np.testing.assert_allclose(found, expected(whole), rtol=5e-3, atol=5e-3)
        np.testing.assert_array_equal(layer.scale, (3, 2, 1))
        assert METADATA_KEY in layer.metadata
    low, high = viewer.layers["cells enhanced what changed"].contrast_limits
    assert low == -high


@pytest.mark.parametrize("most", [0, 10**6])
def test_figures_of_large_stacks_are_held_or_computed_where_they_are_looked_at(
    qtbot, viewer, make, image, monkeypatch, most
):
    monkeypatch.setattr(blending, "EAGER", 100)
    monkeypatch.setattr(blending, "MOST_HELD", most)
    viewer.add_image(image, name="cells")
    widget = make(viewer)
    widget.form.model.widget.value = "linear"
    run(qtbot, widget)
    widget.form.result.uncertain.native.click()
    qtbot.waitUntil(lambda: "cells enhanced uncertainty" in viewer.layers)
    data = viewer.layers["cells enhanced uncertainty"].data
    assert isinstance(data, np.ndarray if most else da.Array)
    expected = uncertainty(enhance(image, "linear", rgb=False))
    np.testing.assert_allclose(np.asarray(data), expected, rtol=5e-3)


def test_what_is_not_known_is_said_and_adds_nothing(qtbot, viewer, make, image):
    viewer.add_image(image, name="cells")
    widget = make(viewer)
    widget.form.model.widget.value = "linear"
    widget.form.strength.value = 0.5
    run(qtbot, widget)
    before = list(viewer.layers)
    widget.form.result.uncertain.native.click()
    qtbot.waitUntil(lambda: "strength 1" in widget.form.status.value)
    assert list(viewer.layers) == before


def test_colours_give_one_grey_layer(qtbot, viewer, make, photo):
    viewer.add_image(photo, name="photo", rgb=True)
    widget = make(viewer)
    widget.form.model.widget.value = "photo"
    run(qtbot, widget)
    widget.form.result.changed.native.click()
    qtbot.waitUntil(lambda: "photo enhanced what changed" in viewer.layers)
    layer = viewer.layers["photo enhanced what changed"]
    assert not layer.rgb and layer.data.shape == photo.shape[:2]


@pytest.mark.parametrize("button", ["difference", "changed", "uncertain", "report", "publish"])
def test_nothing_is_told_of_a_result_that_was_given_other_values(
    qtbot, viewer, make, image, button
):
    viewer.add_image(image, name="cells")
    widget = make(viewer)
    run(qtbot, widget)
    press = getattr(widget.form.result, button).native.click
    widget.live.layer.data = np.zeros((30, 40), np.float32)
    count = len(viewer.layers)
    press()
    assert "“cells enhanced” was given other values" in widget.form.status.value
    assert len(viewer.layers) == count and widget.afterwards.job is None


def test_values_that_others_put_into_a_result_stay(qtbot, viewer, make, image):
    viewer.add_image(image, name="cells")
    widget = make(viewer)
    run(qtbot, widget)
    widget.form.strength.value = 0.6
    told = widget.live.layer.metadata[METADATA_KEY]
    qtbot.waitUntil(lambda: told["strength"] == 0.6)
    assert widget.live.told == ""
    own = np.zeros_like(widget.live.layer.data)
    widget.live.layer.data = own
    widget.form.strength.value = 0.3
    qtbot.waitUntil(lambda: "was given other values" in widget.form.status.value)
    assert widget.live.layer.data is own and told["strength"] == 0.6


def test_values_that_change_while_a_figure_is_made_are_heard_of(qtbot, viewer, make, image):
    viewer.add_image(image, name="cells")
    widget = make(viewer)
    run(qtbot, widget)
    count = len(viewer.layers)
    widget.form.result.report.native.click()
    widget.live.layer.data = np.zeros((30, 40), np.float32)
    qtbot.waitUntil(lambda: not widget.afterwards.job.running)
    assert "was given other values" in widget.form.status.value and len(viewer.layers) == count


@pytest.mark.parametrize("button", ["difference", "report"])
def test_nothing_is_added_for_a_result_that_was_deleted_meanwhile(
    qtbot, viewer, make, image, button
):
    viewer.add_image(image, name="cells")
    widget = make(viewer)
    run(qtbot, widget)
    getattr(widget.form.result, button).native.click()
    viewer.layers.remove(widget.live.layer)
    qtbot.waitUntil(lambda: not widget.afterwards.job.running)
    assert [layer.name for layer in viewer.layers] == ["cells"]
    assert widget.form.status.value == "“cells enhanced” was deleted meanwhile."
    assert widget.afterwards.window is None
