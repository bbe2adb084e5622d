"""A run that was stopped continues exactly, and only in its own folder; a run from a model."""

import itertools

import pytest
import torch
from helpers.running import drain
from helpers.training import TINY, changed, told, weights

from napari_lle.model.network.checkpoint import load_model, save_model
from napari_lle.model.training.loop import (
    STATE,
    TrainingError,
    TrainingSettings,
    read_settings,
    train,
)


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
    with pytest.raises(TrainingError, match="a network unlike that of photo"):
        next(train(pairs, changed(base="photo")))


def test_a_base_may_have_paler_colours(pairs):
    photo = load_model("photo").network
    paler = {**photo.config.to_dict(), "vivid": (0.0, 0.1)}
    still = {"network": paler, "base": "photo", "steps": 1, "batch": 2, "crop": 24}
    settings = TrainingSettings.from_dict({**still, "learning_rate": 1e-12})
    tuned = drain(train(pairs, settings))[1].network
    assert tuned.config.vivid == (0.0, 0.1)
    for name, weight in photo.block.state_dict().items():
        torch.testing.assert_close(tuned.block.state_dict()[name], weight, atol=1e-9, rtol=1e-6)


def test_a_base_may_have_more_shifted_layers(pairs):
    """Without those of the second layer all else is as it was; more than it has are refused."""
    photo = load_model("photo").network
    fewer = {**photo.config.to_dict(), "modulated": 1}
    still = {"network": fewer, "base": "photo", "steps": 1, "batch": 2, "crop": 24}
    _, tuned = drain(train(pairs, changed(TrainingSettings.from_dict(still), learning_rate=1e-12)))
    known = photo.state_dict()
    assert set(known) - set(weights(tuned)) == {"block.residual.shifts.1.weight"}
    for name, weight in weights(tuned).items():
        if name.startswith("block"):
            torch.testing.assert_close(weight, known[name], atol=1e-9, rtol=1e-6)
