"""Quantiles as NumPy finds them, to the last bit, for every kind of number."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from napari_lle.model.preprocessing.quantiles import Ordered, quantile
from napari_lle.model.preprocessing.sampling import blocks

PERCENTS = [0, 0.1, 2, 33.3, 50, 98, 99.9, 100]
KINDS = ("bool", "i1", "u1", "i2", "u2", "i4", "u4", "i8", "u8", "f2", "f4", "f8")


def values(kind, size, seed):
    rng = np.random.default_rng(seed)
    kind = np.dtype(kind)
    if kind.kind == "f":
        spread = rng.choice([1e-3, 1.0, 1e4])
        found = (rng.normal(0, spread, size) * rng.choice([0, 1], size)).astype(kind)
        found[rng.random(size) < 0.05] = rng.choice([np.nan, np.inf, -np.inf, -0.0])
        return found
    limits = (0, 1) if kind.kind == "b" else (np.iinfo(kind).min // 3, np.iinfo(kind).max // 3)
    return rng.integers(*limits, size, dtype="u8" if kind == "u8" else "i8", endpoint=True).astype(
        kind
    )


@settings(max_examples=150, deadline=None)
@given(st.sampled_from(KINDS), st.integers(1, 400), st.integers(0, 999))
def test_equal_to_numpy_to_the_last_bit(kind, size, seed):
    given = values(kind, size, seed)
    ordered = Ordered(given)
    expected = given.astype(np.float64)
    expected = expected[np.isfinite(expected)]
    assert ordered.size == expected.size
    if expected.size:
        assert ordered.quantiles(PERCENTS) == np.percentile(expected, PERCENTS).tolist()
        median = ordered.median()
        assert median == np.median(expected)
        assert ordered.spread(median) == np.median(np.abs(expected - median))
        assert ordered.extremes() == (expected.min(), expected.max())


@pytest.mark.parametrize("step", [2, 4, 6])
@pytest.mark.parametrize("shape", [(9, 12), (8, 7, 3), (1, 5), (2, 2, 4), (5, 1), (1, 1)])
def test_blocks_hold_neighbours(shape, step):
    plane = np.arange(np.prod(shape)).reshape(shape)
    found = blocks(plane, step)
    assert found.shape[1:] == (2, 2, *shape[2:])
    wide = np.pad(plane, [(0, 1), (0, 1), *[(0, 0)] * (plane.ndim - 2)], mode="edge")
    squares = [wide[i : i + 2, j : j + 2] for i in range(shape[0]) for j in range(shape[1])]
    known = {square.tobytes() for square in squares}
    assert all(np.ascontiguousarray(square).tobytes() in known for square in found)
    if step == 2:
        assert set(found.ravel()) == set(plane.ravel())


@settings(max_examples=100, deadline=None)
@given(st.integers(1, 300), st.floats(0, 1), st.integers(0, 999))
def test_one_quantile_is_numpys(size, share, seed):
    given = np.random.default_rng(seed).normal(size=size)
    np.testing.assert_allclose(quantile(given, share), np.quantile(given, share), rtol=1e-12)
