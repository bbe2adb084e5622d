import dask.array as da
import numpy as np
import pytest
from helpers.running import run
from napari.layers import Image, Shapes

from napari_lle.model import enhance
from napari_lle.model.inference.options import EnhanceOptions
from napari_lle.widgets.enhance.levels import COPIED_LEVELS
from napari_lle.widgets.shared.layers import METADATA_KEY
from napari_lle.widgets.shared.regions import region_mask


@pytest.fixture
def image(rng):
    """Cells of 900 on a background of 200."""
    pixels = rng.normal(200, 3, (60, 80))
    pixels[10:30, 20:50] += 700
    return pixels.astype(np.uint16)


def test_black_comes_from_a_dark_layer(qtbot, viewer, make, image, rng):
    viewer.add_image(image, name="cells")
    dark = viewer.add_image(rng.normal(120, 2, (5, 60, 80)), name="dark")
    viewer.layers.selection.active = viewer.layers["cells"]
    widget = make(viewer)
    widget.form.levels.reference.value = dark
    widget.form.levels.take.native.click()
    qtbot.waitUntil(lambda: widget.form.levels.black.value != "")
    assert float(widget.form.levels.black.value) == pytest.approx(120, abs=0.2)
    assert "dark" in widget.form.status.value
    run(qtbot, widget)
    levels = viewer.layers["cells enhanced · not for measuring"].metadata[METADATA_KEY]["levels"]
    assert levels["black"] == float(widget.form.levels.black.value)


def test_black_comes_from_the_selected_shape(qtbot, viewer, make, image):
    viewer.add_image(image, name="cells", scale=(0.5, 0.5), translate=(3, 4))
    boxes = [
        np.array([[p, q], [p, q + 9], [p + 9, q + 9], [p + 9, q]]) for p, q in ((12, 25), (40, 5))
    ]
    shapes = Shapes(boxes, name="roi", scale=(0.5, 0.5), translate=(3, 4))
    viewer.add_layer(shapes)
    widget = make(viewer)
    widget.form.levels.reference.value = shapes
    for chosen, expected in ((0, 900), (1, 200)):
        shapes.selected_data = {chosen}
        widget.form.levels.take.native.click()
        qtbot.waitUntil(
            lambda e=expected: (
                widget.form.levels.black.value not in ("",)
                and abs(float(widget.form.levels.black.value) - e) < 2
            )
        )
    shapes.data = [boxes[0] + 500]
    widget.form.levels.take.native.click()
    assert "marks no pixel" in widget.form.status.value


def test_regions_lie_where_they_are_drawn():
    image = Image(np.zeros((4, 40, 50)), scale=(2, 0.5, 0.25), translate=(0, 10, 20))
    corners = np.array([[10, 20], [10, 25], [15, 25], [15, 20]], float)  # in the world
    mask = region_mask(Shapes([corners], shape_type="rectangle"), image)
    assert mask.shape == (40, 50)
    rows, columns = np.nonzero(mask)
    assert (rows.min(), columns.min()) == (0, 0)
    assert 9 <= rows.max() <= 10
    assert 19 <= columns.max() <= 20
    plain = Image(np.zeros((40, 40)))
    box = np.array([[5, 5], [5, 35], [25, 35], [25, 5]], float)
    ellipse = region_mask(Shapes([box], shape_type="ellipse"), plain)
    assert ellipse.sum() == pytest.approx(np.pi * 10 * 15, rel=0.03)
    assert ellipse[15, 20]
    assert not ellipse[6, 6]
    with pytest.raises(ValueError, match="draw a rectangle"):
        region_mask(Shapes([box[:2]], shape_type="line"), plain)


def test_levels_are_copied_to_the_selected_layers_and_used_there(qtbot, viewer, make, image):
    first = viewer.add_image(image, name="first")
    second = viewer.add_image(image // 2, name="second")
    third = viewer.add_image(image // 3, name="third")
    viewer.layers.selection.active = first
    widget = make(viewer)
    widget.form.levels.black.value = "150"
    viewer.layers.selection = {first, second}
    assert widget.form.image.value is first
    widget.form.levels.pass_on.native.click()
    qtbot.waitUntil(lambda: COPIED_LEVELS in second.metadata)
    white = np.percentile(image, 99.9)
    assert second.metadata[COPIED_LEVELS] == {"black": 150, "white": pytest.approx(white)}
    assert COPIED_LEVELS not in third.metadata
    viewer.layers.selection.active = second
    assert widget.form.image.value is second
    assert float(widget.form.levels.black.value) == 150
    run(qtbot, widget)
    record = viewer.layers["second enhanced · not for measuring"].metadata[METADATA_KEY]
    assert record["levels"]["black"] == 150
    assert record["levels"]["white"] == pytest.approx(white)
    viewer.layers.selection.active = third
    assert widget.form.levels.black.value == ""


def test_locked_levels_stay_for_the_next_image(qtbot, viewer, make, image):
    first = viewer.add_image(image, name="first")
    second = viewer.add_image(image // 2, name="second")
    viewer.layers.selection.active = first
    widget = make(viewer)
    widget.form.levels.lock.value = True
    qtbot.waitUntil(lambda: widget.form.levels.white.value != "")
    found = widget.form.levels.black.value, widget.form.levels.white.value
    np.testing.assert_allclose(np.array(found, float), np.percentile(image, [0.1, 99.9]))
    second.metadata[COPIED_LEVELS] = {"black": 1, "white": 2}
    viewer.layers.selection.active = second
    assert (widget.form.levels.black.value, widget.form.levels.white.value) == found
    widget.form.levels.lock.value = False
    assert (widget.form.levels.black.value, widget.form.levels.white.value) == ("1", "2")


def test_nothing_selected_is_said(viewer, make, image):
    viewer.add_image(image, name="only")
    widget = make(viewer)
    widget.form.levels.pass_on.native.click()
    assert "Select the image layers" in widget.form.status.value
    widget.form.levels.take.native.click()
    assert "dark frame" in widget.form.status.value


def test_global_mode_makes_equal_values_equal(qtbot, viewer, make, image, model_file):
    viewer.add_image(image, name="cells")
    widget = make(viewer)
    widget.form.look.value = "publication"
    run(qtbot, widget)
    result = viewer.layers["cells enhanced"]
    for value in np.unique(image)[::5]:
        assert np.ptp(result.data[image == value]) < 1e-6
    record = result.metadata[METADATA_KEY]
    assert record["model"] == "random:global"
    assert record["model_file"] == f"{model_file}:global"
    assert f"{model_file}:global" in EnhanceOptions.from_record(record).as_command()
    np.testing.assert_array_equal(
        enhance(image, record["model_file"], rgb=False).reflectance, result.data
    )


def test_a_report_tells_and_adds_the_gain(qtbot, viewer, make, image):
    stack = np.stack([image, image // 2])
    viewer.add_image(stack, name="cells", scale=(3, 0.5, 0.5))
    widget = make(viewer)
    assert not widget.form.result.report.enabled
    widget.form.look.value = "publication"
    widget.form.strength.value = 0.5
    run(qtbot, widget)
    assert widget.form.result.report.enabled
    widget.form.result.report.native.click()
    qtbot.waitUntil(lambda: widget.afterwards.window is not None)
    assert widget.afterwards.window.isVisible()
    assert "Rising everywhere" in widget.form.status.value
    assert "Rising everywhere" in widget.afterwards.window.text.text()
    gain, result = viewer.layers["cells enhanced gain"], viewer.layers["cells enhanced"]
    np.testing.assert_array_equal(gain.scale, result.scale)
    levels = result.metadata[METADATA_KEY]["levels"]
    x = (stack - levels["black"]) / (levels["white"] - levels["black"])
    np.testing.assert_allclose(x * gain.data, result.data, atol=1e-5)
    assert gain not in widget.form.levels.reference.choices


@pytest.mark.parametrize("kind", ["lazy", "multiscale", "turned"])
def test_a_report_of_any_layer_brings_its_gain(qtbot, viewer, make, image, model_file, kind):
    stack = np.stack([image, image[::-1]])
    data, labels = {
        "lazy": (da.from_array(stack, chunks=(1, -1, -1)), ("z", "y", "x")),
        "multiscale": ([stack, stack[:, ::2, ::2]], ("z", "y", "x")),
        "turned": (np.moveaxis(stack, 0, -1), ("y", "x", "z")),
    }[kind]
    viewer.add_image(
        data, name="cells", rgb=False, axis_labels=labels, multiscale=kind == "multiscale"
    )
    widget = make(viewer)
    run(qtbot, widget)
    widget.form.result.report.native.click()
    qtbot.waitUntil(lambda: widget.afterwards.window is not None)
    gain = viewer.layers["cells enhanced gain"].data
    found = np.asarray(gain[0] if kind == "multiscale" else gain)
    found = np.moveaxis(found, -1, 0) if kind == "turned" else found
    expected = enhance(stack, model_file, rgb=False).illumination
    np.testing.assert_allclose(found, 1 / expected, rtol=1e-4)
