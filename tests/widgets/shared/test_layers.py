import numpy as np
import pytest
from napari.components import ViewerModel
from napari.layers import Image

from napari_lle.model.inference.enhance import estimate_steps
from napari_lle.model.inference.options import EnhanceOptions
from napari_lle.model.progress import finish
from napari_lle.widgets.enhance.blending import (
    Blend,
    blended,
    light_plane,
    reflectance_plane,
    shown,
)
from napari_lle.widgets.shared import layers as _layers
from napari_lle.widgets.shared.layers import Region


@pytest.fixture
def placed(rng):
    """A stack that is scaled, moved, turned and sheared."""
    return Image(
        rng.integers(0, 900, (3, 40, 50)).astype(np.uint16),
        name="stack",
        scale=(2, 0.5, 0.25),
        translate=(7, -3, 11),
        rotate=[(1, 0, 0), (0, 0.8, -0.6), (0, 0.6, 0.8)],
        shear=(0.0, 0.0, 0.2),
        affine=np.array([[1, 0, 0, 5], [0, 0, 1, 6], [0, -1, 0, 7], [0, 0, 0, 1.0]]),
        units=("um", "um", "um"),
        axis_labels=("z", "y", "x"),
        blending="additive",
        colormap="green",
    )


def test_a_result_lies_where_its_layer_lies(placed):
    made = Image(np.zeros((3, 40, 50), np.float32), **_layers.result_options(placed))
    assert made.name == "stack enhanced"
    assert made.blending == "additive"
    assert made.colormap.name == "green"
    assert made.units == placed.units
    assert made.axis_labels == ("z", "y", "x")
    for point in ((0, 0, 0), (2, 39, 49), (1, 10, 30)):
        np.testing.assert_allclose(made.data_to_world(point), placed.data_to_world(point))


def test_a_region_lies_over_itself(placed):
    region = Region((2,), (10, 30), (20, 50), step=1)
    part = Image(np.zeros((1, 20, 30), np.float32), **_layers.region_options(placed, region))
    np.testing.assert_allclose(part.data_to_world((0, 0, 0)), placed.data_to_world((2, 10, 20)))
    np.testing.assert_allclose(part.data_to_world((0, 19, 29)), placed.data_to_world((2, 29, 49)))


def test_a_thinned_region_puts_its_samples_where_they_were_taken(placed):
    region = Region((1,), (4, 40), (2, 50), step=3)
    part = Image(np.zeros((1, 12, 16), np.float32), **_layers.region_options(placed, region))
    np.testing.assert_allclose(part.data_to_world((0, 5, 7)), placed.data_to_world((1, 19, 23)))


def test_visible_region_takes_plane_and_corners(placed):
    viewer = ViewerModel()
    layer = viewer.add_image(np.zeros((5, 40, 50)), scale=(2, 1, 1))
    viewer.dims.set_point(0, 6)
    assert _layers.visible_region(layer, viewer.dims.point, 10**6) == Region((3,), (0, 40), (0, 50))
    layer.corner_pixels = np.array([[3, 4, 10], [3, 19, 29]])
    region = _layers.visible_region(layer, viewer.dims.point, 10**6)
    assert region == Region((3,), (4, 20), (10, 30))


def test_a_large_region_is_thinned_to_the_limit():
    layer = Image(np.zeros((400, 500)))
    region = _layers.visible_region(layer, (0, 0), 20_000)
    assert region.step == 4
    assert len(range(0, 400, 4)) * len(range(0, 500, 4)) <= 20_000


def test_multiscale_layers_stay_so_and_show_their_finest_level_in_the_preview():
    levels = [np.zeros((64, 64)), np.zeros((32, 32))]
    layer = Image(levels, multiscale=True)
    assert _layers.pixels(layer).shape == (64, 64)
    assert _layers.result_options(layer)["multiscale"] is True


def made_of(image, model_file, strength, illumination):
    options = EnhanceOptions(model=str(model_file))
    return shown(finish(estimate_steps(image, options)), Blend(strength), illumination)


def test_limits_are_those_of_a_photograph_or_of_the_result(model_file, rng, photo):
    of_photo = made_of(photo, model_file, 1.0, False)
    assert of_photo.limits == (0.0, 1.0)
    field = rng.integers(100, 200, (60, 60)).astype(np.uint16)
    field[3, 4] = 60_000
    made = made_of(field, model_file, 1.0, False)
    low, high = made.limits
    r = made.estimate.reflectance(1.0)
    assert low == 0
    assert np.percentile(r, 99) < high < r.max()


def test_lazy_planes_equal_eager_ones(model_file, rng, monkeypatch):
    stack = rng.integers(0, 900, (2, 3, 32, 40)).astype(np.uint16)
    made = made_of(stack, model_file, 0.5, True)
    assert isinstance(made.reflectance, np.ndarray)
    monkeypatch.setattr("napari_lle.widgets.enhance.blending.EAGER", 100)
    for plane, eager in ((reflectance_plane, made.reflectance), (light_plane, made.illumination)):
        lazy = blended(made.estimate, 0.5, plane)
        assert lazy.chunks[0] == (1, 1)
        np.testing.assert_array_equal(np.asarray(lazy), eager)
        np.testing.assert_array_equal(np.asarray(lazy[1, 2]), eager[1, 2])


def test_illumination_brings_the_input_back(model_file, rng):
    from napari_lle.model import restore

    stack = rng.integers(0, 900, (2, 32, 40)).astype(np.uint16)
    made = made_of(stack, model_file, 0.7, True)
    back = restore(made.reflectance, made.illumination, made.estimate.levels)
    np.testing.assert_array_equal(back, stack)
