import numpy as np
import pytest

from napari_lle.model.data.blind_spots import hide
from napari_lle.model.data.crops import Batch

HALO, SIDE = 5, 40


@pytest.fixture
def batch():
    rng = np.random.default_rng(0)
    side = SIDE + 2 * HALO
    low = np.repeat(rng.random((2, 1, side, side), dtype=np.float32), 3, axis=1)
    return Batch(low, low[..., HALO:-HALO, HALO:-HALO] + 1, np.zeros((2, 7), np.float32))


@pytest.mark.parametrize("reach", [0, 1, 2])
def test_whole_spots_are_filled_from_around_them(batch, reach):
    found = hide(batch, HALO, reach, np.random.default_rng(1))
    known = ~np.isnan(found.reference)
    assert (known[:, 0] == known[:, 1]).all()
    share = known.mean() * (4 * (reach + 1)) ** 2
    assert share == pytest.approx(1, abs=0.3)
    assert (found.reference[known] == batch.reference[known]).all()
    for i, y, x in np.argwhere(known[:, 0]):
        y, x = y + HALO, x + HALO
        spot = slice(y - reach, y + reach + 1), slice(x - reach, x + reach + 1)
        wide = slice(y - reach - 1, y + reach + 2), slice(x - reach - 1, x + reach + 2)
        inside, before = found.low[i, 0][spot], batch.low[i, 0]
        ring = set(before[wide].ravel()) - set(before[spot].ravel())
        assert set(inside.ravel()) <= ring


def test_the_rest_stays_and_chance_is_the_generator_s(batch):
    kept = batch.low.copy()
    a, b, c = (hide(batch, HALO, 0, np.random.default_rng(seed)) for seed in (1, 1, 2))
    assert (batch.low == kept).all()
    assert (a.low == b.low).all() and (a.low != c.low).any()
    changed = (a.low != batch.low).any(axis=1).mean()
    assert changed == pytest.approx(1 / 16, abs=0.02)


def test_no_spot_shows_itself_at_the_border():
    low = np.arange(3 * 8 * 8, dtype=np.float32).reshape(1, 3, 8, 8)
    for seed in range(20):
        found = hide(Batch(low, low, np.zeros((1, 7))), 0, 0, np.random.default_rng(seed))
        known = ~np.isnan(found.reference)
        assert (found.low[known] != low[known]).all()
