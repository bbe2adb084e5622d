import json

import numpy as np
import pytest
import tifffile
from scipy.ndimage import gaussian_filter
from typer.testing import CliRunner

from napari_lle.cli.app import app
from napari_lle.model.evaluation import baselines, noisy_pairs


@pytest.fixture
def truth(rng):
    """Discs of one brightness on a darker ground, a fifth of all, in 0..1."""
    y, x = np.mgrid[:160, :160]
    return np.where(np.hypot(y % 40 - 20, x % 40 - 20) < 10, 0.7, 0.2)


@pytest.mark.parametrize("curve", [lambda t: t, lambda t: 5 + t**3, lambda t: np.arctan(9 * t)])
def test_the_truth_under_any_rising_curve_is_perfect(truth, curve):
    found = noisy_pairs.clarity(curve(truth), truth)
    assert found["psnr"] > 150
    assert found["ssim"] == pytest.approx(1)
    assert found["cnr"] > 1e5
    falling = noisy_pairs.clarity(-truth, truth)
    assert falling["psnr"] == pytest.approx(10 * np.log10(1 / truth.var()))  # the mean is best


def test_noise_of_known_strength_gives_known_figures(truth, rng):
    sigma = 0.03
    found = noisy_pairs.clarity(truth + rng.normal(0, sigma, truth.shape), truth)
    # A rising curve draws values together where the truth has but two: the noise falls, at most
    # by what isotonic regression can tell apart; the two levels are 17 deviations from each other.
    assert found["psnr"] > 10 * np.log10(1 / sigma**2)
    # Of a continuous truth the curve can take little of the noise away.
    ramp = np.broadcast_to(np.linspace(0, 1, 200), (200, 200))
    found = noisy_pairs.clarity(ramp + rng.normal(0, sigma, ramp.shape), ramp)
    assert found["psnr"] == pytest.approx(10 * np.log10(1 / sigma**2), abs=0.4)
    # Means of the brightest tenth and the darker half are .95 and .25; at the ends of the range
    # the curve has no way out, which takes some noise from the brightest.
    assert 0.7 / sigma < found["cnr"] < 1.15 * 0.7 / sigma


def test_equal_values_get_one_value(rng):
    shown = np.array([[0.0, 0.0, 1.0, 1.0, 2.0]])
    truth = np.array([[0.0, 0.2, 0.9, 0.7, 0.1]])
    expected = (0.9 + 0.7 + 0.1) / 3  # 1 and 2 would fall: one step holds both
    np.testing.assert_allclose(
        noisy_pairs.rising(shown, truth), [[0.1, 0.1, expected, expected, expected]]
    )


def test_non_local_means_clears_noise_and_leaves_a_clean_image(truth, rng):
    sigma = 0.05
    cleared = baselines.non_local_means(truth + rng.normal(0, sigma, truth.shape))
    assert np.std(cleared - truth) < sigma / 3
    np.testing.assert_array_equal(baselines.non_local_means(truth[:16, :8] * 0), 0)
    np.testing.assert_allclose(baselines.gaussian(truth, 1), gaussian_filter(truth, 1))


@pytest.fixture
def folders(tmp_path, rng):
    light = np.clip(gaussian_filter(rng.random((120, 120)), 4), 0.45, None) - 0.44
    for name in ("noisy", "clean"):
        (tmp_path / name).mkdir()
    for i in range(2):
        frame = rng.poisson(300 * light) + 100
        tifffile.imwrite(tmp_path / "noisy" / f"{i}.tif", frame.astype(np.uint16))
        average = 100 + 300 * light * 100
        tifffile.imwrite(tmp_path / "clean" / f"{i}.tif", average.astype(np.uint16))
    return tmp_path


def test_the_command_prints_models_beside_what_costs_nothing(folders):
    file = folders / "found.json"
    words = ["evaluate", "--noisy", str(folders / "noisy"), "--clean", str(folders / "clean")]
    answer = CliRunner().invoke(app, [*words, "--json", str(file)])
    assert answer.exit_code == 0, answer.output
    report = json.loads(file.read_text())
    assert report["n"] == 2 == len(report["per_image"])
    assert list(report["methods"]) == [*noisy_pairs.PLAIN_METHODS, "auto"]
    rows = report["methods"]
    assert rows["gauss 1"]["psnr"] > rows["plain stretch"]["psnr"] + 2
    assert rows["auto"]["parameters"] > 1000
    for name, row in rows.items():
        assert f"{name}" in answer.output and f"{row['psnr']:.2f}" in answer.output
        mean = np.mean([one[name]["cnr"] for one in report["per_image"].values()])
        assert row["cnr"] == pytest.approx(mean)


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--noisy", "x"], "go together"),
        (["--noisy", "x", "--clean", "x", "--low", "x"], "cannot be combined"),
        (["--noisy", "x", "--clean", "x"], "x"),
        (["--suite", "linear", "--noisy", "x"], "cannot be combined"),
    ],
)
def test_a_wrong_choice_is_one_line(words, told):
    answer = CliRunner().invoke(app, ["evaluate", *words])
    assert answer.exit_code == 2
    assert told in answer.stderr
    assert answer.stderr.count("\n") == 1


def test_pairs_of_unequal_size_are_named(folders):
    tifffile.imwrite(folders / "noisy" / "0.tif", np.zeros((50, 60), np.uint16))
    words = ["evaluate", "--noisy", str(folders / "noisy"), "--clean", str(folders / "clean")]
    answer = CliRunner().invoke(app, words)
    assert answer.exit_code == 2
    assert "of one size" in answer.stderr
