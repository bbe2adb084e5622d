"""What comes back is what went in; parts and tiles are those of the whole."""

import numpy as np
import pytest
from helpers.estimates import dark, estimate, rng
from helpers.models import FORMS, random_model

from napari_lle.model import enhance, restore
from napari_lle.model.inference.plan import survey

SHAPES = [
    ((30, 40), None),
    ((30, 40, 3), None),
    ((30, 40, 4), None),
    ((3, 30, 40), None),
    ((2, 3, 12, 14), None),
    ((2, 12, 14, 3), None),
    ((12, 14, 3), False),
    ((1, 1), None),
    ((1, 9), None),
    ((5, 7, 3), None),
]


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("channels", ["auto", "per", "joint"])
@pytest.mark.parametrize(("shape", "rgb"), SHAPES)
@pytest.mark.parametrize("dtype", ["uint8", "uint16", "int16", "uint32", "bool"])
def test_integers_are_restored_bit_for_bit(form, channels, shape, rgb, dtype):
    image = dark(shape, dtype, {"bool": 1.9, "uint8": 255}.get(dtype, 30000))
    for strength in (1.0, 0.4):
        result = enhance(image, random_model(form), channels=channels, rgb=rgb, strength=strength)
        back = restore(result.reflectance, result.illumination, result.levels)
        assert back.dtype == image.dtype
        assert (back == image).all()
        assert result.reflectance.shape == image.shape
        assert result.reflectance.dtype == np.float32


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize(("shape", "rgb"), SHAPES)
@pytest.mark.parametrize("dtype", ["float32", "float64", ">f4", "float16"])
def test_floats_are_restored_to_their_precision(form, shape, rgb, dtype):
    image = dark(shape, dtype, 0.3)
    result = enhance(image, random_model(form), rgb=rgb)
    back = restore(result.reflectance, result.illumination, result.levels)
    assert back.dtype == np.dtype(dtype).newbyteorder("=")
    np.testing.assert_allclose(back, image, rtol=2e-7, atol=2e-7 * float(image.max()))


def test_values_below_black_and_not_finite_come_back():
    image = rng.normal(5, 100, (20, 30)).astype(np.float32)
    image[0, :3] = [np.nan, np.inf, -np.inf]
    for form in FORMS:
        result = enhance(image, random_model(form), black=0, white=300)
        below = np.isfinite(image) & (image < 0)
        # What cleans lifts them to its picture, where L takes their sign.
        lifted = form == "cleaning"
        assert (np.sign(result.reflectance) == (1 if lifted else -1))[below].all()
        assert np.isneginf(result.reflectance[0, 2])
        assert np.isnan(result.reflectance[0, 0]) and np.isposinf(result.reflectance[0, 1])
        assert np.isfinite(result.illumination).all()
        back = restore(result.reflectance, result.illumination, result.levels)
        np.testing.assert_allclose(back, image, rtol=2e-7)


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize(("shape", "rgb"), [((70, 130, 3), None), ((70, 130), None)])
def test_tiles_equal_the_whole(form, shape, rgb):
    image, model = dark(shape), random_model(form)
    whole = estimate(image, model, tile=512, rgb=rgb).reflectance()
    for tile in (32, 33, 50):
        part = estimate(image, model, tile=tile, rgb=rgb).reflectance()
        np.testing.assert_allclose(part, whole, rtol=0, atol=1e-6)


@pytest.mark.parametrize("form", FORMS)
def test_a_part_under_the_survey_of_the_whole_equals_the_whole(form):
    image, model = dark((3, 60, 80), "uint16", 4000), random_model(form)
    whole = estimate(image, model)
    part = estimate(image[1, 10:50, 20:70], model, known=survey(image))
    inner = (slice(8, -8), slice(8, -8))
    expected = whole.reflectance()[1, 10:50, 20:70][inner]
    np.testing.assert_allclose(part.reflectance()[inner], expected, rtol=0, atol=1e-6)


@pytest.mark.parametrize("strength", [1.0, 0.4])
@pytest.mark.parametrize("channels", ["per", "joint"])
@pytest.mark.parametrize("dtype", ["uint8", "uint16", "float32"])
def test_the_last_result_is_the_same_in_less_memory(dtype, channels, strength):
    image, model = dark((30, 40, 3), dtype, 200), random_model("cleaning")
    found = estimate(image, model, channels=channels)
    expected = found.result(strength)
    last = found.result(strength, last=True)
    for name in ("reflectance", "illumination"):
        assert (getattr(last, name) == getattr(expected, name)).all()
    assert (last.illumination is found.illumination) == (dtype != "float32")  # which needs more
