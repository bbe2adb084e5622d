import dask.array as da
import numpy as np
import pytest
from napari.components import ViewerModel

from napari_lle.widgets.enhance import restore as _restore
from napari_lle.widgets.enhance.restore import chosen, restore_layer
from napari_lle.widgets.shared.layers import METADATA_KEY

TOAST = 40  # letters that napari shows of a toast


@pytest.fixture
def told(monkeypatch):
    """What the user is told of errors."""
    sentences = []
    monkeypatch.setattr(_restore, "show_error", sentences.append)
    return sentences


def run(qtbot, widget, *, light=True):
    widget.form.illumination.value = light
    widget.form.run.native.click()
    qtbot.waitUntil(lambda: not widget.job.running)


def restored(qtbot, viewer, name):
    viewer.layers.selection.active = viewer.layers[name]
    job = restore_layer(viewer)
    qtbot.waitUntil(lambda: not job.running)
    return viewer.layers[-1]


def values(rng, dtype, shape):
    if dtype == "bool":
        return rng.random(shape) > 0.5
    if np.dtype(dtype).kind == "f":
        return rng.normal(300, 200, shape).astype(dtype)
    top = min(np.iinfo(dtype).max, 65535)
    return rng.integers(0, top + 1, shape).astype(dtype)


@pytest.mark.parametrize("dtype", ["uint8", "uint16", "int32", "bool", "float32"])
@pytest.mark.parametrize("light", [True, False])
def test_the_stored_values_return_with_their_place(qtbot, viewer, widget, rng, dtype, light):
    stack = values(rng, dtype, (3, 30, 40))
    source = viewer.add_image(
        stack,
        name="cells",
        scale=(2, 0.5, 0.5),
        translate=(1, 2, 3),
        units=("um",) * 3,
        axis_labels=("z", "y", "x"),
    )
    run(qtbot, widget, light=light)
    layer = restored(qtbot, viewer, "cells enhanced · not for measuring")
    assert layer.name == "cells restored"
    assert layer.data.dtype == stack.dtype
    if dtype == "float32":
        np.testing.assert_allclose(layer.data, stack, rtol=2e-7)
    else:
        np.testing.assert_array_equal(layer.data, stack)
    np.testing.assert_array_equal(layer.scale, source.scale)
    np.testing.assert_array_equal(layer.translate, source.translate)
    assert layer.units == source.units
    assert layer.axis_labels == source.axis_labels


@pytest.mark.parametrize("colours", [3, 4])
def test_colours_return_at_any_strength(qtbot, viewer, widget, rng, colours):
    image = rng.integers(0, 65536, (30, 40, colours)).astype(np.uint16)
    viewer.add_image(image, name="night", rgb=True)
    run(qtbot, widget)
    widget.form.strength.value = 0.4
    qtbot.waitUntil(
        lambda: viewer.layers["night illumination"].metadata[METADATA_KEY]["strength"] == 0.4
    )
    np.testing.assert_array_equal(
        restored(qtbot, viewer, "night enhanced · not for measuring").data, image
    )


def test_the_illumination_can_be_selected_instead(qtbot, viewer, widget, rng):
    image = rng.integers(0, 4096, (30, 40)).astype(np.uint16)
    viewer.add_image(image, name="cells")
    run(qtbot, widget)
    np.testing.assert_array_equal(restored(qtbot, viewer, "cells illumination").data, image)
    assert widget.form.image.value.name == "cells"  # still what is enhanced


def test_a_lazy_multiscale_layer_stays_so(qtbot, viewer, widget, rng):
    fine = rng.integers(0, 4096, (4, 64, 96)).astype(np.uint16)
    arrays = [fine, fine[:, ::2, ::2]]
    chunked = [da.from_array(a, chunks=(1, -1, -1)) for a in arrays]
    viewer.add_image(chunked, name="cells", multiscale=True)
    run(qtbot, widget)
    layer = restored(qtbot, viewer, "cells enhanced · not for measuring")
    assert layer.multiscale
    for found, array in zip(layer.data, arrays, strict=True):
        assert isinstance(found, da.Array)
        np.testing.assert_array_equal(found, array)


@pytest.mark.parametrize("apart", ["result", "illumination", "scales"])
def test_a_pair_of_which_one_has_other_scales_is_restored_at_full_size(
    qtbot, viewer, widget, rng, apart
):
    """As after one of both was saved and opened: with other scales, or with one."""
    fine = rng.integers(0, 4096, (4, 64, 96)).astype(np.uint16)
    arrays = [da.from_array(a, chunks=(1, -1, -1)) for a in (fine, fine[:, ::2, ::2])]
    viewer.add_image(arrays, name="cells", multiscale=True)
    run(qtbot, widget)
    name = "cells illumination" if apart == "illumination" else "cells enhanced · not for measuring"
    layer = viewer.layers[name]
    opened = [np.asarray(layer.data[0]), np.asarray(layer.data[0])[:, ::4, ::4]]
    several = apart == "scales"
    viewer.layers.remove(layer)
    viewer.add_image(
        opened if several else opened[0], multiscale=several, name=name, metadata=layer.metadata
    )
    found = restored(qtbot, viewer, name)
    assert found.name == "cells restored" and not found.multiscale
    np.testing.assert_array_equal(found.data, fine)


def test_an_earlier_result_keeps_its_own_pair(qtbot, viewer, widget, rng):
    images = [rng.integers(0, 4096, (30, 40)).astype(np.uint16) for _ in range(2)]
    for number, image in enumerate(images):
        viewer.add_image(image, name=f"cells {number}")
        run(qtbot, widget)
    for number, image in enumerate(images):
        found = restored(qtbot, viewer, f"cells {number} enhanced · not for measuring").data
        np.testing.assert_array_equal(found, image)


def test_without_the_illumination_the_user_hears_what_to_do(qtbot, viewer, widget, rng, told):
    for name in ("one", "two"):
        viewer.add_image(rng.integers(0, 4096, (30, 40)).astype(np.uint16), name=name)
        run(qtbot, widget, light=False)
    viewer.layers.selection.active = viewer.layers["one enhanced · not for measuring"]
    assert restore_layer(viewer) is None
    assert "“one” again with “also add" in told[0].replace("\n", " ")
    assert len(told[0].splitlines()[0]) <= TOAST  # the rest is seen when the toast is opened
    assert told[0].replace("\n", " ") == viewer.status


def test_other_layers_are_refused(viewer, rng, told):
    viewer.add_image(rng.random((30, 40)))
    assert restore_layer(viewer) is None
    assert told[0].splitlines()[0] == "Select one enhanced layer first:"
    with pytest.raises(ValueError, match="enhanced"):
        chosen(ViewerModel())


def test_an_enhanced_layer_that_was_cropped_is_refused(qtbot, viewer, widget, rng, monkeypatch):
    viewer.add_image(rng.integers(0, 4096, (30, 40)).astype(np.uint16), name="cells")
    run(qtbot, widget)
    enhanced = viewer.layers["cells enhanced · not for measuring"]
    enhanced.data = enhanced.data[:20]
    sentences = []
    monkeypatch.setattr(_restore, "show_error", sentences.append)
    count = len(viewer.layers)
    restored(qtbot, viewer, "cells enhanced · not for measuring")
    assert len(viewer.layers) == count
    assert "do not belong together" in sentences[0]


def test_the_button_answers_in_the_status_and_by_no_toast(qtbot, viewer, widget, rng, monkeypatch):
    toasts = []
    monkeypatch.setattr(_restore, "show_info", toasts.append)
    image = rng.integers(0, 4096, (30, 40)).astype(np.uint16)
    viewer.add_image(image, name="cells")
    run(qtbot, widget, light=False)
    widget.form.result.restore.native.click()
    qtbot.waitUntil(lambda: "cells restored" in viewer.layers)
    said = widget.form.status.value
    assert said == "Added “cells restored”, the original pixel values: measure on those."
    assert not toasts
    viewer.layers["cells enhanced · not for measuring"].data = np.zeros((3, 4), np.uint16)
    widget.form.result.restore.native.click()
    assert "holds rounded uint16" in widget.form.status.value


def test_the_command_of_the_menu_answers_by_a_toast_that_is_whole(
    qtbot, viewer, widget, rng, monkeypatch
):
    toasts = []
    monkeypatch.setattr(_restore, "show_info", toasts.append)
    viewer.add_image(rng.integers(0, 4096, (30, 40)).astype(np.uint16), name="cells " * 9)
    run(qtbot, widget, light=False)
    job = restore_layer(viewer)
    qtbot.waitUntil(lambda: not job.running)
    assert len(toasts) == 1 and len(toasts[0]) <= TOAST
    assert "cells cells" in viewer.status and "measure on those" in viewer.status


def test_large_stacks_in_memory_are_restored_there(qtbot, viewer, make, stack, monkeypatch):
    monkeypatch.setattr("napari_lle.widgets.enhance.blending.EAGER", 100)
    viewer.add_image(stack, name="big")
    widget = make(viewer)
    run(qtbot, widget)
    assert isinstance(widget.live.layer.data, da.Array)
    widget.form.result.restore.native.click()
    qtbot.waitUntil(lambda: "big restored" in viewer.layers)
    found = viewer.layers["big restored"].data
    assert isinstance(found, np.ndarray)
    np.testing.assert_array_equal(found, stack)
