import numpy as np
import pytest
import torch
from helpers.models import random_model
from helpers.places import SHARED
from helpers.running import drain, last
from scipy import ndimage

from napari_lle.model.evaluation import metrics, photographs
from napari_lle.model.evaluation.baselines import (
    BASELINES,
    CONSTANT,
    auto_gamma,
    constant,
    fit_constant,
    mtf,
)
from napari_lle.model.evaluation.contact_sheet import SHEET_GAP, SHEET_HEIGHT, contact_sheet
from napari_lle.model.evaluation.metrics import (
    METRICS,
    PROBE_NOISE,
    colour_cast,
    eight_bit,
    lightness_order_error,
    noise_gain,
    psnr,
    score,
    score_known,
    sharpness,
)
from napari_lle.model.evaluation.photographs import evaluate_steps, robustness, telling_cases
from napari_lle.model.inference.enhance import enhance
from napari_lle.model.io.files import write_image
from napari_lle.model.kernels import SWITCH

rng = np.random.default_rng(0)
SCENE = rng.random((24, 30, 3))


def test_psnr_of_a_known_error():
    reference = np.full((16, 16, 3), 0.5)
    assert psnr(reference + 0.1, reference) == pytest.approx(20)
    assert psnr(reference, reference) == np.inf


def test_eight_bit_clips_and_rounds():
    assert eight_bit(np.array([-1, 0.5, 2])).tolist() == [0, 128 / 255, 1]


def test_gt_mean_forgives_brightness_and_nothing_else():
    reference = eight_bit(SCENE * 0.5)
    darker = score(eight_bit(reference / 2), reference)
    assert darker["psnr_gt_mean"] > 45 > 20 > darker["psnr"]
    noisy = score(reference + rng.normal(0, 0.1, SCENE.shape), reference)
    assert noisy["psnr_gt_mean"] == pytest.approx(noisy["psnr"], abs=0.5)
    assert score(np.zeros_like(reference), reference)["psnr_gt_mean"] < 20


@pytest.mark.parametrize("gain", [0.02, 0.3, 0.99])
def test_automatic_gamma_brings_the_mean_grey_to_the_middle(gain):
    dark = SCENE * gain
    result = auto_gamma(dark)
    exponent = np.log(result) / np.log(dark)
    assert np.ptp(exponent) < 1e-6
    assert dark.mean() ** exponent.mean() == pytest.approx(0.5)
    flat = np.full((8, 8, 3), 0.03)
    assert auto_gamma(flat) == pytest.approx(np.full_like(flat, 0.5))


def test_automatic_gamma_leaves_what_has_no_midtones():
    for value in (0.0, 1.0):
        flat = np.full((8, 8, 3), value)
        assert (auto_gamma(flat) == flat).all()


def test_mtf_brings_the_median_to_the_background():
    sky = np.clip(rng.normal(0.05, 0.002, (64, 64, 3)), 0, 1)
    assert np.median(mtf(sky)) == pytest.approx(0.25, abs=1e-3)
    assert (np.diff(mtf(np.linspace(0, 1, 300)[:, None, None].repeat(3, 2))[:, 0, 0]) >= 0).all()
    assert (mtf(np.zeros((8, 8, 3))) == 0).all()


def test_the_constant_is_found_again():
    pairs = [(x, eight_bit(constant(x, 0.17))) for x in (SCENE * 0.3, SCENE[::-1] * 0.1)]
    assert fit_constant(pairs) == pytest.approx(0.17)


def test_order_of_lightness_survives_any_rising_curve():
    assert lightness_order_error(SCENE**0.3, SCENE) == 0
    values = np.linspace(0, 1, 200)[None, :, None].repeat(3, 2)
    assert lightness_order_error(1 - values, values) == pytest.approx(99, abs=1.1)
    shuffled = rng.permutation(SCENE.reshape(-1, 3)).reshape(SCENE.shape)
    assert lightness_order_error(shuffled, SCENE) == pytest.approx(50, abs=5)


def test_noise_gain_of_known_methods():
    grey = np.full((64, 64, 3), 0.2, np.float32)
    assert noise_gain(lambda x: 3 * x, grey) == pytest.approx(1, rel=1e-3)
    # A curve's gain at 0.2 is its slope there: 0.5 / sqrt(0.2) over sqrt(0.2) / 0.2.
    assert noise_gain(np.sqrt, grey) == pytest.approx(0.5, rel=1e-2)
    flat = noise_gain(lambda x: np.full_like(x, x.mean() * 2), grey)
    assert flat < 0.02
    assert PROBE_NOISE > 0


def test_cast_of_a_pure_tint():
    reference = np.full((20, 20, 3), 0.4)
    tinted = reference * [1.1, 1.0, 0.9]
    assert colour_cast(tinted, reference) == pytest.approx(255 * 0.04)
    assert colour_cast(reference * 0.3, reference) == pytest.approx(0, abs=1e-9)


def test_sharpness_is_the_share_of_the_finest_detail(rng):
    scene = rng.random((200, 250, 3))
    assert sharpness(scene, scene) == pytest.approx(1)
    assert sharpness(scene / 5, scene) == pytest.approx(1)
    # White noise keeps 1/9 in means of 3 x 3, and next to nothing of its finest octave.
    means = ndimage.uniform_filter(scene, (3, 3, 1))
    assert abs(sharpness(means, scene)) < 0.02
    # Noise of an image's own adds nothing.
    other = scene + 0.2 * rng.standard_normal(scene.shape)
    assert sharpness(other, scene) == pytest.approx(1, abs=0.1)
    assert np.isnan(sharpness(scene, np.full_like(scene, 0.5)))


def test_robustness_of_division_and_cleaning():
    images = [np.asarray(np.clip(SCENE * 1.0, 0, 1), np.float32)]
    cleaning = robustness(random_model("cleaning"), images)
    assert cleaning["grey"] < 1e-2
    assert cleaning["black"] == 0
    assert cleaning["tiles"] < 1e-3
    assert cleaning["left_alone_worst"] <= cleaning["left_alone"]
    metering = robustness(random_model("metering"), images)
    assert metering["left_alone"] > 40  # lit images are divided by 1
    assert 0 <= metering["series"] <= metering["series_worst"]


def test_contact_sheet_shows_the_best_median_and_worst(folders):
    report = last(evaluate_steps(*folders, random_model()))
    report["per_image"][0]["ssim"] = 0.9
    report["per_image"][1]["ssim"] = 0.1
    report["per_image"][2]["ssim"] = 0.5
    cases = telling_cases(report, *folders, random_model())
    assert [case.name for case in cases] == ["0", "2", "1"]
    sheet = np.asarray(contact_sheet(cases))
    assert sheet.shape[0] == 3 * SHEET_HEIGHT + 2 * SHEET_GAP
    width = round(30 * SHEET_HEIGHT / 24)
    assert sheet.shape[1] == 4 * width + 3 * SHEET_GAP
    shown = sheet[40:SHEET_HEIGHT, -width:].mean() / 255
    assert shown == pytest.approx(cases[0].reference.mean(), abs=0.02)


@pytest.fixture
def folders(tmp_path):
    for name, gain in (("low", 0.1), ("high", 1.0)):
        (tmp_path / name).mkdir()
        for i in range(3):
            pixels = (np.roll(SCENE, i, 0) * 255 * gain).astype(np.uint8)
            write_image(tmp_path / name / f"{i}.png", pixels, rgb=True)
    return tmp_path / "low", tmp_path / "high"


def test_report_holds_what_the_design_names(folders):
    model = random_model()
    report = last(evaluate_steps(*folders, model))
    assert report["n"] == len(report["per_image"]) == 3
    assert report["parameters"] == model.network.inference_parameters()
    assert set(report["baselines"]) == set(BASELINES)
    assert report["baselines"]["constant"]["c"] == CONSTANT
    for metric in METRICS:
        by_hand = np.mean([row[metric] for row in report["per_image"]])
        assert report[metric] == pytest.approx(by_hand)
        assert all(metric in baseline for baseline in report["baselines"].values())
    low = (SCENE * 25.5).astype(np.uint8)
    first = score(enhance(low, model).reflectance, (SCENE * 255).astype(np.uint8) / np.float32(255))
    assert report["per_image"][0]["psnr"] == pytest.approx(first["psnr"])


def test_only_what_is_asked_for_is_computed_and_by_all_cores(folders, monkeypatch):
    model = random_model()
    seen, whole = drain(evaluate_steps(*folders, model))
    assert [(p.done, p.total) for p in seen] == [(i, 3) for i in range(4)]
    monkeypatch.setattr(metrics, "noisy", None)
    monkeypatch.setattr(metrics, "lightness_order_error", None)
    threads = torch.get_num_threads()
    torch.set_num_threads(3)  # of the pool
    few = last(evaluate_steps(*folders, model, metrics=("psnr", "cast")))
    torch.set_num_threads(threads)
    assert [row["name"] for row in few["per_image"]] == ["0", "1", "2"]
    for part, all_of_it in ((few, whole), (few["per_image"][2], whole["per_image"][2])):
        assert part["psnr"] == all_of_it["psnr"] and part["cast"] == all_of_it["cast"]
        assert "ssim" not in part and "loe" not in part
    assert few["baselines"]["mtf"]["psnr"] == whole["baselines"]["mtf"]["psnr"]


def test_bad_folders_are_named(folders, tmp_path):
    (tmp_path / "empty").mkdir()
    with pytest.raises(ValueError, match="holds no images"):
        last(evaluate_steps(folders[0], tmp_path / "empty", random_model()))
    write_image(folders[1] / "1.png", np.zeros((5, 5, 3), np.uint8), rgb=True)
    with pytest.raises(ValueError, match="must be of one size"):
        last(evaluate_steps(*folders, random_model()))


EVAL15 = SHARED / "lol/eval15"


@pytest.mark.skipif(not EVAL15.exists(), reason="the LOL test pairs are not at hand")
def test_photo_beats_automatic_gamma_and_sci_on_real_pairs(monkeypatch):
    monkeypatch.setattr(photographs, "BASELINES", {"auto_gamma": auto_gamma})  # of five
    monkeypatch.delenv(SWITCH)  # by the kernel if other tests have compiled it
    folders = EVAL15 / "low", EVAL15 / "high"
    report = last(evaluate_steps(*folders, "photo", metrics=("psnr", "ssim")))
    assert report["psnr"] > max(report["baselines"]["auto_gamma"]["psnr"], 16.34, 14.85)
    assert report["ssim"] > report["baselines"]["auto_gamma"]["ssim"]


def test_scores_over_what_is_known_ignore_the_rest():
    reference = eight_bit(SCENE * 0.8 + 0.1)
    image = reference + 0.1
    image[12:] = 0  # far off, but unknown there
    partly = reference.copy()
    partly[12:] = np.nan
    found_psnr, found_ssim = score_known(image, partly)
    assert found_psnr == pytest.approx(20)
    assert found_ssim > 0.9
    assert score_known(image, reference)[0] < 10
