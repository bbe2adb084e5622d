"""What a run learns, and from what."""

import itertools

import numpy as np
import pytest
import torch
from helpers.running import drain
from helpers.training import PAPER, TINY, changed, told, weights
from scipy import ndimage

from napari_lle.model.data.crops import Augmentation
from napari_lle.model.data.pairs import Pair, annotated
from napari_lle.model.network.checkpoint import load_model, save_model
from napari_lle.model.network.network import Network, NetworkConfig
from napari_lle.model.training.course import schedule
from napari_lle.model.training.loop import TrainingError, TrainingSettings, train
from napari_lle.model.training.run_data import parted


def test_training_learns_beyond_its_start(pairs):
    settings = TrainingSettings(TINY.network, steps=60, batch=2, crop=32, validate_every=20)
    events, trained = drain(train(pairs, settings))
    assert [e.step for e in events] == list(range(1, 61))
    assert [e.step for e in events if e.psnr is not None] == [20, 40, 60]
    assert np.mean([e.loss for e in events[-10:]]) < 0.8 * np.mean([e.loss for e in events[:10]])
    assert trained.card["held_out"]["ssim"] == max(e.ssim for e in events if e.ssim)
    assert not set(trained.card["training_pairs"]) & set(trained.card["held_out_pairs"])


def test_equal_seeds_give_equal_weights_and_others_do_not(pairs):
    a, b = (drain(train(pairs, TINY))[1] for _ in range(2))
    other = TrainingSettings.from_dict({**TINY.to_dict(), "seed": 1})
    c = drain(train(pairs, other))[1]
    assert all((weights(a)[k] == weights(b)[k]).all() for k in weights(a))
    assert any((weights(a)[k] != weights(c)[k]).any() for k in weights(a))


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
    judged = whole.card["held_out"]
    assert "psnr" not in judged
    assert 0 < judged["agreement_mean"] <= judged["agreement_max"]


def test_paired_refuses_images_without_references(alone):
    with pytest.raises(TrainingError, match="needs references"):
        next(train(alone, TINY))


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


def test_one_pair_is_cut_into_blocks_that_do_not_see_each_other(rng):
    low, reference = rng.random((2, 120, 100, 3)).astype(np.float32)
    training, held_out, _ = parted([Pair("only", low, reference)], TINY)
    marked = [~np.isnan(each.reference[..., 0]) for each in (training[0], held_out[0])]
    gap = Network(TINY.network).receptive_field
    near = ndimage.maximum_filter(marked[1], 2 * gap + 1)
    assert marked[0].any() and marked[1].any() and not (near & marked[0]).any()
    with pytest.raises(TrainingError, match="too small to be split"):
        parted([Pair("only", low[:9, :9], reference[:9, :9])], TINY)
    for settings, target in ((TINY, low), (PAPER, reference)):  # they learn from the whole image
        with pytest.raises(ValueError, match="two images"):
            parted([Pair("only", low, target)], settings)


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


def test_the_card_tells_what_made_it(pairs):
    _, trained = drain(train(pairs, TINY))
    assert trained.card["napari_lle"] and trained.card["torch"] == torch.__version__
    assert set(trained.card["commit"]) <= set("0123456789abcdef+")
