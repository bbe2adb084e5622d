"""Each check of the suite for linear data finds what it is for, and lets an honest method pass."""

from types import SimpleNamespace

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter

from napari_lle.model.evaluation import (
    black_pixels,
    exposures,
    fields,
    invention,
    linear_suite,
    residual_noise,
    retention,
    simulate,
)
from napari_lle.model.evaluation.checks import stretch_model
from napari_lle.model.inference.enhance import enhance
from napari_lle.model.preprocessing.levels import find_levels, normalize

STRETCH = stretch_model()


def plain(image, **levels):
    return enhance(image, STRETCH, rgb=False, device="cpu", **levels)


def linear(image, change=None, **given):
    """A method without a curve, with something done to what it shows."""
    levels = find_levels(image, **given)
    shown = normalize(image, levels)
    shown = shown if change is None else change(shown)
    return SimpleNamespace(reflectance=shown.astype(np.float32), levels=levels)


def doing(change):
    return lambda image, **levels: linear(image, change, **levels)


def test_defects_are_what_their_names_say(rng):
    flat = np.full((200, 300), 1000, np.uint16)
    changed = {name: spoil(flat, rng).astype(int) - 1000 for name, spoil in fields.DEFECTS.items()}
    assert not changed["no defects"].any()
    hot = changed["hot pixels"]
    assert (hot >= 199)[hot != 0].all()
    assert (hot != 0).mean() == pytest.approx(fields.HOT, rel=0.9)
    for name, axis in (("line noise", 1), ("column pattern", 0)):
        assert not np.ptp(changed[name], axis=axis).any()
        assert changed[name].std() == pytest.approx(fields.PATTERN_DEVIATION, rel=0.2)
    rays = changed["cosmic rays"]
    assert 0 < (rays != 0).sum() <= 20 * 20 and rays.min() == 0


def test_filaments_are_two_pixels_wide_and_their_middles_are_known(rng):
    light, middle = fields.filament_field(192, 10.0, 5.0, rng)
    length = middle.sum()
    assert light.min() == 5
    assert (light - 5).sum() / 10 / (16 * 33) == pytest.approx(2, rel=0.1)
    assert (light[middle] > 14).mean() > 0.9
    assert length == pytest.approx(16 * 33, rel=0.2)


def test_detections_that_smoothing_or_invention_add_are_counted():
    checks = invention.detections(plain, 30.0, seeds=2)
    assert [c["verdict"] for c in checks] == ["pass"] * len(fields.DEFECTS)

    def inventor(shown):
        shown = shown.copy()
        shown[8::32, 8::32] += 30 * shown.std()
        return shown

    for check in invention.detections(doing(inventor), 30.0, seeds=1):
        assert check["verdict"] == "fail"
        assert check["beside"]["detections"] - check["beside"]["matched filter"] >= 40


def test_what_a_hot_pixel_does_to_its_neighbours_is_found():
    assert invention.hot_neighbours(plain, plain)["verdict"] == "pass"
    found = invention.hot_neighbours(doing(lambda x: gaussian_filter(x, 1)), plain)
    assert found["verdict"] == "fail" and found["value"] > 10


def test_what_cosmic_rays_bring_about_is_found():
    assert invention.faint_rays(plain, plain, seeds=1)["verdict"] == "pass"

    def ringing(shown):
        return shown + sum(0.2 * np.roll(shown, d, axis=a) for d in (9, -9, 14) for a in (0, 1))

    found = invention.faint_rays(doing(ringing), plain, seeds=1)
    assert found["verdict"] == "fail" and found["value"] > found["beside"]["plain stretch"]


def test_what_a_blur_loses_is_found():
    for check in (
        *retention.faint_stars(plain, plain, seeds=1),
        *retention.filaments(plain, plain, 1),
    ):
        assert check["value"] <= 0.05
        assert check["beside"]["R"] == check["beside"]["plain stretch"]
    assert retention.star_widths(plain, plain)["value"] == 1
    blurred = doing(lambda x: gaussian_filter(x, 5))
    assert retention.faint_stars(blurred, plain, seeds=1)[0]["verdict"] == "fail"
    assert retention.filaments(blurred, plain, seeds=1)[0]["verdict"] == "fail"
    assert retention.star_widths(blurred, plain)["verdict"] == "fail"


def test_the_line_filter_answers_lines_and_not_gradients(rng):
    image = rng.normal(0, 1, (120, 120)) + np.linspace(0, 40, 120)
    image[60:62, 40:80] += 4
    answer = retention.line_filter(image)
    assert answer[60:62, 45:75].mean() > 10
    assert np.median(answer) < 3


def test_figures_of_white_noise_are_known(rng):
    white = rng.standard_normal((512, 512))
    np.testing.assert_allclose(residual_noise.autocorrelation(white), 0, atol=0.01)
    expected = 0.75 / 4.0 ** np.arange(residual_noise.OCTAVES)
    np.testing.assert_allclose(residual_noise.powers(white), expected, rtol=0.15)
    assert residual_noise.skewness(white) == pytest.approx(0, abs=0.02)
    assert residual_noise.skewness(rng.exponential(1, (512, 512))) == pytest.approx(2, rel=0.05)
    assert residual_noise.below(white, 1.0) == pytest.approx(0.1587, abs=0.005)
    # Means of two neighbours: a half, then nothing.
    pairs = white[:, 1:] + white[:, :-1]
    assert residual_noise.autocorrelation(pairs)[0] == pytest.approx(0.25, abs=0.01)


def test_specks_are_found():
    assert {c["verdict"] for c in residual_noise.specks(plain, plain, seeds=1)} == {"pass"}

    def speckled(shown):
        shown = shown.copy()
        shown[::20, ::20] -= 100 * residual_noise.deviation(shown)
        return shown

    found = residual_noise.specks(doing(speckled), plain, seeds=1)
    assert [c["verdict"] for c in found] == ["fail"] * 3
    assert found[0]["value"] == pytest.approx(1e6 / 400, rel=0.1)
    assert found[2]["value"] == pytest.approx(100 / 400, rel=0.5)


def test_pepper_is_found(rng):
    x = rng.normal(1, 0.1, (100, 100))
    x[10::20, 10::20] = -0.5
    dark = black_pixels.lone_black(x)
    assert dark.sum() == 25
    assert black_pixels.under_neighbours(x, dark) == pytest.approx(15, rel=0.1)
    names = [c["name"] for c in black_pixels.pepper(plain, plain)]
    verdicts = [c["verdict"] for c in black_pixels.pepper(plain, plain)]
    assert "restored" in names[2] and verdicts[2] == "pass"


def test_a_sky_that_is_not_at_a_quarter_is_found():
    assert black_pixels.noisy_sky(plain, plain)["verdict"] == "pass"
    grey = black_pixels.noisy_sky(doing(lambda x: x * 2), plain)
    assert grey["verdict"] == "fail"
    assert grey["value"] == pytest.approx(0.23, abs=0.01)


def test_flicker_of_means_is_found(rng):
    assert linear_suite.steadiness(plain, plain)["verdict"] == "pass"

    def flickering(image):
        result = plain(image)
        shown = result.reflectance + rng.normal(0, 0.05, (len(image), 1, 1))
        return SimpleNamespace(reflectance=shown, levels=result.levels)

    assert linear_suite.steadiness(flickering, plain)["verdict"] == "fail"


def test_exposures_are_scored_beside_what_costs_nothing(monkeypatch):
    monkeypatch.setattr(exposures, "ELECTRONS", (4000, 25))
    monkeypatch.setattr(exposures, "SCENE_SIDE", 96)
    table = exposures.exposures("the same", plain)
    assert list(table) == ["the same", "plain stretch", "gauss 1", "gauss 2", "nl-means"]
    assert table["the same"] == table["plain stretch"]
    assert table["gauss 2"]["25"]["psnr"] > table["plain stretch"]["25"]["psnr"] + 5
    assert table["plain stretch"]["4000"]["psnr"] > table["plain stretch"]["25"]["psnr"]


def test_the_stretched_truth_is_what_the_stretch_would_show_without_noise():
    light = fields.cell_field(96, np.random.default_rng(0)) * 1e5
    image, expected = exposures.exposed(light / 10, 0)
    truth = exposures.stretched_truth(image, expected)
    shown = plain(image).reflectance
    assert np.abs(np.clip(shown, 0, 1) - truth).mean() < 0.02
    assert simulate.READ_NOISE  # the camera of the suites has noise of its own
