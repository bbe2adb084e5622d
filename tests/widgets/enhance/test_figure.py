"""The look publication in the window: all selected layers between the same levels, by one curve."""

import numpy as np
import pytest
from helpers.running import run

from napari_lle.model import enhance_alike
from napari_lle.widgets.shared.layers import METADATA_KEY


@pytest.fixture
def panels(viewer, rng):
    """Two fields of a figure, the dim one on top, and one that is not selected."""
    for name, top, shape in (("control", 900, (48, 64)), ("treated", 60, (40, 50))):
        viewer.add_image((100 + rng.gamma(2, top, shape)).astype(np.uint16), name=name)
    viewer.add_image(np.full((40, 40), 60000, np.uint16), name="other")
    viewer.layers.selection = {viewer.layers["control"], viewer.layers["treated"]}
    return viewer


@pytest.fixture
def widget(panels, make):
    widget = make(panels)
    widget.form.model.use("auto")
    widget.form.image.value = panels.layers["control"]
    panels.layers.selection = {panels.layers["control"], panels.layers["treated"]}
    widget.form.look.value = "publication"
    return widget


def results(viewer):
    """The layers that a run has added, by the name of their input."""
    added = [layer for layer in viewer.layers if layer.metadata.get(METADATA_KEY, {}).get("levels")]
    return {layer.metadata[METADATA_KEY]["layer"]: layer for layer in added}


def test_selected_layers_have_levels_and_curve_in_common(qtbot, panels, widget):
    images = [panels.layers[name].data for name in ("control", "treated")]
    expected = enhance_alike(images)
    levels = expected[0].levels
    qtbot.waitUntil(lambda: widget.levels.found and widget.levels.found.levels == levels)
    run(qtbot, widget)
    made = results(panels)
    assert set(made) == {"control", "treated"}
    for (name, layer), wanted in zip(sorted(made.items()), expected, strict=True):
        np.testing.assert_array_equal(layer.data, wanted.reflectance, err_msg=name)
        assert tuple(layer.contrast_limits) == (0, 1)
    widget.form.strength.value = 0.5
    qtbot.waitUntil(lambda: made["treated"].metadata[METADATA_KEY]["strength"] == 0.5)


def test_the_same_figure_can_be_made_again(qtbot, panels, widget):
    run(qtbot, widget)
    levels = widget.live.estimate.levels
    made = results(panels)
    run(qtbot, widget)  # a result is what is selected now
    assert results(panels) == made
    assert widget.live.estimate.levels == levels
    panels.layers.selection = {panels.layers["control"]}
    run(qtbot, widget)
    assert widget.live.estimate.levels != levels


def test_together_is_left_to_the_other_looks(qtbot, panels, widget):
    widget.form.look.value = "fluorescence"
    widget.form.together.value = True
    widget.form.look.value = "publication"
    assert not widget.form.together.enabled
    run(qtbot, widget)
    records = [layer.metadata[METADATA_KEY] for layer in results(panels).values()]
    assert len(records) == 2
    assert all(record["model"] == "stretch:mtf" for record in records)
    assert not any("together" in record for record in records)
    widget.form.look.value = "fluorescence"
    assert widget.form.together.enabled


def test_a_layer_that_is_not_selected_goes_alone(qtbot, panels, widget):
    panels.layers.selection = {panels.layers["other"]}
    widget.form.image.value = panels.layers["treated"]
    widget.form.look.value = "publication"
    run(qtbot, widget)
    assert set(results(panels)) == {"treated"}


def test_the_preview_shows_the_common_curve(qtbot, panels, widget):
    images = [panels.layers[name].data for name in ("control", "treated")]
    widget.form.preview.value = True
    qtbot.waitUntil(lambda: widget.preview.layer is not None)
    shown, expected = widget.preview.layer.data, enhance_alike(images)[0].reflectance
    np.testing.assert_array_equal(shown, expected)


def test_layers_of_several_kinds_are_refused(panels, widget):
    panels.add_image(np.zeros((40, 40), np.uint8), name="bytes")
    panels.layers.selection = {panels.layers["control"], panels.layers["bytes"]}
    widget.form.image.value = panels.layers["control"]
    widget.form.run.native.click()
    assert "“bytes” and “control” differ in kind" in widget.form.status.value
