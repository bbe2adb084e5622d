import os
import signal

import pytest

from napari_lle.cli.stopping import until_interrupted


def counting(upto=5):
    for i in range(upto):
        if (yield i) == "stop":
            return f"best of {i}"
    return "all"


def test_without_ctrl_c_nothing_changes():
    before = signal.getsignal(signal.SIGINT)
    steps = until_interrupted(counting(), "stop")
    seen = [next(steps) for _ in range(5)]
    assert seen == [0, 1, 2, 3, 4] and signal.getsignal(signal.SIGINT) is not before
    with pytest.raises(StopIteration) as end:
        next(steps)
    assert end.value.value == "all" and signal.getsignal(signal.SIGINT) is before


def test_ctrl_c_ends_a_run_with_its_best(capsys):
    steps = until_interrupted(counting(), "stop")
    next(steps), next(steps)
    os.kill(os.getpid(), signal.SIGINT)
    with pytest.raises(StopIteration) as end:
        next(steps)
    assert end.value.value == "best of 1"
    assert "press Ctrl-C again" in capsys.readouterr().err


def test_twice_ends_it_at_once():
    steps = until_interrupted(counting(), "stop")
    next(steps)
    with pytest.raises(KeyboardInterrupt):
        for _ in range(2):
            os.kill(os.getpid(), signal.SIGINT)
    steps.close()


def test_together_with_others_ctrl_c_stays_as_it_is(monkeypatch):
    monkeypatch.setenv("WORLD_SIZE", "2")
    before = signal.getsignal(signal.SIGINT)
    steps = until_interrupted(counting(), "stop")
    next(steps)
    assert signal.getsignal(signal.SIGINT) is before
