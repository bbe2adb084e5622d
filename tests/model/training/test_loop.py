import itertools
import json
import math
import re

import numpy as np
import pytest
import torch
from helpers.running import drain
from skimage import data as pictures
from skimage.transform import resize

from napari_lle.model.data.crops import Augmentation
from napari_lle.model.data.pairs import Pair, annotated
from napari_lle.model.network.checkpoint import load_model, save_model
from napari_lle.model.network.network import NetworkConfig
from napari_lle.model.training import duration, outcome
from napari_lle.model.training import loop as training
from napari_lle.model.training.loop import (
    STATE,
    STOP,
    TrainingError,
    TrainingSettings,
    read_settings,
    schedule,
    train,
)

TINY = TrainingSettings(
    NetworkConfig("cleaning", dilations=(1, 2), branch_width=1, widths=(4, 4), start=0.7),
    steps=12,
    batch=2,
    crop=24,
    validate_every=5,
)


@pytest.fixture(scope="module")
def pairs():
    rng = np.random.default_rng(0)
    found = []
    for i, name in enumerate(("astronaut", "coffee", "chelsea", "astronaut")):
        reference = resize(getattr(pictures, name)(), (48, 64), anti_aliasing=True)
        photons = rng.poisson(reference * 40) / 40 / 8
        low = np.clip(np.rint(photons * 255), 0, 255) / 255
        found.append(Pair(f"{i}", low.astype(np.float32), reference.astype(np.float32)))
    return found


def told(events):
    """All that events tell but the networks, which are others each time."""
    return [event._replace(network=None) for event in events]


def weights(trained):
    return trained.network.state_dict()


def test_training_learns_beyond_its_start(pairs):
    settings = TrainingSettings(TINY.network, steps=150, batch=4, crop=32, validate_every=50)
    events, trained = drain(train(pairs, settings))
    assert [e.step for e in events] == list(range(1, 151))
    assert [e.step for e in events if e.psnr is not None] == [50, 100, 150]
    assert np.mean([e.loss for e in events[-20:]]) < 0.8 * np.mean([e.loss for e in events[:20]])
    assert trained.card["held_out"]["ssim"] == max(e.ssim for e in events if e.ssim)
    assert not set(trained.card["training_pairs"]) & set(trained.card["held_out_pairs"])


def test_equal_seeds_give_equal_weights_and_others_do_not(pairs):
    a, b = (drain(train(pairs, TINY))[1] for _ in range(2))
    other = TrainingSettings.from_dict({**TINY.to_dict(), "seed": 1})
    c = drain(train(pairs, other))[1]
    assert all((weights(a)[k] == weights(b)[k]).all() for k in weights(a))
    assert any((weights(a)[k] != weights(c)[k]).any() for k in weights(a))


@pytest.mark.parametrize("stop_after", [1, 5, 7])
def test_a_resumed_run_equals_an_uninterrupted_one(pairs, tmp_path, stop_after):
    whole_events, whole = drain(train(pairs, TINY))
    first = train(pairs, TINY, run=tmp_path)
    before = list(itertools.islice(first, stop_after))
    first.close()
    after, resumed = drain(train(pairs, TINY, run=tmp_path))
    assert told(before + after) == told(whole_events)
    assert all((weights(whole)[k] == weights(resumed)[k]).all() for k in weights(whole))
    assert whole.card == resumed.card


def test_a_finished_run_answers_again_without_training(pairs, tmp_path):
    _, first = drain(train(pairs, TINY, run=tmp_path))
    events, again = drain(train(pairs, TINY, run=tmp_path))
    assert events == []
    assert all((weights(first)[k] == weights(again)[k]).all() for k in weights(first))


def test_another_run_s_folder_is_left_alone(pairs, tmp_path):
    drain(train(pairs, TINY, run=tmp_path))
    before = (tmp_path / STATE).read_bytes()
    other = TrainingSettings.from_dict({**TINY.to_dict(), "seed": 1})
    with pytest.raises(TrainingError, match="other settings"):
        next(train(pairs, other, run=tmp_path))
    (tmp_path / "b").mkdir()
    (tmp_path / "b" / STATE).write_bytes(b"not a state")
    with pytest.raises(TrainingError, match="is not the state of a run"):
        next(train(pairs, TINY, run=tmp_path / "b"))
    assert (tmp_path / STATE).read_bytes() == before


def test_divergence_is_explained_and_never_saved(pairs, tmp_path):
    broken = [Pair(p.name, p.low, p.reference + np.float32(np.inf)) for p in pairs]
    with pytest.raises(TrainingError, match="diverged at step 1"):
        drain(train(broken, TINY, run=tmp_path))
    summary = json.loads((tmp_path / "summary.json").read_text())
    assert summary["status"] == "failed" and "diverged at step 1" in summary["reason"]
    assert summary["step"] == 0 and not (tmp_path / "best.safetensors").exists()


def test_what_is_trained_can_be_saved_and_used(pairs, tmp_path):
    _, trained = drain(train(pairs, TINY))
    save_model(tmp_path / "m.safetensors", trained.network, trained.card)
    model = load_model(tmp_path / "m.safetensors")
    assert model.card == trained.card
    assert all((weights(trained)[k] == v).all() for k, v in model.network.state_dict().items())


def test_schedule_rises_then_falls_to_nothing():
    shares = [schedule(i, 1000) for i in range(1000)]
    assert shares[0] == pytest.approx(1 / 20)
    assert max(shares) == 1
    assert shares[19] == 1
    assert shares[-1] < 1e-4
    assert (np.diff(shares[20:]) <= 0).all()


@pytest.fixture(scope="module")
def alone(pairs):
    return [Pair(p.name, p.low, p.low) for p in pairs]


def changed(settings=TINY, **values):
    return TrainingSettings.from_dict({**settings.to_dict(), **values})


PAPER = changed(objective="paper", network={"widths": [4, 4]}, paper={"weights": {"perceptual": 0}})


def test_paper_learns_from_dark_images_alone_and_resumes(alone, tmp_path):
    settings = changed(PAPER, steps=30, validate_every=10)
    whole_events, whole = drain(train(alone, settings))
    first = train(alone, settings, run=tmp_path)
    before = list(itertools.islice(first, 17))
    first.close()
    after, resumed = drain(train(alone, settings, run=tmp_path))
    assert told(before + after) == told(whole_events)
    assert all((weights(whole)[k] == weights(resumed)[k]).all() for k in weights(whole))
    figures = [e.held_out for e in whole_events if e.held_out]
    assert figures[-1]["held_out_loss"] < figures[0]["held_out_loss"]
    assert "psnr" not in whole.card["held_out"]
    assert 0 < whole.card["stages"]["agreement_mean"] <= whole.card["stages"]["agreement_max"]


def test_the_letter_turns_white_and_is_kept_with_a_warning(alone, tmp_path):
    lights = [p.low * 3 for p in alone]
    lit = [Pair(p.name, low, low) for p, low in zip(alone, lights, strict=True)]
    letter = {"weights": {"perceptual": 0, "agreement": 0}, "exposure": None}
    network = {"start": 0.002, "widths": [4, 4]}
    settings = changed(PAPER, paper=letter, network=network, steps=40, validate_every=20)
    _, trained = drain(train(lit, settings, run=tmp_path))
    assert re.match(
        r"Training collapsed: it turns \d+ % of the unsaturated.* may be useless",
        trained.card["warning"],
    )
    summary = json.loads((tmp_path / "summary.json").read_text())
    assert summary["reason"] == trained.card["warning"] and summary["best"]["step"] in (20, 40)
    assert load_model(tmp_path / "best.safetensors").card["warning"] == trained.card["warning"]
    assert drain(train(lit, settings, run=tmp_path))[1].card == trained.card


def test_a_sound_network_is_kept_before_a_collapsed_one(pairs, monkeypatch):
    rows = iter([(0.9, "flat"), (0.2, ""), (0.8, "flat"), (0.1, "")])
    names = ("score", "verdict")
    monkeypatch.setattr(outcome, "judged", lambda *_: dict(zip(names, next(rows), strict=True)))
    _, trained = drain(train(pairs, changed(steps=20)))
    assert trained.card["held_out"]["step"] == 10 and "warning" not in trained.card


def test_results_that_are_not_finite_leave_nothing_to_keep(pairs, monkeypatch):
    row = {"score": math.nan, "verdict": "its results are not finite"}
    monkeypatch.setattr(outcome, "judged", lambda *_: dict(row))
    with pytest.raises(TrainingError, match="collapsed: its results are not finite"):
        drain(train(pairs, TINY))


def test_paired_refuses_images_without_references(alone):
    with pytest.raises(TrainingError, match="needs references"):
        next(train(alone, TINY))


def test_growing_loss_is_divergence_and_ends_a_run_with_its_best(pairs, monkeypatch, tmp_path):
    first = train(pairs, TINY, run=tmp_path)
    for _ in range(7):
        next(first)
    first.close()
    monkeypatch.setattr(outcome, "DIVERGED", 0.1)
    events, trained = drain(train(pairs, TINY, run=tmp_path))
    assert events[-1].step == 9
    assert trained.card["warning"].startswith("Training diverged by step 10, its loss is")
    assert load_model(tmp_path / "best.safetensors").card == trained.card


def test_branches_are_folded_in_what_is_kept_and_resume(pairs, tmp_path):
    settings = changed(branches=True)
    whole_events, whole = drain(train(pairs, settings))
    first = train(pairs, settings, run=tmp_path)
    before = list(itertools.islice(first, 7))
    first.close()
    after, resumed = drain(train(pairs, settings, run=tmp_path))
    assert told(before + after) == told(whole_events)
    assert all((weights(whole)[k] == weights(resumed)[k]).all() for k in weights(whole))
    _, plain = drain(train(pairs, TINY))
    assert weights(plain).keys() == weights(whole).keys()
    assert any((weights(plain)[k] != weights(whole)[k]).any() for k in weights(whole))


def test_epochs_are_passes_over_the_training_images(pairs):
    events, trained = drain(train(pairs, changed(epochs=2.5)))  # 3 of 4 pairs, 2 at a time
    assert len(events) == trained.card["steps"] == 4


def test_minutes_are_turned_into_steps_once(pairs, tmp_path, monkeypatch):
    monkeypatch.setattr(duration, "TIMED_STEPS", 2)
    first = train(pairs, changed(minutes=0.005), run=tmp_path)
    steps = next(first).steps
    first.close()
    monkeypatch.setattr(training, "step_count", None)  # never asked again
    _, resumed = drain(train(pairs, changed(minutes=0.005), run=tmp_path))
    monkeypatch.undo()
    _, counted = drain(train(pairs, changed(steps=steps)))
    assert resumed.card["steps"] == steps
    assert all((weights(counted)[k] == weights(resumed)[k]).all() for k in weights(counted))


def test_patience_ends_a_run_that_stands_still(pairs, monkeypatch, tmp_path):
    scores = iter([0.5, 0.6, 0.6, 0.4] * 2)
    monkeypatch.setattr(outcome, "judged", lambda *_: {"score": next(scores), "verdict": ""})
    settings = changed(patience=2, steps=100)
    events, trained = drain(train(pairs, settings, run=tmp_path))
    assert events[-1].step == 20 and trained.card["held_out"]["step"] == 10
    assert drain(train(pairs, settings, run=tmp_path))[0] == []


def test_one_pair_cannot_be_split(pairs):
    with pytest.raises(ValueError, match="two pairs"):
        next(train(pairs[:1], TINY))


def test_later_stages_learn_too(pairs):
    settings = TrainingSettings.from_dict({**TINY.to_dict(), "steps": 30, "auxiliary": 1.0})
    _, trained = drain(train(pairs, settings))
    assert trained.network.auxiliary.conv2.weight.abs().max() > 0
    x = torch.from_numpy(pairs[0].low.transpose(2, 0, 1).copy())[None]
    stages = trained.network(x, torch.from_numpy(pairs[0].statistics)[None])
    assert all(torch.isfinite(stage.reflectance).all() for stage in stages)


def test_dark_images_train_without_references(pairs):
    big = [Pair(p.name, *(np.tile(p.low, (2, 2, 1)),) * 2) for p in pairs]
    network = NetworkConfig("metering", dilations=(1, 2), branch_width=1, widths=(4, 4), start=0.8)
    settings = TrainingSettings(
        network,
        objective="self",
        steps=6,
        batch=2,
        crop=16,
        validate_every=3,
        smooth=0.03,
        augmentation=Augmentation(0, 0),
    )
    events, trained = drain(train(big, settings))
    assert len(events) == 6
    assert set(trained.card["training_pairs"]) < {p.name for p in pairs}
    assert "psnr" not in trained.card["held_out"] or trained.card["held_out"]["psnr"] > 0


def test_nothing_is_learned_outside_the_annotation(pairs):
    mask = np.zeros(pairs[0].low.shape[:2], np.uint8)
    mask[:, :32], mask[:, 40:] = 1, 2
    training, held_out = zip(*(annotated(p, mask) for p in pairs), strict=True)
    spoiled = [
        annotated(Pair(p.name, p.low, np.where((mask == 0)[..., None], 7, p.reference)), mask)[0]
        for p in pairs
    ]
    _, a = drain(train(training, TINY, held_out=held_out))
    _, b = drain(train(spoiled, TINY, held_out=held_out))
    assert all((weights(a)[k] == weights(b)[k]).all() for k in weights(a))
    assert a.card["held_out"]["ssim"] > 0
    other = TrainingSettings.from_dict({**TINY.to_dict(), "objective": "self"})
    with pytest.raises(TrainingError, match="paired objective"):
        next(train(training, other))


def test_a_run_goes_on_from_a_model(pairs, tmp_path):
    _, trained = drain(train(pairs, TINY))
    file = tmp_path / "first.safetensors"
    save_model(file, trained.network, trained.card)
    still = read_settings({"base": str(file), "steps": 1, "batch": 2, "crop": 24})
    assert still.network == TINY.network
    still = changed(still, learning_rate=1e-12)
    _, tuned = drain(train(pairs, still, run=tmp_path / "run"))
    for name, weight in weights(trained).items():
        torch.testing.assert_close(weights(tuned)[name], weight, atol=1e-9, rtol=1e-6)
    file.unlink()  # a run that has begun needs it no more
    assert drain(train(pairs, still, run=tmp_path / "run"))[0] == []


def test_a_base_of_another_network_is_refused(pairs):
    with pytest.raises(TrainingError, match="another network than photo"):
        next(train(pairs, changed(base="photo")))


def test_the_card_tells_what_made_it(pairs):
    _, trained = drain(train(pairs, TINY))
    assert trained.card["napari_lle"] and trained.card["torch"] == torch.__version__
    assert set(trained.card["commit"]) <= set("0123456789abcdef+")


@pytest.mark.parametrize(("after", "validated"), [(2, 2), (7, 5)])
def test_a_run_told_to_stop_keeps_its_best_and_goes_on_later(pairs, tmp_path, after, validated):
    events = train(pairs, TINY, run=tmp_path)
    for _ in range(after):
        next(events)
    with pytest.raises(StopIteration) as stop:
        event = events.send(STOP)
        assert event.step == after and event.network is not None
        next(events)
    assert stop.value.value.card["held_out"]["step"] == validated
    _, resumed = drain(train(pairs, TINY, run=tmp_path))
    _, whole = drain(train(pairs, TINY))
    assert all((weights(resumed)[k] == weights(whole)[k]).all() for k in weights(whole))
