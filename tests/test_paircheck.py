import numpy as np
import pytest
from skimage import data as pictures
from skimage.transform import resize

from napari_lle.model.paircheck import MENDS, check_pair


@pytest.fixture(scope="module")
def scene():
    """A bright photograph and the same in a 16th of the light, with photon noise."""
    bright = resize(pictures.coffee(), (120, 180), anti_aliasing=True)
    dark = np.random.default_rng(0).poisson(bright * 60) / 60 / 16
    return np.rint(dark * 255).astype(np.uint8), np.rint(bright * 255).astype(np.uint8)


def test_a_good_pair_has_no_problems(scene):
    check = check_pair(*scene, rgb=True)
    assert check.usable and not check.problems
    assert np.hypot(*check.shift) < 0.3
    assert 3.5 < check.stops < 4.5
    assert check.correlation > 0.8


@pytest.mark.parametrize("moved", [(5, 0), (-3, 7), (0, -2)])
def test_a_shift_is_measured_and_mended(scene, moved):
    low, reference = scene
    wrong = np.roll(reference, moved, axis=(0, 1))
    check = check_pair(low, wrong, rgb=True)
    np.testing.assert_allclose(check.shift, np.negative(moved), atol=0.3)
    (problem,) = check.problems
    assert problem.fatal and problem.mend == "align" and "off" in problem.sentence
    mended = MENDS["align"](low, wrong, True)
    assert mended[0].shape == mended[1].shape
    assert mended[0].shape[:2] == tuple(np.subtract(low.shape[:2], np.abs(moved)))
    assert not check_pair(*mended, rgb=True).problems
    start = np.maximum(np.negative(moved), 0)
    rows, columns = (slice(s, s + n) for s, n in zip(start, mended[0].shape, strict=False))
    np.testing.assert_array_equal(mended[1], reference[rows, columns])


def test_sizes_and_order_are_mended(scene):
    low, reference = scene
    (problem,) = check_pair(low, reference[:-4, :-9], rgb=True).problems
    assert problem.mend == "crop"
    a, b = MENDS["crop"](low, reference[:-4, :-9], True)
    assert a.shape == b.shape == (116, 171, 3)
    (problem,) = check_pair(low, reference[..., 0], rgb=True).problems
    assert problem.fatal and not problem.mend
    (problem,) = check_pair(reference, low, rgb=True).problems
    assert problem.mend == "swap" and not problem.fatal
    assert MENDS["swap"](reference, low, True)[0] is low


def test_saturation_unknown_pixels_and_strangers_are_told(scene):
    low, reference = (image[..., 1] for image in scene)
    bright = np.minimum(reference.astype(int) * 3, 255).astype(np.uint8)
    assert "saturated" in check_pair(low, bright, rgb=False).problems[0].sentence
    holes = reference.astype(np.float32)
    holes[:10] = np.nan
    check = check_pair(low, holes, rgb=False)
    assert check.usable and check.unknown == pytest.approx(10 / 120)
    holes[:100] = np.nan
    assert not check_pair(low, holes, rgb=False).usable
    stranger = np.random.default_rng(1).integers(50, 200, low.shape)
    check = check_pair(low, stranger, rgb=False)
    assert check.usable and "same scene" in check.problems[0].sentence


def test_stacks_are_judged_by_their_middle_plane(scene):
    low, reference = (np.stack([image[..., 1]] * 3) for image in scene)
    low[0], reference[2] = 0, 0
    assert not check_pair(low, reference, rgb=False).problems
