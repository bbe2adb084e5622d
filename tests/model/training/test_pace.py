"""Runs in minutes, on a clock that the tests turn."""

import json
import time

import numpy as np
import pytest
import torch

from napari_lle.model.training import duration
from napari_lle.model.training.course import Course, learning_rate, schedule
from napari_lle.model.training.duration import fastest, in_threads
from napari_lle.model.training.pace import Budgeted, Counted


def ride(pace, seconds_of, look=0.0, most=100_000):
    """Steps, their shares of the learning rate, and the looks of a run on a clock of its own."""
    now, step, shares, looks = 0.0, 0, [], []
    while not pace.over(step) and step < most:
        shares.append(pace.learning(step))
        now += seconds_of(now)
        step += 1
        pace.passed(step, now)
        if pace.judges(step):
            now += look
            pace.judged(step, now)
            looks.append(step)
    return now, shares, looks


@pytest.mark.parametrize("guess", [0.0005, 0.05, 5.0])
def test_a_minute_is_kept_whatever_was_expected(guess):
    now, shares, looks = ride(Budgeted(60, 50, guess), lambda _: 0.05, look=0.5)
    assert now == pytest.approx(60, abs=0.6)
    assert looks[:2] == [50, 100] and looks[-1] == len(shares)
    assert max(shares) > 0.999 and shares[-1] < 0.001
    top = int(np.argmax(shares))
    assert 0 < top < 0.05 * len(shares) and (np.diff(shares[top:]) < 0.02).all()


def test_a_minute_is_kept_where_the_machine_becomes_slow_or_fast():
    for before, after in ((0.02, 0.6), (0.6, 0.02)):
        pace = Budgeted(60, 50, before)
        now, shares, _ = ride(pace, lambda t, a=before, b=after: a if t < 20 else b)
        assert now == pytest.approx(60, abs=1)
        assert shares[-1] < 0.02
        assert len(pace.course.steps) < 120  # it is no log of all steps


def test_few_steps_are_judged_in_time():
    pace = Budgeted(60, 50)
    now, shares, looks = ride(pace, lambda _: 7.0, look=2.0)
    assert 50 < now < 66 and len(shares) == looks[-1] < 9
    assert len(looks) > 2
    assert 0 < shares[-1] < 0.2


def test_looks_that_take_long_leave_most_of_the_time_to_steps():
    now, shares, looks = ride(Budgeted(60, 50), lambda _: 0.02, look=5.0)
    assert now < 66 and len(looks) * 5 < 30
    assert len(shares) * 0.02 > 30


def test_what_is_expected_and_left():
    pace = Budgeted(60, 50, 0.1)
    assert pace.expected(0) == 600
    for step in range(1, 151):
        pace.passed(step, 0.2 * step)
    assert pace.expected(150) == pytest.approx(300, abs=5) and pace.left() == 30


def test_a_course_can_be_repeated_and_goes_on_where_it_was():
    pace = Budgeted(10, 5, 0.3)
    _, shares, looks = ride(pace, lambda t: 0.1 + 0.02 * t, look=0.2)
    again = Counted(len(shares), 5, pace.course)
    assert [again.learning(step) for step in range(len(shares))] == shares
    assert [step for step in range(1, len(shares) + 1) if again.judges(step)] == looks
    first, second = Budgeted(10, 5, 0.3), None
    ride(first, lambda t: 0.1 + 0.02 * t, look=0.2, most=20)
    second = Budgeted.resumed(json.loads(json.dumps(first.record())))
    assert vars(second) == vars(first)


def test_schedule_of_steps_and_of_time_agree():
    for step in (0, 5, 19, 20, 21, 500, 999):
        by_time = learning_rate(step / 1000, (step + 1) / 1000)
        assert by_time == pytest.approx(schedule(step, 1000), abs=1e-9)


def test_nonsense_is_no_course():
    with pytest.raises(ValueError, match="as many steps"):
        Course((0, 5), (0.0,), (0.1,))


def test_threads_that_wait_for_each_other_are_not_chosen(monkeypatch):
    monkeypatch.setattr(duration.os, "cpu_count", lambda: 4)
    tried = []

    def work(cost):
        def step():
            threads = torch.get_num_threads()
            tried.append(threads)
            time.sleep(cost[threads])

        return step

    with in_threads(1):
        assert torch.get_num_threads() == 1
        assert fastest(work({1: 0.01}), 1).threads == 1
    tried.clear()
    assert fastest(work({1: 0.01, 2: 0.3}), 2).threads == 1
    assert tried.count(2) == 1  # once was enough
    assert fastest(work({1: 0.05, 2: 0.01}), 2).threads == 2
    tried.clear()
    assert (
        fastest(
            work({1: 0.02, 2: 9}), 2, lambda: time.sleep(0.01 * torch.get_num_threads() ** 2)
        ).threads
        == 1
    )
    assert set(tried) == {1}  # what is over sooner had told
