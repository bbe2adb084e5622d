"""Many files at once: as one by one, in order, and ended by Ctrl-C within a step."""

import threading
import time

import numpy as np
import pytest
from helpers.command_line import lle

from napari_lle.cli import batch
from napari_lle.cli.console import drain, shared_bars
from napari_lle.model.io.files import read_image, write_image
from napari_lle.model.network import checkpoint
from napari_lle.model.progress import Progress
from napari_lle.model.runtime import threads


@pytest.fixture
def two_threads(monkeypatch):
    monkeypatch.setattr(threads, "thread_count", lambda: 2)


@pytest.fixture
def pairs(tmp_path):
    found = [(tmp_path / f"{i}.tif", tmp_path / f"out{i}.tif") for i in range(8)]
    for source, _ in found:
        source.write_bytes(b"x")
    return found


def test_files_at_once_equal_files_one_by_one(tmp_path, model, rng, two_threads):
    (tmp_path / "in").mkdir()
    for i in range(9):
        pixels = rng.integers(0, 60 + i, (30, 40, 3)).astype(np.uint8)
        write_image(tmp_path / "in" / f"{i}.png", pixels, rgb=True)
    words = ("--model", model, "--device", "cpu")
    done = lle("enhance", tmp_path / "in", "-o", f"{tmp_path / 'out'}/", *words)
    names = [line.partition(" -> ")[0].rpartition("/")[2] for line in done.stdout.splitlines()]
    assert names[:9] == [f"{i}.png" for i in range(9)] and names[9] == "9 of 9 files done"
    for name in names[:9]:
        lle("enhance", tmp_path / "in" / name, "-o", tmp_path / "one.png", *words)
        alone = read_image(tmp_path / "one.png").pixels
        np.testing.assert_array_equal(read_image(tmp_path / "out" / name).pixels, alone)


def test_the_model_is_read_once_whatever_the_number_of_files(tmp_path, rng, monkeypatch):
    for i in range(3):
        pixels = rng.integers(0, 900, (30, 40)).astype(np.uint16)
        write_image(tmp_path / f"{i}.tif", pixels, rgb=False)
    read, original = [], checkpoint._read_checkpoint

    def counted(path):
        read.append(path.name)
        return original(path)

    monkeypatch.setattr(checkpoint, "_read_checkpoint", counted)
    checkpoint._remembered.cache_clear()
    files = [tmp_path / f"{i}.tif" for i in range(3)]
    assert lle("enhance", *files, "-o", f"{tmp_path / 'out'}/").returncode == 0
    assert read == ["science.safetensors"]


def test_small_files_meet_and_large_ones_do_not(pairs, two_threads, monkeypatch):
    barrier = threading.Barrier(2)
    batch.run_all(pairs, lambda *_: str(barrier.wait(60)), together=True)
    monkeypatch.setattr(batch, "SMALL", 0)
    at_work = []

    def alone(source, target):
        at_work.append(source)
        assert len(at_work) == 1
        time.sleep(0.01)
        at_work.remove(source)

    batch.run_all(pairs, alone, together=True)


def test_an_interrupt_ends_what_other_threads_do(pairs, two_threads, monkeypatch):
    begun, ended = threading.Event(), []

    def endless(source):
        begun.set()
        try:
            while True:
                time.sleep(0.005)
                yield Progress(1, 2)
        finally:
            ended.append(source)

    def work(source, target):
        if source == pairs[0][0]:
            begun.wait(60)  # another is at work
            return
        drain(endless(source), source.name, lambda step: "")

    def interrupted(line):
        if " -> " in line:
            raise KeyboardInterrupt

    monkeypatch.setattr(batch, "say", interrupted)  # as Ctrl-C does, between two lines
    with pytest.raises(KeyboardInterrupt):
        batch.run_all(pairs, work, together=True)
    assert 1 <= len(ended) <= 2 and not any(target.exists() for _, target in pairs)


def test_bars_are_shared_and_given_back():
    with shared_bars(3) as advance:
        assert drain(iter_of(3), "a", lambda step: "") == "end"
        advance()
    assert drain(iter_of(2), "b", lambda step: "") == "end"


def iter_of(count):
    for i in range(count):
        yield Progress(i, count)
    return "end"
