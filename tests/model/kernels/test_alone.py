"""Kernels are compiled in the background by one process at a time."""

import subprocess
import sys

import pytest
from filelock import FileLock

pytest.importorskip("numba")
from napari_lle.model.kernels import alone


@pytest.fixture
def asked(tmp_path, monkeypatch):
    """What is compiled, in order; nothing is."""
    asked = []
    monkeypatch.setattr(alone.tempfile, "gettempdir", lambda: str(tmp_path))
    monkeypatch.setattr(alone, "warm_up", lambda models=None: asked.append(models) or [])
    return asked


def test_what_is_asked_for_first_is_compiled_first(asked):
    assert alone.compile_alone(["science"])
    assert asked == [["science"], None]


def test_a_second_process_leaves_it_to_the_first(asked):
    hold = (
        "import sys; from filelock import FileLock\n"
        "with FileLock(sys.argv[1]): print('held', flush=True); input()"
    )
    command = [sys.executable, "-c", hold, str(alone.lock_file())]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    with subprocess.Popen(command, **pipes) as other:
        assert other.stdout.readline() == "held\n"
        assert not alone.compile_alone() and asked == []
        other.communicate("\n")
    assert alone.compile_alone() and asked == [(), None]


def test_a_failure_gives_the_lock_back(asked, monkeypatch):
    def fail(models):
        raise RuntimeError("no compiler")

    monkeypatch.setattr(alone, "warm_up", fail)
    with pytest.raises(RuntimeError):
        alone.compile_alone()
    with FileLock(alone.lock_file(), timeout=0):
        pass
