import numpy as np
import pytest
from helpers.running import drain
from helpers.training import changed
from scipy.ndimage import gaussian_filter

from napari_lle.model.data.common_levels import common_levels
from napari_lle.model.data.loading import load_pairs, load_series
from napari_lle.model.data.pairs import Pair, make_alone
from napari_lle.model.evaluation.hidden_pixels import compare_hidden_steps, hidden_verdict
from napari_lle.model.io.files import write_image
from napari_lle.model.network.network import Network, NetworkConfig
from napari_lle.model.progress import finish
from napari_lle.model.training.loop import train
from napari_lle.model.training.noisy import noisy_data, scene_change
from napari_lle.model.training.settings import SCIENCE, TrainingError, TrainingSettings
from napari_lle.model.training.verdict import verdict_steps

GAP = 17


def scene(seed=0, shape=(96, 160)):
    """Blobs of up to 400 counts over 100."""
    blobs = gaussian_filter(np.random.default_rng(seed).standard_normal(shape), 6)
    return 100 + 400 * np.clip(blobs / blobs.max(), 0, 1)


def frames(scenes, noise=30.0, blur=0.0):
    rng = np.random.default_rng(9)
    found = []
    for i, clean in enumerate(scenes):
        grain = rng.standard_normal(clean.shape)
        grain = gaussian_filter(grain, blur) if blur else grain
        noisy = clean + noise * grain / grain.std()
        found.append(make_alone(f"{i}", np.clip(np.rint(noisy), 0, None).astype(np.uint16)))
    return found


def test_frames_of_one_scene_are_targets_of_each_other():
    images = frames([scene()] * 4)
    assert scene_change(images) == pytest.approx(1, abs=0.35)
    found = noisy_data(images, 0.2, GAP)
    assert found.reach is None and "same scene" in found.why
    assert len(found.training) == len(found.held_out) == 4
    for a, b in zip(found.training, found.held_out, strict=True):
        seen, judged = (~np.isnan(p.reference[..., 0]).all(axis=0) for p in (a, b))
        assert np.flatnonzero(judged)[0] - np.flatnonzero(seen)[-1] == GAP + 1
    own, other = (np.corrcoef(found.held_out[0].reference[:, -30:, 0].ravel(),
                              images[i].low[:, -30:, 0].ravel())[0, 1] for i in (0, 1))  # fmt: skip
    assert other > own


def test_a_change_of_brightness_is_no_change_of_scene():
    assert scene_change(frames([scene(), 0.8 * scene()])) < 1.5


def test_other_scenes_are_learned_from_by_hidden_pixels():
    images = frames([scene(i) for i in range(5)])
    assert scene_change(images) > 3
    found = noisy_data(images, 0.2, GAP)
    assert found.reach == 0 and "1 x 1" in found.why and "times as much" in found.why
    assert len(found.training) == 4 and len(found.held_out) == 1


def test_one_image_is_parted():
    found = noisy_data(frames([scene()]), 0.2, GAP)
    assert found.reach == 0 and len(found.training) == len(found.held_out) == 1
    assert np.isnan(found.training[0].reference[:, -40:]).all()


def test_shared_noise_needs_larger_spots_or_is_refused():
    wide = scene(0, (256, 256))
    reaches = [noisy_data(frames([wide], 60, blur), 0.2, GAP).reach for blur in (0, 0.5, 0.6)]
    assert reaches == [0, 1, 2]
    with pytest.raises(TrainingError, match="shared over many pixels"):
        noisy_data(frames([scene()], 60, 3.0), 0.2, GAP)


@pytest.mark.parametrize(
    ("image", "sentence"),
    [
        (np.full((96, 160), 100, np.uint8), "no noise"),
        (np.random.default_rng(0).integers(0, 255, (96, 160, 3)).astype(np.uint8), "grey"),
        (np.random.default_rng(0).poisson(9, (64, 40)).astype(np.uint8), "too small"),
    ],
)
def test_what_cannot_be_learned_from_is_named(image, sentence):
    with pytest.raises(TrainingError, match=sentence):
        noisy_data([make_alone("x", image)], 0.2, GAP)


def test_files_and_stacks_become_planes_with_common_levels(tmp_path):
    rng = np.random.default_rng(0)
    stack = rng.poisson(50, (3, 20, 24)).astype(np.uint16)
    stack[1] += 10
    write_image(tmp_path / "stack.tif", stack, rgb=False)
    found = load_series([tmp_path / "stack.tif"])
    assert [p.name for p in found] == ["stack-000", "stack-001", "stack-002"]
    assert all(p.alone for p in found)
    assert found[1].low.mean() - found[0].low.mean() > 0.1
    write_image(tmp_path / "colour.png", rng.integers(0, 255, (9, 9, 3), np.uint8), rgb=True)
    with pytest.raises(ValueError, match="colour"):
        load_series([tmp_path / "colour.png"])


def test_a_clearer_reference_comes_in_the_image_s_units_and_a_brighter_one_keeps_its_gain():
    clean = scene()
    noisy = clean + np.random.default_rng(0).normal(0, 30, clean.shape)
    plain = common_levels("x", noisy, clean).reference
    scaled = common_levels("x", noisy, 3 + 0.5 * clean).reference
    np.testing.assert_allclose(scaled, plain, atol=1e-5)
    gained = common_levels("x", noisy, 100 + 5 * (clean - 100), gain=True).reference
    assert np.percentile(gained, 95) > 1.3 * np.percentile(plain, 95)


@pytest.mark.parametrize(("times", "kept"), [(1.5, False), (5, True)])
def test_most_references_decide_whether_a_gain_is_learned(tmp_path, times, kept):
    for folder, factor in (("low", 1), ("high", times)):
        (tmp_path / folder).mkdir()
        for i in range(3):
            image = (50 + factor * scene(i)).astype(np.uint16)
            write_image(tmp_path / folder / f"{i}.tif", image, rgb=False)
    pairs = load_pairs(tmp_path / "low", tmp_path / "high", common=True)
    own = load_pairs(tmp_path / "low", tmp_path / "low", common=True)
    means = ([p.reference.mean() for p in found] for found in (pairs, own))
    brighter = [a > 1.2 * b for a, b in zip(*means, strict=True)]
    assert brighter == [kept] * 3


SETTINGS = TrainingSettings.from_dict(
    {**SCIENCE, "objective": "noisy", "steps": 120, "validate_every": 60, "batch": 3, "crop": 48}
)


def test_a_run_resumes_exactly(tmp_path):
    images = frames([scene(i) for i in range(5)], 60)
    settings = changed(SETTINGS, steps=16, validate_every=5)
    _, whole = drain(train(images, settings, run=tmp_path / "whole"))
    first = train(images, settings, run=tmp_path / "parts")
    for _ in range(7):
        next(first)
    first.close()
    _, resumed = drain(train(images, settings, run=tmp_path / "parts"))
    for name, weight in whole.network.state_dict().items():
        assert (resumed.network.state_dict()[name] == weight).all()


def test_noise_is_learned_to_be_left_out():
    images = frames([scene(i) for i in range(5)], 60)
    events, whole = drain(train(images, SETTINGS))
    assert "hidden" in events[0].note and whole.card["learned_from"] == events[0].note
    assert "warning" not in whole.card and "psnr" not in whole.card["held_out"]
    scores, sentence = finish(verdict_steps(whole.network, SETTINGS, images))
    found = {score.name: score.psnr for score in scores}
    # Which pixels are hidden depends on the widest network compared: the plain figure by .4 dB.
    assert found["after"] > found["plain stretch"] + 2.5
    assert list(found)[-2:] == ["science", "after"] and sentence


def test_the_best_of_what_is_kept_aside_is_named():
    flat = [Pair("x", p.low, p.low) for p in frames([np.full((80, 96), 300.0)], 40)]
    data = noisy_data(flat, 0.2, GAP)
    nothing = Network(NetworkConfig("correcting")).requires_grad_(False)
    scores = finish(compare_hidden_steps({"after": nothing}, data.held_out, data.reach))
    by_name = {s.name: s.psnr for s in scores}
    assert by_name["blur 2"] > by_name["blur 1"] > by_name["plain stretch"]
    assert by_name["after"] == pytest.approx(by_name["plain stretch"], abs=0.1)
    assert "blur 2" in hidden_verdict(scores) and "need no training" in hidden_verdict(scores)
    best = [*scores[:-1], scores[-1]._replace(psnr=99.0)]
    assert "better than blurs" in hidden_verdict(best)


def test_of_frames_the_noise_of_the_targets_is_taken_off():
    images = frames([np.full((96, 160), 300.0)] * 2, 40)
    data = noisy_data(images, 0.2, GAP)
    assert data.reach is None
    scores = {s.name: s.psnr for s in finish(compare_hidden_steps({}, data.held_out, None))}
    noise = np.nanmean((data.held_out[0].reference - data.held_out[1].reference) ** 2) / 2
    assert scores["plain stretch"] == pytest.approx(-10 * np.log10(noise), abs=0.01)
    # A blur of deviation s leaves 1 / (4 pi s^2) of the variance: 11 dB less for 1 pixel.
    assert scores["blur 1"] - scores["plain stretch"] == pytest.approx(11, abs=2)
