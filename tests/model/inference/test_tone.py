"""Brightness and noise removal: known answers, everywhere the same, repeated and restored."""

import dask.array as da
import numpy as np
import pytest

from napari_lle.model import enhance, enhance_jointly, enhance_stored, restore, uncertainty
from napari_lle.model.inference.enhance import estimate_steps
from napari_lle.model.inference.options import EnhanceOptions
from napari_lle.model.inference.tone import Tone, tonable, toned
from napari_lle.model.progress import finish

TONE = Tone(0.4, 0.3)


@pytest.fixture
def cells(rng):
    return (100 + rng.gamma(2, 30, (2, 40, 50))).astype(np.uint16)


@pytest.mark.parametrize("brightness", [0.05, 0.1, 0.25, 0.4, 0.9])
def test_a_quarter_is_brought_there_and_the_ends_stay(brightness):
    light = np.full(5, 0.5, np.float32)
    r = np.array([0, 0.25, 0.5, 1, 2], np.float32)
    after = r * light / Tone(brightness).of(r * light, light, 0.1, 0.0)
    assert after[1] == pytest.approx(brightness, rel=1e-5)
    np.testing.assert_allclose(after[[0, 3, 4]], [0, 1, 2], rtol=1e-6)
    assert (np.diff(after) > 0).all()


@pytest.mark.parametrize("model", ["linear", "science"])
def test_without_its_noise_removal_a_result_is_a_plain_stretch(cells, model):
    plain = enhance(cells, "linear:global", rgb=False).reflectance
    none = enhance(cells, model, rgb=False, denoise=0).reflectance
    lit = plain > 0.01  # science lifts the few that are darker
    assert lit.mean() > 0.99
    np.testing.assert_allclose(none[lit], plain[lit], rtol=1e-4)
    half, whole = (enhance(cells, model, rgb=False, denoise=d).reflectance for d in (0.5, None))
    assert 0 < np.abs(half - plain).mean() < np.abs(whole - plain).mean()


def test_the_kept_estimate_gives_what_a_run_does_to_the_bit(cells):
    estimate = finish(estimate_steps(cells, EnhanceOptions(model="linear", rgb=False)))
    assert tonable(estimate) and toned(estimate, Tone()) is estimate
    moved = toned(toned(estimate, Tone(0.7)), TONE)  # another one before
    ran = enhance(cells, "linear", rgb=False, brightness=0.4, denoise=0.3, strength=0.8)
    result = moved.result(0.8)
    np.testing.assert_array_equal(result.reflectance, ran.reflectance)
    np.testing.assert_array_equal(moved.plane((1,), 0.8), ran.reflectance[1])
    assert result.record == ran.record
    assert toned(moved, Tone()) is estimate
    again = EnhanceOptions.from_record(ran.record)
    assert (again.brightness, again.denoise) == (0.4, 0.3)


@pytest.mark.parametrize("kind", ["grey", "colour"])
def test_what_is_measured_comes_back(cells, photo, kind):
    image = cells if kind == "grey" else photo
    result = enhance(image, brightness=0.6, rgb=kind == "colour")
    back = restore(result.reflectance, result.illumination, result.levels)
    np.testing.assert_array_equal(back, image)
    assert result.reflectance.mean() > enhance(image, rgb=kind == "colour").reflectance.mean()


def test_lazy_stored_and_joint_images_have_it_too(cells):
    tone = {"brightness": 0.4, "denoise": 0.3}
    whole = enhance(cells, "linear", rgb=False, **tone)
    lazy = enhance(da.from_array(cells, chunks=(1, 20, -1)), "linear", rgb=False, **tone)
    np.testing.assert_allclose(lazy.reflectance.compute(), whole.reflectance, rtol=1e-5)
    stored = enhance_stored(cells, "linear", rgb=False, **tone)
    levels = whole.levels
    expected = np.clip(np.rint(whole.reflectance * levels.span + levels.black), 0, 65535)
    assert np.abs(stored.astype(float) - expected).max() <= 1
    (joint,) = enhance_jointly([cells], "linear", axis=0, **tone)
    light = np.broadcast_to(joint.illumination, cells.shape)
    np.testing.assert_allclose(light[0], light[1], rtol=1e-5)  # channels keep their ratios
    assert joint.record["denoise"] == 0.3


def test_what_cannot_be_is_said(cells, photo):
    with pytest.raises(ValueError, match="has no adjustable noise removal"):
        enhance(photo, "photo", denoise=0.5)
    for wrong in ({"brightness": 0}, {"brightness": 1}, {"denoise": -0.1}, {"denoise": 2}):
        with pytest.raises(ValueError, match=next(iter(wrong))):
            EnhanceOptions(**wrong)
    with pytest.raises(ValueError, match="brightness or denoise"):
        uncertainty(enhance(cells, "linear", rgb=False, brightness=0.4))
