"""Marks of results: in names, and on the canvas as long as one is seen."""

import gc
import weakref

import numpy as np
import pytest
from helpers.running import run
from napari.components import ViewerModel
from napari.utils._proxies import PublicOnlyProxy

from napari_lle.model.inference.standing import LOCAL_CURVE, ONE_CURVE
from napari_lle.widgets.shared import marks
from napari_lle.widgets.shared.covering import grid_of
from napari_lle.widgets.shared.layers import METADATA_KEY, REFLECTANCE
from napari_lle.widgets.shared.marks import (
    MARK,
    canvas_mark,
    free_name,
    marked,
    text_overlay,
    unmarked,
)


def add(viewer, name, **record):
    return viewer.add_image(
        np.ones((8, 8)), name=name, metadata={METADATA_KEY: {"kind": REFLECTANCE, **record}}
    )


@pytest.mark.parametrize("name", ["cells enhanced", "cells enhanced [2]", ""])
def test_a_name_is_marked_once_and_freed_again(name):
    assert marked(name, {"standing": LOCAL_CURVE}) == name + MARK == marked(name + MARK, {})
    assert unmarked(name + MARK) == name == unmarked(name)
    assert marked(name + MARK, {"look": "publication"}) == name
    assert unmarked(f"cells{MARK} [1]") == "cells [1]"


def test_the_canvas_says_what_the_strictest_of_the_seen_says(viewer):
    viewer.add_image(np.ones((8, 8)))
    canvas_mark(viewer)
    overlay = text_overlay(viewer)
    assert not overlay.visible
    curve = add(viewer, "a", standing=ONE_CURVE)
    assert overlay.visible and overlay.text.startswith("non-linear: not for measuring\n")
    local = add(viewer, "b", standing=LOCAL_CURVE)
    assert overlay.text.startswith("local, non-linear: not for measuring\n")
    assert "Restore measured values" in overlay.text
    local.visible = False
    assert overlay.text.startswith("non-linear")
    viewer.layers.remove(curve)
    assert not overlay.visible and overlay.text == ""
    add(viewer, "c", look="publication", standing=ONE_CURVE)
    assert not overlay.visible


def test_the_canvas_says_nothing_of_a_result_that_is_covered(viewer):
    canvas_mark(viewer)
    overlay = text_overlay(viewer)
    result = add(viewer, "a", standing=LOCAL_CURVE)
    restored = viewer.add_image(np.ones((8, 8)), name="restored")
    assert not overlay.visible
    restored.opacity = 0.5
    assert overlay.visible
    restored.opacity = 1.0
    restored.blending = "additive"
    assert overlay.visible
    restored.blending = "translucent_no_depth"
    assert not overlay.visible
    grid_of(viewer).enabled = True
    assert overlay.visible
    grid_of(viewer).enabled = False
    assert not overlay.visible
    viewer.layers.move(0, 2)
    assert viewer.layers[-1] is result and overlay.visible


@pytest.mark.parametrize("options", [{"translate": (0, 4)}, {"scale": (0.5, 1)}])
def test_a_layer_that_covers_a_part_only_hides_no_mark(viewer, options):
    canvas_mark(viewer)
    add(viewer, "a", standing=LOCAL_CURVE)
    viewer.add_image(np.ones((8, 8)), **options)
    assert text_overlay(viewer).visible


def test_a_stack_and_what_is_restored_of_it(viewer):
    canvas_mark(viewer)
    add(viewer, "a", standing=LOCAL_CURVE).data = np.ones((3, 8, 8))
    viewer.add_image(np.ones((3, 8, 8)), name="restored")
    assert not text_overlay(viewer).visible
    viewer.layers["restored"].data = np.ones((2, 8, 8))  # not in all planes
    viewer.layers["restored"].visible = False
    viewer.layers["restored"].visible = True
    assert text_overlay(viewer).visible


def test_an_overlay_of_the_user_is_left_alone(viewer):
    overlay = text_overlay(viewer)
    overlay.text, overlay.visible = "t = 3 s", True
    canvas_mark(viewer)
    add(viewer, "a", standing=LOCAL_CURVE)
    assert overlay.text == "t = 3 s"


def test_there_is_one_for_each_viewer_and_none_is_kept_alive():
    viewer = ViewerModel()
    assert canvas_mark(viewer) is canvas_mark(viewer)
    number, gone = id(viewer), weakref.ref(viewer)
    del viewer
    gc.collect()
    assert gone() is None and number not in marks._MARKS


def test_a_result_is_marked_until_its_look_is_that_of_a_publication(qtbot, viewer, make, rng):
    viewer.add_image(rng.poisson(30, (40, 50)).astype(np.uint16), name="cells")
    widget = make(viewer)
    widget.form.model.use("auto")
    run(qtbot, widget)
    result = widget.live.layer
    assert result.name == f"cells enhanced{MARK}" and text_overlay(viewer).visible
    widget.form.image.value = viewer.layers["cells"]
    widget.form.look.value = "publication"
    run(qtbot, widget)
    assert widget.live.layer is result and result.name == "cells enhanced"
    assert not text_overlay(viewer).visible


def test_a_free_name_is_free_with_its_mark_or_without(viewer):
    assert free_name("cells", viewer.layers) == "cells"
    for name in ("cells", f"cells [1]{MARK}", "cells [3]"):
        viewer.add_image(np.ones((8, 8)), name=name)
    assert free_name("cells", viewer.layers) == "cells [2]"


def test_a_viewer_has_one_mark_whatever_plugins_are_handed(viewer):
    handed = PublicOnlyProxy(viewer)
    mark = canvas_mark(handed)
    del handed
    gc.collect()
    assert canvas_mark(viewer) is mark
