"""Compiled code counts as NumPy does: levels and statistics are the same to the last bit."""

import numpy as np
import pytest

pytest.importorskip("numba")
from napari_lle.model import kernels
from napari_lle.model.inference.options import EnhanceOptions
from napari_lle.model.inference.plan import survey
from napari_lle.model.kernels.counting import find_counter
from napari_lle.model.kernels.cpu import counter as threads
from napari_lle.model.kernels.cpu.counter import compile_counter, load_counter
from napari_lle.model.preprocessing.tally import PLAIN, corners_of

rng = np.random.default_rng(0)


@pytest.fixture(scope="module")
def counter():
    compile_counter()
    return load_counter()


@pytest.fixture(params=[1, 3])
def parts(request, monkeypatch):
    """In one thread, and in several with parts of uneven length."""
    monkeypatch.setattr(threads, "thread_count", lambda: request.param)
    monkeypatch.setattr(threads, "THREAD_PIXELS", 50)


@pytest.mark.parametrize("kind", ["uint8", "uint16"])
def test_values_and_diagonals(counter, parts, kind):
    top = np.iinfo(kind).max
    squares = rng.integers(0, top, (1001, 2, 2), kind, endpoint=True)
    table = rng.integers(0, 1 << 28, top + 1, np.int32, endpoint=True)
    corners = corners_of(squares)
    assert (counter.values(corners) == PLAIN.values(corners)).all()
    assert counter.diagonal(corners, table) == PLAIN.diagonal(corners, table)


def test_colours(counter, parts):
    corners = corners_of(rng.integers(0, 255, (1001, 2, 2, 3), np.uint8, endpoint=True))
    for ours, theirs in zip(counter.colours(corners), PLAIN.colours(corners), strict=True):
        assert np.array_equal(ours, theirs)


CASES = {
    "a photograph": rng.integers(0, 90, (50, 61, 3)).astype(np.uint8),
    "8 bits": rng.integers(3, 90, (50, 61)).astype(np.uint8),
    "16 bits": rng.gamma(2, 300, (50, 61)).astype(np.uint16),
    "colours of 16 bits": rng.gamma(2, 300, (50, 61, 3)).astype(np.uint16),
    "another byte order": rng.gamma(2, 300, (3, 50, 60)).astype(">u2"),
    "with a margin": np.pad(rng.gamma(2, 300, (50, 60)).astype(np.uint16) + 900, 8),
    "noise": rng.normal(1000, 9, (60, 60)).astype(np.uint16),
    "a constant": np.full((9, 9), 7, np.uint16),
}


@pytest.mark.parametrize("name", CASES)
def test_a_survey_is_the_same_to_the_last_bit(counter, name, monkeypatch):
    image = CASES[name]
    options = EnhanceOptions(model="linear" if image.ndim < 3 or image.itemsize > 1 else "photo")
    by_numpy = survey(image, options)
    monkeypatch.delenv(kernels.SWITCH)
    assert find_counter() is not PLAIN
    assert survey(image, options) == by_numpy
