import dask.array as da
import numpy as np
import pytest
from helpers.running import run

from napari_lle.model import enhance_jointly
from napari_lle.model.inference.options import EnhanceOptions
from napari_lle.widgets.enhance.levels import COPIED_LEVELS
from napari_lle.widgets.enhance.restore import restore_layer
from napari_lle.widgets.shared.layers import METADATA_KEY, channel_axis


@pytest.fixture
def scene(rng):
    """Three channels of very different brightness, (C, Y, X)."""
    shape = rng.gamma(2, 1, (3, 48, 64)) * np.array([900, 300, 60])[:, None, None]
    return (100 + shape).clip(0, 4095).astype(np.uint16)


def add_apart(viewer, scene):
    """The channels as layers, all selected, the first of them active."""
    layers = [viewer.add_image(channel, name=f"ch{i}") for i, channel in enumerate(scene)]
    viewer.layers.selection.active = layers[0]
    viewer.layers.selection = set(layers)
    return layers


@pytest.mark.parametrize("label", ["c", "C", "channel"])
def test_an_axis_named_c_shares_an_illumination(qtbot, viewer, widget, scene, model_file, label):
    stack = np.stack([scene, scene[:, ::-1]])
    viewer.add_image(stack, name="cells", axis_labels=("z", label, "y", "x"))
    run(qtbot, widget)
    (expected,) = enhance_jointly([stack], model_file, axis=1)
    np.testing.assert_array_equal(
        viewer.layers["cells enhanced · not for measuring"].data, expected.reflectance
    )
    assert viewer.layers["cells enhanced · not for measuring"].axis_labels == ("z", label, "y", "x")


@pytest.mark.parametrize("choice", [{"channels": "per"}, {"labels": ("t", "z", "y", "x")}])
def test_planes_of_other_axes_do_not(qtbot, viewer, widget, scene, choice):
    stack = np.stack([scene, scene[:, ::-1]])
    labels = choice.get("labels", ("z", "c", "y", "x"))
    viewer.add_image(stack, name="cells", axis_labels=labels)
    widget.form.channels.value = choice.get("channels", "auto")
    run(qtbot, widget)
    assert (
        "channel_axis"
        not in viewer.layers["cells enhanced · not for measuring"].metadata[METADATA_KEY]
    )


def test_a_lazy_axis_of_channels_gives_a_lazy_layer(qtbot, viewer, widget, scene, model_file):
    chunked = da.from_array(scene, chunks=(1, -1, -1))
    viewer.add_image(chunked, name="cells", axis_labels=("c", "y", "x"))
    run(qtbot, widget)
    (expected,) = enhance_jointly([scene], model_file, axis=0)
    result = viewer.layers["cells enhanced · not for measuring"].data
    assert isinstance(result, da.Array)
    np.testing.assert_allclose(result, expected.reflectance, rtol=1e-6)


def test_selected_layers_share_one_and_keep_their_levels(qtbot, viewer, widget, scene, model_file):
    layers = add_apart(viewer, scene)
    layers[2].metadata[COPIED_LEVELS] = {"black": 90.0, "white": 500.0}
    widget.form.together.value = True
    widget.form.illumination.value = True
    run(qtbot, widget)
    first, second, _ = enhance_jointly(
        list(scene), model_file, black=[None, None, 90.0], white=[None, None, 500.0]
    )
    np.testing.assert_array_equal(
        viewer.layers["ch0 enhanced · not for measuring"].data, first.reflectance
    )
    np.testing.assert_array_equal(
        viewer.layers["ch1 enhanced · not for measuring"].data, second.reflectance
    )
    levels = [
        viewer.layers[f"ch{i} enhanced · not for measuring"].metadata[METADATA_KEY]["levels"]
        for i in range(3)
    ]
    assert len({each["white"] for each in levels}) == 3
    assert levels[2]["white"] == 500


def test_the_strength_moves_them_all_and_each_returns(qtbot, viewer, widget, scene):
    add_apart(viewer, scene)
    widget.form.together.value = True
    run(qtbot, widget)
    widget.form.strength.value = 0.5
    names = [f"ch{i} enhanced · not for measuring" for i in range(3)]
    qtbot.waitUntil(
        lambda: all(viewer.layers[name].metadata[METADATA_KEY]["strength"] == 0.5 for name in names)
    )
    for name, channel in zip(names, scene, strict=True):
        viewer.layers.selection.active = viewer.layers[name]
        job = restore_layer(viewer)
        qtbot.waitUntil(lambda job=job: not job.running)
        np.testing.assert_array_equal(viewer.layers[-1].data, channel)


def test_the_same_layers_can_be_enhanced_again(qtbot, viewer, widget, scene):
    layers = add_apart(viewer, scene)
    widget.form.together.value = True
    run(qtbot, widget)
    assert widget.form.status.value.startswith(
        "Added “ch0 enhanced”, “ch1 enhanced”, “ch2 enhanced”"
    )
    before = [layer.data for layer in widget.results.layers]
    run(qtbot, widget)  # a result is what is selected now
    assert widget.results.sources == layers
    for layer, data in zip(widget.results.layers, before, strict=True):
        np.testing.assert_array_equal(layer.data, data)


def test_locked_levels_hold_for_all(qtbot, viewer, widget, scene):
    add_apart(viewer, scene)
    widget.form.levels.black.value, widget.form.levels.white.value = "100", "4000"
    widget.form.levels.lock.value = True
    widget.form.together.value = True
    run(qtbot, widget)
    for i in range(3):
        levels = viewer.layers[f"ch{i} enhanced · not for measuring"].metadata[METADATA_KEY][
            "levels"
        ]
        assert (levels["black"], levels["white"]) == (100, 4000)


def test_what_cannot_share_is_told(qtbot, viewer, widget, scene, rng):
    first = viewer.add_image(scene[0], name="ch0")
    widget.form.together.value = True
    widget.enhance()
    assert "Select the image layers" in widget.form.status.value
    for other, sentence in (
        (viewer.add_image(scene[1, :20], name="small"), "differ in shape"),
        (viewer.add_image(rng.random((48, 64, 3)), name="colour"), "is in colour"),
    ):
        viewer.layers.selection.active = first
        viewer.layers.selection = {first, other}
        widget.enhance()
        assert sentence in widget.form.status.value
    assert widget.job is None


def test_the_preview_shows_what_the_run_will(qtbot, viewer, widget, scene):
    viewer.add_image(scene, name="cells", axis_labels=("c", "y", "x"))
    widget.form.preview.value = True
    for channel in (2, 0):
        viewer.dims.set_point(0, channel)
        qtbot.waitUntil(
            lambda c=channel: (
                widget.preview.layer is not None
                and not widget.preview.busy
                and widget.preview.layer.translate[0] == c
            )
        )
        shown = np.array(widget.preview.layer.data)
        widget.form.preview.value = False
        run(qtbot, widget)
        np.testing.assert_allclose(shown[0], viewer.layers[-1].data[channel], rtol=1e-5)
        viewer.layers.selection.active = viewer.layers["cells"]
        widget.form.preview.value = True


def test_code_repeats_the_run_and_a_command_where_there_is_one(qtbot, viewer, widget, scene):
    add_apart(viewer, scene)
    widget.form.together.value = True
    run(qtbot, widget)
    record = viewer.layers["ch0 enhanced · not for measuring"].metadata[METADATA_KEY]
    names = {f"image_{i}": channel for i, channel in enumerate(scene)}
    options = EnhanceOptions.from_record(record)
    exec(options.as_python(record["strength"]), names)
    for i, result in enumerate(names["results"]):
        np.testing.assert_allclose(
            result.reflectance, viewer.layers[f"ch{i} enhanced · not for measuring"].data, rtol=1e-6
        )
    with pytest.raises(ValueError, match="copy as Python"):
        options.as_command()


def test_an_axis_of_one_channel_is_none(viewer, scene):
    layer = viewer.add_image(scene[:1], axis_labels=("c", "y", "x"))
    assert channel_axis(layer) is None


@pytest.mark.parametrize("kind", ["array", "dask", "multiscale"])
def test_rows_and_columns_are_found_by_their_names(qtbot, viewer, widget, scene, kind):
    back = np.moveaxis(scene, 0, -1)  # (Y, X, C)
    data = {
        "array": back,
        "dask": da.from_array(back, chunks=(-1, -1, 1)),
        "multiscale": [back, back[::2, ::2]],
    }[kind]
    viewer.add_image(
        data, name="cells", rgb=False, axis_labels=("y", "x", "c"), multiscale=kind == "multiscale"
    )
    widget.form.illumination.value = True
    run(qtbot, widget)
    (expected,) = enhance_jointly([scene], str(widget.form.model.value), axis=0)
    result = viewer.layers["cells enhanced · not for measuring"]
    found = result.data[0] if kind == "multiscale" else result.data
    np.testing.assert_allclose(np.moveaxis(found, -1, 0), expected.reflectance, rtol=1e-6)
    assert result.axis_labels == ("y", "x", "c")
    widget.form.strength.value = 0.3
    qtbot.waitUntil(lambda: result.metadata[METADATA_KEY]["strength"] == 0.3)
    viewer.layers.selection.active = result
    job = restore_layer(viewer)
    qtbot.waitUntil(lambda: not job.running)
    restored = viewer.layers[-1].data
    np.testing.assert_array_equal(restored[0] if kind == "multiscale" else restored, back)
