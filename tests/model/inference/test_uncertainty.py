from dataclasses import replace

import dask.array as da
import numpy as np
import pytest

from napari_lle.model import enhance, load_model, uncertainty, what_changed
from napari_lle.model.evaluation import interval
from napari_lle.model.evaluation.checks import stretch_model
from napari_lle.model.evaluation.fields import cell_field
from napari_lle.model.evaluation.simulate import camera, disc_field
from napari_lle.model.inference import uncertainty as module
from napari_lle.model.preprocessing.noise import Noise

STRETCH = stretch_model()


@pytest.fixture
def image(rng):
    light = 500 * cell_field(160, rng)
    return camera(light, rng, read_noise=3.0, offset=100)


@pytest.mark.parametrize("toned", [{}, {"strength": 0.4}, {"brightness": 0.4, "strength": 0.7}])
def test_the_plain_stretch_changes_nothing(image, toned):
    result = enhance(image, STRETCH, rgb=False, **toned)
    assert np.abs(what_changed(result)).max() < 1e-3
    assert what_changed(result).dtype == np.float32


def test_what_changed_is_told_in_deviations_of_the_noise(image):
    result = enhance(image, STRETCH, rgb=False, black=50)
    plain = module.PlainStretch.of(result.record)
    levels = result.levels
    # One deviation of the input's noise is added to R's, in the middle of a calm part.
    noise = Noise(gain=1.0, read_noise=3.0, black=100.0)
    x = (image - levels.black) / levels.span
    deviation = np.sqrt(noise.variance(image)) / levels.span
    more = ((x + deviation) * plain.gain(x + deviation)).astype(np.float32)
    other = replace(result, reflectance=more, illumination=(x / more).astype(np.float64))
    told = what_changed(other, noise=noise)
    assert np.median(told) == pytest.approx(1, abs=0.1)
    found = what_changed(other)
    assert np.median(found) == pytest.approx(1, abs=0.15)


@pytest.mark.parametrize("strength", [0.0, 0.5, 1.0])
@pytest.mark.parametrize("brightness", [0.15, 0.25, 0.5])
def test_noise_is_shown_by_the_slope_of_the_curve(strength, brightness):
    plain, v = module.PlainStretch(0.02, strength, brightness), np.linspace(0.01, 0.99, 50)
    above, below = ((v + h) * plain.gain(v + h) for h in (1e-6, -1e-6))
    np.testing.assert_allclose(plain.slope(v), (above - below) / 2e-6, rtol=1e-6)


def test_the_interval_of_a_mere_stretch_is_its_noise(rng):
    flat = camera(np.full((200, 200), 400.0), rng, read_noise=3.0, offset=100)
    result = enhance(flat, STRETCH, rgb=False, black=100, white=2000)
    record = {**result.record, "uncertainty": [1.96] * len(module.KNOTS) + [0]}
    half = uncertainty(replace(result, record=record))
    assert np.median(half) == pytest.approx(1.96 * result.reflectance.std(), rel=0.05)


@pytest.mark.parametrize("electrons", [4000, 600, 90, 25])
@pytest.mark.parametrize("model", ["linear", "linear:global"])
def test_the_interval_holds_the_truth_on_fields_of_another_kind(electrons, model):
    rng = np.random.default_rng(electrons)
    light = disc_field(192, 0.2 * electrons, sky=0.05 * electrons)[0]
    image = camera(light, rng, read_noise=3.0, offset=200, full_well=1e5)
    result = enhance(image, model, rgb=False)
    truth = interval.stretched_truth(image, light + 200)
    share = (np.abs(result.reflectance - truth) <= uncertainty(result)).mean()
    assert 0.9 < share < 0.99


def test_the_fit_finds_the_interval_of_a_mere_stretch(monkeypatch):
    monkeypatch.setattr(interval, "FITTED_SEEDS", [1])
    monkeypatch.setattr(interval, "ELECTRONS", (600, 25))
    monkeypatch.setattr(interval, "SCENE_SIDE", 96)
    constants = interval.fit_interval(lambda image: enhance(image, STRETCH, rgb=False))
    assert constants[0] == pytest.approx(1.96, abs=0.1)  # nothing is changed: the first knot
    found = interval.errors(lambda image: enhance(image, STRETCH, rgb=False), [2])
    for share in interval.coverage(found, constants).values():
        assert share == pytest.approx(0.95, abs=0.02)
    narrow = tuple(0.5 * c for c in constants)
    assert max(interval.coverage(found, narrow).values()) < 0.8
    checks = interval.stated(lambda image: enhance(image, STRETCH, rgb=False), narrow)
    assert [check["verdict"] for check in checks] == ["warning", "fail", "fail"]
    assert 0 < checks[0]["value"] < 0.9


@pytest.mark.parametrize("shape", [(3, 90, 100), (1, 2300)])
def test_lazy_layers_are_computed_where_they_are_looked_at(shape, rng):
    pixels = camera(rng.uniform(10, 400, shape), rng, offset=100)
    whole = enhance(pixels, "linear", rgb=False)
    lazy = enhance(da.from_array(pixels, chunks=(1, *shape[1:])), "linear", rgb=False)
    for figure in (what_changed, uncertainty):
        found = figure(lazy)
        assert isinstance(found, da.Array)
        assert found.shape == shape and found.dtype == np.float32
        np.testing.assert_allclose(found.compute(), figure(whole), rtol=1e-4, atol=1e-5)


def test_chunks_of_one_plane_fit_together(rng, monkeypatch):
    monkeypatch.setattr("napari_lle.model.inference.lazy.LARGEST_PLANE", 64)
    pixels = camera(300 * cell_field(150, rng), rng, offset=100)
    whole = enhance(pixels, "linear", rgb=False)
    lazy = enhance(da.from_array(pixels, chunks=64), "linear", rgb=False)
    assert len(lazy.reflectance.chunks[0]) > 1
    for figure in (what_changed, uncertainty):
        np.testing.assert_allclose(figure(lazy).compute(), figure(whole), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("channels", ["joint", "per"])
def test_colours_have_a_figure_each(channels, rng):
    light = 300 * np.stack([cell_field(96, rng)] * 4, axis=-1) * [1, 0.5, 0.2, 0]
    image = camera(light, rng, offset=100)
    result = enhance(image, "linear", rgb=True, channels=channels)
    assert what_changed(result).shape == uncertainty(result).shape == (96, 96, 3)
    # The plain stretch's noise is less where the image is brighter.
    assert np.isfinite(uncertainty(result)).all()


def test_what_is_not_known_stays_unknown(image):
    spoiled = image.astype(np.float32)
    spoiled[20, 30] = np.nan
    result = enhance(spoiled, "linear", rgb=False)
    for figure in (what_changed(result), uncertainty(result)):
        assert np.isnan(figure[20, 30])
        assert np.isnan(figure).sum() == 1


def test_no_interval_is_stated_that_was_not_measured(image):
    with pytest.raises(ValueError, match="has not been measured: choose linear"):
        uncertainty(enhance(image, STRETCH, rgb=False))
    with pytest.raises(ValueError, match="strength 1"):
        uncertainty(enhance(image, "linear", rgb=False, strength=0.5))
    assert np.isfinite(what_changed(enhance(image, "linear", rgb=False, strength=0.5))).all()


def test_a_model_s_own_constants_come_from_its_card(image):
    own = [2.0] * (len(module.KNOTS) + 1)
    model = replace(load_model("linear"), name="mine", card={"uncertainty": own})
    result = enhance(image, model, rgb=False)
    assert result.record["uncertainty"] == own
    assert module.known_constants(model) == tuple(own)
    assert np.isfinite(uncertainty(result)).all()
    wrong = replace(result, record={**result.record, "uncertainty": [1.0]})
    with pytest.raises(ValueError, match="does not know"):
        uncertainty(wrong)
