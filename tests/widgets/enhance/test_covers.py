"""One picture is seen at a time: of additive layers, the result or its input, never their sum."""

import numpy as np
import pytest
from helpers.running import run

from napari_lle.widgets.enhance.covers import place_over
from napari_lle.widgets.shared.layers import METADATA_KEY


@pytest.fixture
def cells(rng):
    return (100 + rng.gamma(2, 300, (48, 64))).astype(np.uint16)


def visible(viewer):
    return [layer.name for layer in viewer.layers if layer.visible]


def previewed(qtbot, widget):
    widget.form.preview.value = True
    qtbot.waitUntil(lambda: widget.preview.layer is not None)


def test_the_input_goes_and_comes_with_its_result(qtbot, viewer, make, cells):
    viewer.add_image(cells, name="cells", blending="additive")
    widget = make(viewer)
    run(qtbot, widget)
    result = viewer.layers["cells enhanced · not for measuring"]
    assert visible(viewer) == ["cells enhanced · not for measuring"]
    result.visible = False  # as by its eye, to compare
    assert visible(viewer) == ["cells"]
    result.visible = True
    assert visible(viewer) == ["cells enhanced · not for measuring"]
    viewer.layers["cells"].visible = True  # what the user wants is done
    assert len(visible(viewer)) == 2
    viewer.layers["cells"].visible = False
    viewer.layers.remove(result)
    assert visible(viewer) == ["cells"]


def test_the_preview_stands_for_all_that_shows_the_same(qtbot, viewer, make, cells):
    viewer.add_image(cells, name="cells", blending="additive")
    widget = make(viewer)
    previewed(qtbot, widget)
    assert visible(viewer) == ["[preview] cells"]
    widget.form.preview.value = False
    assert visible(viewer) == ["cells"]
    run(qtbot, widget)
    previewed(qtbot, widget)
    assert visible(viewer) == ["[preview] cells"]
    run(qtbot, widget)  # which lets the preview rest: the whole is there
    assert widget.preview.layer is None and visible(viewer) == [
        "cells enhanced · not for measuring"
    ]
    widget.form.preview.value = False
    viewer.layers.remove("cells enhanced · not for measuring")
    assert visible(viewer) == ["cells"]


def test_what_is_opaque_hides_nothing(qtbot, viewer, make, photo):
    viewer.add_image(photo, name="night", rgb=True)
    widget = make(viewer)
    previewed(qtbot, widget)
    run(qtbot, widget)
    assert visible(viewer) == ["night", "night enhanced · not for measuring"]


def test_an_input_that_was_hidden_stays_so(qtbot, viewer, make, cells):
    viewer.add_image(cells, name="cells", blending="additive", visible=False)
    widget = make(viewer)
    run(qtbot, widget)
    viewer.layers.remove("cells enhanced · not for measuring")
    assert visible(viewer) == []


def test_maps_of_a_result_are_seen_by_themselves(qtbot, viewer, make, cells):
    viewer.add_image(cells, name="cells", blending="additive")
    widget = make(viewer)
    widget.form.illumination.value = True
    run(qtbot, widget)
    widget.form.result.changed.native.click()
    qtbot.waitUntil(lambda: not widget.afterwards.job.running)
    for name in ("cells illumination", "cells enhanced what changed"):
        assert viewer.layers[name].blending == "translucent_no_depth"


def test_channels_come_out_in_their_order(qtbot, viewer, make, rng):
    stack = (100 + rng.gamma(2, 300, (3, 48, 64))).astype(np.uint16)
    layers = viewer.add_image(stack, channel_axis=0, name=["blue", "green", "red"])
    widget = make(viewer)
    widget.form.image.value = layers[2]
    viewer.layers.selection = set(layers)
    widget.form.together.value = True
    run(qtbot, widget)
    names = [layer.name for layer in viewer.layers if METADATA_KEY in layer.metadata]
    assert names == [
        "blue enhanced · not for measuring",
        "green enhanced · not for measuring",
        "red enhanced · not for measuring",
    ]
    assert widget.live.layer.name == "red enhanced · not for measuring"  # of the chosen one
    # The lowest one is opaque in napari: it may cover the inputs, but no result.
    assert viewer.layers.index("blue enhanced · not for measuring") > viewer.layers.index("red")


def test_the_result_of_a_lowest_channel_leaves_the_others_seen(qtbot, viewer, make, rng):
    stack = (100 + rng.gamma(2, 300, (3, 48, 64))).astype(np.uint16)
    lowest, *_ = viewer.add_image(stack, channel_axis=0, name=["blue", "green", "red"])
    widget = make(viewer)
    widget.form.image.value = lowest
    run(qtbot, widget)
    names = [layer.name for layer in viewer.layers]
    assert names == ["blue", "blue enhanced · not for measuring", "green", "red"]


def test_a_place_is_above_what_is_opaque_and_below_what_marks(viewer, photo):
    first = viewer.add_image(photo, name="first")
    assert place_over(viewer, [first]) == 1
    viewer.add_labels(np.zeros((48, 64), int))
    assert place_over(viewer, [first]) == 1
    viewer.add_image(photo, name="second")
    assert place_over(viewer, [first]) == 3
    viewer.layers["second"].visible = False
    assert place_over(viewer, [first]) == 1


def test_a_further_run_replaces_the_result_or_adds_one(qtbot, viewer, make, cells):
    source = viewer.add_image(cells, name="cells", blending="additive")
    widget = make(viewer)
    widget.form.illumination.value = True
    run(qtbot, widget)
    result, light = (
        viewer.layers["cells enhanced · not for measuring"],
        viewer.layers["cells illumination"],
    )
    first, ran = np.array(result.data), result.metadata[METADATA_KEY]["run"]
    result.colormap, source.translate = "green", (5, 7)
    widget.form.levels.black.value = "400"
    run(qtbot, widget)
    assert len(viewer.layers) == 3 and viewer.layers["cells enhanced · not for measuring"] is result
    assert np.abs(result.data - first).max() > 0.01
    assert result.colormap.name == "green" and tuple(result.translate) == (5, 7)
    assert result.metadata[METADATA_KEY]["levels"]["black"] == 400
    assert result.metadata[METADATA_KEY]["run"] == light.metadata[METADATA_KEY]["run"] != ran
    widget.form.illumination.value = False
    run(qtbot, widget)
    assert [layer.name for layer in viewer.layers] == [
        "cells",
        "cells enhanced · not for measuring",
    ]
    widget.form.again.value = "add"
    run(qtbot, widget)
    assert [layer.name for layer in viewer.layers][-1] == "cells enhanced [1] · not for measuring"
    assert visible(viewer) == ["cells enhanced [1] · not for measuring"]
    run(qtbot, widget)
    assert visible(viewer) == ["cells enhanced [2] · not for measuring"]
    assert "Added “cells enhanced [2]”" in widget.form.status.value
    for number in (2, 1):
        viewer.layers.remove(f"cells enhanced [{number}] · not for measuring")
    assert visible(viewer) == ["cells enhanced · not for measuring"]
    widget.form.again.value = "replace"
    run(qtbot, widget)
    assert viewer.layers[-1] is result and len(viewer.layers) == 2
    assert "Replaced “cells enhanced”" in widget.form.status.value


def test_a_result_of_another_kind_takes_the_place(qtbot, viewer, make, cells):
    source = viewer.add_image(cells, name="cells")
    widget = make(viewer)
    run(qtbot, widget)
    before = viewer.layers["cells enhanced · not for measuring"]
    source.data = np.stack([cells, cells])
    run(qtbot, widget)
    (result,) = [layer for layer in viewer.layers if METADATA_KEY in layer.metadata]
    assert result is not before and result.ndim == 3


def test_the_window_shows_the_result_alone(qtbot, make_napari_viewer, make, cells):
    viewer = make_napari_viewer(show=True)
    viewer.add_image(cells, name="cells", blending="additive")
    widget = make(viewer)
    run(qtbot, widget)
    seen = viewer.screenshot(canvas_only=True, flash=False)
    viewer.layers.remove("cells")
    alone = viewer.screenshot(canvas_only=True, flash=False)
    np.testing.assert_array_equal(seen, alone)
    assert seen[..., :3].max() > 50


def test_the_preview_follows_the_view_though_its_input_is_hidden(
    qtbot, make_napari_viewer, make, rng
):
    viewer = make_napari_viewer(show=True)
    large = (100 + rng.gamma(2, 300, (400, 500))).astype(np.uint16)
    viewer.add_image(large, name="cells", blending="additive")
    widget = make(viewer)
    previewed(qtbot, widget)
    assert not viewer.layers["cells"].visible
    getattr(viewer, "scene", viewer).camera.zoom *= 6
    qtbot.waitUntil(lambda: widget.preview.layer.data.size < large.size / 4)
