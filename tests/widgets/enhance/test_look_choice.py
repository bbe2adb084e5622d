"""The look of each image, the line about it, and the folds that hold the rest."""

import numpy as np
import pytest
from helpers.running import run

from napari_lle.model import enhance
from napari_lle.model.inference.options import EnhanceOptions
from napari_lle.samples import cells_layers, photograph_layers, stars_layers
from napari_lle.widgets.enhance.form import FOLDS
from napari_lle.widgets.shared.layers import METADATA_KEY


@pytest.fixture
def three(viewer):
    """The samples, one of each kind."""
    for layers in (photograph_layers, cells_layers, stars_layers):
        for data, options, _ in layers():
            viewer.add_image(
                data[..., :64, :64, :] if options["rgb"] else data[..., :64, :64], **options
            )
    return viewer


def test_each_image_has_its_look_and_the_tooltip_says_why(three, make):
    form = make(three).form
    for name, look, reason in (
        ("dark photograph", "photograph", "8 bits"),
        ("dim cells", "fluorescence", "micrometer"),
        ("star field", "astronomy", "“star field”"),
    ):
        three.layers.selection.active = three.layers[name]
        assert form.image.value is three.layers[name]
        assert form.look.value == look and reason in form.look.tooltip


def test_floating_colours_are_told_by_their_values(viewer, make, photo):
    viewer.add_image(photo / 255, name="a photograph", rgb=True)
    form = make(viewer).form
    assert form.look.value == "photograph" and "0 to 1" in form.look.tooltip
    for bands in (photo / 2.0, photo / -255.0, photo * np.nan):
        viewer.add_image(bands, name="three bands", rgb=True)
        assert form.look.value == "astronomy"


def test_what_the_user_says_stays_with_the_image(three, make):
    form = make(three).form
    form.image.value = three.layers["dim cells"]
    form.look.value = "publication"
    form.image.value = three.layers["star field"]
    assert form.look.value == "astronomy"
    form.image.value = three.layers["dim cells"]
    assert form.look.value == "publication"
    assert "Chosen by you; fluorescence" in form.look.tooltip


@pytest.mark.parametrize("look", ["photograph", "fluorescence", "astronomy", "publication"])
def test_the_window_does_what_python_does_and_its_code_repeats_it(qtbot, three, make, look):
    widget = make(three)
    form = widget.form
    form.model.use("auto")
    form.image.value = three.layers["dark photograph"]
    form.look.value = look
    run(qtbot, widget)
    mark = "" if look == "publication" else " · not for measuring"
    result = three.layers[f"dark photograph enhanced{mark}"]
    image = three.layers["dark photograph"].data
    np.testing.assert_array_equal(result.data, enhance(image, look=look).reflectance)
    record = result.metadata[METADATA_KEY]
    assert record["look"] == look
    names = {"image": image}
    exec(EnhanceOptions.from_record(record).as_python(record["strength"]), names)
    np.testing.assert_array_equal(names["result"].reflectance, result.data)


def test_the_line_names_the_model_that_auto_took_and_the_levels(qtbot, three, make):
    widget = make(three)
    form = widget.form
    form.model.use("auto")
    form.image.value = three.layers["dark photograph"]
    qtbot.waitUntil(lambda: "black" in form.line.value)
    assert form.line.value == "photo · black 0 (0 % below) · white 255"
    form.look.value = "publication"
    assert form.line.value.startswith("stretch:mtf · ")
    form.image.value = three.layers["dim cells"]
    qtbot.waitUntil(lambda: "black" in form.line.value)
    assert form.line.value.startswith("science · ")
    values = three.layers["dim cells"].data
    form.levels.black.value = str(int(np.median(values)))
    share = float(form.line.value.split("(")[1].split(" %")[0])
    assert share == pytest.approx(100 * (values < np.median(values)).mean(), abs=3)
    form.levels.black.value = "dark"
    assert "must be a number" in form.line.value


def test_the_sky_has_its_black_and_its_slider(qtbot, three, make):
    widget = make(three)
    form, stars = widget.form, three.layers["star field"]
    form.model.use("auto")
    form.image.value = stars
    qtbot.waitUntil(lambda: widget.levels.found is not None)
    expected = enhance(stars.data, look="astronomy")
    assert widget.levels.found.levels == expected.levels
    assert expected.levels.black != enhance(stars.data).levels.black
    form.levels.sky.value = 0.1
    run(qtbot, widget)
    record = three.layers["star field enhanced · not for measuring"].metadata[METADATA_KEY]
    assert record["sky"] == pytest.approx(0.1)
    darker = enhance(stars.data, look="astronomy", sky=form.levels.sky.value)
    shown = three.layers["star field enhanced · not for measuring"].data
    np.testing.assert_allclose(shown, darker.reflectance, atol=1e-6)
    names = {"image": stars.data}
    exec(EnhanceOptions.from_record(record).as_python(), names)
    np.testing.assert_allclose(names["result"].reflectance, darker.reflectance, atol=1e-6)
    assert form.levels.sky.enabled
    form.look.value = "fluorescence"
    assert form.options().sky is None and not form.levels.sky.enabled


def test_channels_have_levels_of_their_own_and_keep_them_when_locked(qtbot, viewer, make, rng):
    bright = rng.gamma(2, 300, (48, 64))
    composite = np.stack([bright, bright + 200, bright / 20], axis=-1).astype(np.float32)
    viewer.add_image(composite, name="composite", rgb=True)
    widget = make(viewer)
    form = widget.form
    form.model.use("auto")
    qtbot.waitUntil(lambda: widget.levels.found is not None)
    found = widget.levels.found.levels
    assert len(found.each) == 3
    assert form.line.value.count(",") >= 4  # three blacks, three whites
    form.levels.lock.value = True
    np.testing.assert_allclose(form.options().white, found.white, rtol=1e-6)
    run(qtbot, widget)
    levels = viewer.layers["composite enhanced · not for measuring"].metadata[METADATA_KEY][
        "levels"
    ]
    np.testing.assert_allclose(levels["black"], found.black, rtol=1e-6)
    form.levels.black.value = "1; 2,5; 3"
    assert form.options().black == (1.0, 2.5, 3.0)
    form.levels.black.value = "sky"
    assert form.options().black == "sky"


def test_folds_are_shut_at_first_and_stay_as_they_were_left(viewer, make):
    folds = make(viewer).form.folds
    assert list(folds) == list(FOLDS)
    assert not any(fold.isExpanded() for fold in folds.values())
    folds["Levels"].toggleButton().click()
    later = make(viewer).form.folds
    assert [title for title, fold in later.items() if fold.isExpanded()] == ["Levels"]
    later["Levels"].toggleButton().click()
    assert not make(viewer).form.folds["Levels"].isExpanded()
