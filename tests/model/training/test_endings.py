"""How a run ends: at its steps, its minutes or its patience, stopped, diverged or collapsed."""

import json
import math
import re
from types import SimpleNamespace

import numpy as np
import pytest
from helpers.running import drain
from helpers.training import PAPER, TINY, changed, told, weights

from napari_lle.model.data.pairs import Pair
from napari_lle.model.network.checkpoint import load_model
from napari_lle.model.training import loop as training
from napari_lle.model.training import outcome
from napari_lle.model.training.loop import (
    STOP,
    TrainingError,
    train,
)


def judge_by(monkeypatch, figures):
    """Let runs be judged by figures that a function makes up."""

    def judged(*_):
        yield from ()
        return figures()

    monkeypatch.setattr(training, "judged", judged)


def test_divergence_is_explained_and_never_saved(pairs, tmp_path):
    broken = [Pair(p.name, p.low, p.reference + np.float32(np.inf)) for p in pairs]
    with pytest.raises(TrainingError, match="diverged at step 1"):
        drain(train(broken, TINY, run=tmp_path))
    summary = json.loads((tmp_path / "summary.json").read_text())
    assert summary["status"] == "failed" and "diverged at step 1" in summary["reason"]
    assert summary["step"] == 0 and not (tmp_path / "best.safetensors").exists()


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
    judge_by(monkeypatch, lambda: dict(zip(names, next(rows), strict=True)))
    _, trained = drain(train(pairs, changed(steps=20)))
    assert trained.card["held_out"]["step"] == 10 and "warning" not in trained.card


def test_results_that_are_not_finite_leave_nothing_to_keep(pairs, monkeypatch):
    row = {"score": math.nan, "verdict": "its results are not finite"}
    judge_by(monkeypatch, lambda: dict(row))
    with pytest.raises(TrainingError, match="collapsed: its results are not finite"):
        drain(train(pairs, TINY))


def test_patience_ends_a_run_that_stands_still(pairs, monkeypatch, tmp_path):
    scores = iter([0.5, 0.6, 0.6, 0.4] * 2)
    judge_by(monkeypatch, lambda: {"score": next(scores), "verdict": ""})
    settings = changed(patience=2, steps=100)
    events, trained = drain(train(pairs, settings, run=tmp_path))
    assert events[-1].step == 20 and trained.card["held_out"]["step"] == 10
    assert drain(train(pairs, settings, run=tmp_path))[0] == []


def test_a_validation_is_told_and_can_be_stopped_and_closed_in_its_midst(pairs, tmp_path):
    settings = changed(steps=10)

    def begin(name):
        return train(pairs, settings, held_out=pairs[:3], run=tmp_path / name)

    events, whole = drain(begin("whole"))
    assert [e.step for e in events] == [1, 2, 3, 4, 5, 5, 5, 6, 7, 8, 9, 10, 10, 10]
    assert [bool(e.held_out) for e in events if e.step == 5] == [False, False, True]

    closed = begin("closed")
    assert [next(closed).step for _ in range(12)][-1] == 10
    closed.close()
    after, resumed = drain(begin("closed"))
    assert told(after) == told(events[-3:])
    assert all((weights(resumed)[k] == weights(whole)[k]).all() for k in weights(whole))

    stopped = begin("stopped")
    assert [next(stopped).step for _ in range(12)][-1] == 10
    with pytest.raises(StopIteration) as stop:
        stopped.send(STOP)
    assert stop.value.value.card["held_out"]["step"] == 5
    assert told(drain(begin("stopped"))[0]) == told(events[-3:])

    # Before the first validation is over there is nothing else to keep.
    early = begin("early")
    assert [next(early).step for _ in range(5)][-1] == 5
    rest = [early.send(STOP), *early]
    assert [bool(e.held_out) for e in rest] == [False, True]


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


def test_epochs_are_passes_over_the_training_images(pairs):
    events, trained = drain(train(pairs, changed(epochs=2.5)))  # 3 of 4 pairs, 2 at a time
    assert len(events) == trained.card["steps"] == 4


@pytest.fixture
def clock(monkeypatch):
    """A clock for runs that goes on by a tenth of a second whenever it is looked at."""
    now = [0.0]

    def look():
        now[0] += 0.1
        return now[0]

    monkeypatch.setattr(training, "time", SimpleNamespace(monotonic=look))
    return now


def test_a_run_in_minutes_can_be_repeated_step_by_step(pairs, tmp_path, clock):
    settings = changed(minutes=0.1, threads=1)
    first = train(pairs, settings, run=tmp_path)
    for _ in range(7):
        event = next(first)
        assert event.steps >= event.step and 0 <= event.left <= 6
    first.close()
    events, resumed = drain(train(pairs, settings, run=tmp_path))
    done = resumed.card["steps"]
    assert events[0].step == 8 and events[-1].step == events[-1].steps == done > 12
    assert drain(train(pairs, settings, run=tmp_path))[0] == []  # it is over
    record = {name: resumed.card[name] for name in ("steps", "threads", "course")}
    _, again = drain(train(pairs, changed(**record)))
    assert all((weights(again)[k] == weights(resumed)[k]).all() for k in weights(again))
    assert again.card["course"] == resumed.card["course"]
    with pytest.raises(TrainingError, match="leave out epochs and minutes"):
        changed(course=record["course"], minutes=1)


def test_a_pause_takes_nothing_of_the_minutes(pairs, clock):
    events = train(pairs, changed(minutes=1, threads=1))
    next(events)
    clock[0] += 100
    assert events.send(100.0).left == pytest.approx(60, abs=1)
    clock[0] += 30
    assert events.send(None).left == pytest.approx(30, abs=1)
    clock[0] += 40
    last = events.send(None)
    assert last.left == 0 and last.held_out
    with pytest.raises(StopIteration):
        next(events)
