"""The stage inspector in a viewer model."""

import numpy as np
import pytest
from helpers.inspecting import run, settle
from helpers.models import random_model
from napari.utils.theme import get_theme

from napari_lle.model import enhance, stages
from napari_lle.model.network.checkpoint import save_model
from napari_lle.widgets.shared.layers import METADATA_KEY
from napari_lle.widgets.stages.inspector import KINDS


def test_inspect_adds_layers_where_the_layer_lies(qtbot, viewer, make, stack):
    layer = viewer.add_image(
        stack,
        name="cells",
        scale=(2, 0.5, 0.5),
        translate=(1, 2, 3),
        units=("um",) * 3,
        axis_labels=("z", "y", "x"),
    )
    viewer.dims.set_point(0, 1 + 2 * 2)
    widget = make(viewer)
    for box in widget.form.kinds.values():
        box.value = True
    run(qtbot, widget)
    names = [each.name for each in viewer.layers]
    assert names == [
        "cells",
        *(f"cells · {kind} 1" for kind in "VEuRL"),
        "cells · receptive field",
    ]
    trace = stages(stack, widget.form.model.value).plane((2,))
    for kind in KINDS:
        shown = viewer.layers[f"cells · {kind} 1"]
        np.testing.assert_allclose(shown.data[0], trace[kind][0], rtol=1e-4, atol=1e-6)
        np.testing.assert_array_equal(shown.scale, layer.scale)
        assert shown.units == layer.units
        assert shown.axis_labels == layer.axis_labels
        np.testing.assert_allclose(shown.data_to_world((0, 0, 0)), layer.data_to_world((2, 0, 0)))
        assert shown.metadata[METADATA_KEY]["shows"] == kind
    assert [str(u) for u in viewer.layers.extent.units] == ["micrometer"] * 3
    assert viewer.layers.selection.active is layer
    assert widget.form.image.choices == (layer,)
    enhanced = enhance(stack, widget.form.model.value).reflectance[2]
    np.testing.assert_allclose(viewer.layers["cells · R 1"].data[0], enhanced, atol=1e-5)


def test_the_slider_steps_all_kinds_together(qtbot, viewer, make, stack):
    viewer.add_image(stack[0], name="cells")
    widget = make(viewer)
    widget.form.count.value = 6
    widget.form.kinds["E"].value = True
    run(qtbot, widget)
    assert widget.form.stage.max == 6
    shown = {kind: widget.showing.layers.layers[kind] for kind in "LRE"}
    shown["E"].opacity = 0.25
    assert shown["L"].opacity == shown["R"].opacity == 0.25  # linked
    before = {kind: tuple(layer.contrast_limits) for kind, layer in shown.items()}
    widget.form.stage.value = 5
    settle(qtbot, widget)
    for kind, layer in shown.items():
        assert layer.name == f"cells · {kind} 5"
        assert tuple(layer.contrast_limits) == before[kind]
        np.testing.assert_array_equal(layer.data, widget.finding.picture(kind, 5))
    sides = widget.showing.layers.layers["field"].data  # 4 x (begin, direction)
    wide = 2 * widget.finding.stages.radius(5) + 1
    assert np.ptp(sides[:, 0, -1]) == np.ptp(sides[:, 0, -2]) == wide
    np.testing.assert_array_equal(sides.sum(axis=1), np.roll(sides[:, 0], -1, axis=0))


def test_checkboxes_add_and_remove_layers(qtbot, viewer, make, stack):
    viewer.add_image(stack[0], name="cells")
    widget = make(viewer)
    run(qtbot, widget)
    form = widget.form
    form.kinds["L"].value = False
    form.extras["difference"].value = form.extras["gain"].value = True
    settle(qtbot, widget)
    assert "cells · L 1" not in viewer.layers
    trace = widget.finding.trace
    np.testing.assert_array_equal(viewer.layers["cells · |L 3 − L 1|"].data, trace.difference())
    np.testing.assert_allclose(viewer.layers["cells · gain 1"].data * trace["L"][0], 1, rtol=1e-5)
    form.extras["noise"].value = form.extras["features"].value = True
    settle(qtbot, widget)
    np.testing.assert_array_equal(viewer.layers["cells · noise gain"].data, widget.finding.noise)
    assert len(widget.finding.features) == 8
    for name, values in widget.finding.features.items():
        np.testing.assert_array_equal(viewer.layers[f"cells · {name}"].data, values)
    viewer.layers.remove("cells · R 1")
    assert not form.kinds["R"].value
    form.extras["features"].value = False
    settle(qtbot, widget)
    assert not [each for each in viewer.layers if "branch" in each.name]


def test_the_plots_tell_the_finding_and_the_cursor(qtbot, viewer, make, stack):
    viewer.add_image(stack, name="cells", scale=(1, 0.5, 0.5))
    viewer.dims.set_point(0, 1)
    widget = make(viewer)
    run(qtbot, widget)
    plots, finding = widget.form.plots, widget.finding
    np.testing.assert_allclose(plots.maximum.getData()[1], [d.max for d in finding.distances])
    np.testing.assert_allclose(plots.mean.getData()[1], [d.mean for d in finding.distances])
    assert finding.distances[2].max > 0
    viewer.cursor.position = (1, 7.4, 12.1)  # world: row 15, column 24
    expected = finding.profile(15, 24)
    qtbot.waitUntil(
        lambda: (
            plots.values["L"].getData()[1] is not None
            and np.allclose(plots.values["L"].getData()[1], expected["L"])
        )
    )
    for kind in KINDS:
        np.testing.assert_allclose(plots.values[kind].getData()[1], expected[kind])
    assert plots.place == "15, 24"
    box = widget.showing.layers.layers["field"]
    np.testing.assert_allclose(box.data_to_world((0, 0, 0)), (1, 7.5, 12))
    viewer.cursor.position = (1, 500, 500)  # outside: the last values stay
    qtbot.wait(100)
    assert plots.place == "15, 24"


def test_it_follows_the_plane_in_view_with_the_levels_of_the_whole(qtbot, viewer, make, stack):
    viewer.add_image(stack, name="cells")
    viewer.dims.set_point(0, 0)
    widget = make(viewer)
    run(qtbot, widget)
    first = widget.finding.stages
    viewer.dims.set_point(0, 1)
    viewer.dims.set_point(0, 3)
    qtbot.waitUntil(lambda: widget.finding.region.plane == (3,))
    settle(qtbot, widget)
    assert widget.finding.stages is first
    np.testing.assert_allclose(
        viewer.layers["cells · L 1"].data[0], first.plane((3,))["L"][0], rtol=1e-4, atol=1e-6
    )
    assert viewer.layers["cells · L 1"].translate[0] == 3
    assert len([each for each in viewer.layers if " · L" in each.name]) == 1


def test_a_model_that_never_trained_the_auxiliary_block_says_so(
    qtbot, viewer, make, stack, tmp_path
):
    model = random_model()
    model.network.auxiliary.conv2.weight *= 0
    save_model(tmp_path / "bare.safetensors", model.network, {})
    viewer.add_image(stack[0])
    widget = make(viewer)
    widget.form.model.use(str(tmp_path / "bare.safetensors"))
    run(qtbot, widget)
    assert "no trained auxiliary block" in widget.form.status.value
    assert not widget.finding.trace["E"].any()


def test_the_choice_of_an_image_outlasts_the_run(qtbot, viewer, make, stack):
    """The selection that is given back is not the user's choice; what is clicked next is."""
    chosen, other = (viewer.add_image(stack, name=name) for name in ("cells", "other"))
    widget = make(viewer)
    widget.form.image.value = chosen
    assert viewer.layers.selection.active is other
    run(qtbot, widget)
    assert widget.form.image.value is chosen and viewer.layers.selection.active is other
    viewer.layers.selection.active = chosen
    viewer.layers.selection.active = other
    assert widget.form.image.value is other


def test_several_selected_layers_stay_selected(qtbot, viewer, make, stack):
    chosen = {viewer.add_image(stack, name=name) for name in ("cells", "other")}
    widget = make(viewer)
    viewer.layers.selection = chosen
    run(qtbot, widget)
    assert set(viewer.layers.selection) == chosen


def test_every_control_has_a_tooltip(viewer, make):
    form = make(viewer).form
    controls = [w for w in vars(form).values() if hasattr(w, "tooltip")] + [form.model.widget]
    controls += [*form.kinds.values(), *form.extras.values()]
    assert len(controls) > 15
    assert all(control.tooltip for control in controls)
    assert all(control.native.toolTip() for control in controls)  # of a slider's number, too


@pytest.mark.parametrize("name", ["dark", "light"])
def test_every_curve_is_seen_in_both_themes(name):
    background = luminance(get_theme(name).background.as_hex())
    colours = {key: luminance(kind.colour) for key, kind in KINDS.items()}
    for key, colour in colours.items():
        low, high = sorted((background, colour))
        assert (high + 0.05) / (low + 0.05) > 1.5, key  # contrast as WCAG has it


def luminance(colour):
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
    return float(np.dot(linear, (0.2126, 0.7152, 0.0722)))
