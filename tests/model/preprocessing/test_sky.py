import numpy as np
import pytest

from napari_lle.model.preprocessing.levels import find_levels
from napari_lle.model.preprocessing.screen import MIDDLE, STRETCHED, midtones, transfer
from napari_lle.model.preprocessing.sky import find_sky, typical_for_sky, white_for_sky


def test_objects_do_not_move_the_sky(rng):
    frame = rng.normal(500, 6, (200, 200))
    bare = find_sky(frame)
    assert bare.level == pytest.approx(500, abs=0.2) and bare.deviation == pytest.approx(6, abs=0.2)
    frame[:60] += rng.gamma(1, 400, (60, 200))  # three tenths of the pixels
    found = find_sky(frame)
    assert found.level == pytest.approx(500, abs=1) and found.deviation == pytest.approx(6, abs=0.5)


@pytest.mark.parametrize("dtype", ["uint8", "uint16", "float32"])
def test_the_sky_of_few_values(rng, dtype):
    found = find_sky(np.rint(rng.normal(50, 0.8, (100, 100))).astype(dtype))
    assert found.level == 50 and 0.5 < found.deviation < 1.5
    flat = find_sky(np.full((5, 5), 7, dtype))
    assert (flat.level, flat.deviation) == (7, 0)


def test_nothing_has_no_sky():
    assert find_sky(np.full((3, 3), np.nan)) is None
    assert find_sky(np.array([np.nan, 2.0, np.inf])).level == 2


@pytest.mark.parametrize("target", [0.05, 0.25, 0.5])
@pytest.mark.parametrize("level", [0.02, 0.1, 0.2])
def test_the_plain_stretch_meets_the_target(target, level):
    """The level, or where that is out of reach, one between the levels that white brings it to."""
    level /= white_for_sky(0, 1, level, target)
    typical = typical_for_sky(level, target)
    u = midtones(min(max(typical, STRETCHED[0]), STRETCHED[1]))
    assert transfer(level, level, u) == pytest.approx(target, rel=1e-6)
    assert transfer(typical, typical, u) == pytest.approx(MIDDLE)


def test_white_makes_way_for_the_sky():
    assert white_for_sky(0, 1, 0.1, 0.25) == 1
    assert white_for_sky(0, 1, 0.5, 0.25) == pytest.approx(0.5 / 0.24, rel=1e-3)
    assert white_for_sky(0, 1, 1e-5, 0.25) == pytest.approx(0.01, rel=0.05)
    assert white_for_sky(5, 9, 4, 0.25) == 9  # a sky below black


def test_black_near_the_sky(rng):
    frame = rng.normal(500, 6, (200, 200))
    levels = find_levels(frame, black="sky")
    assert levels.black == pytest.approx(500 - 2.8 * 6, abs=1)
    assert find_levels(frame, black="sky", white=900).white == 900
    constant = find_levels(np.full((9, 9), 4, np.uint16), black="sky")
    assert (constant.black, constant.white) == (4, 5)
    region = find_levels(frame, black="sky", roi=(slice(0, 100), slice(0, 100)))
    assert region.black == pytest.approx(500 - 2.8 * 6, abs=1)
