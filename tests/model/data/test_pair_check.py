import numpy as np
import pytest
from skimage import data as pictures
from skimage.transform import resize

from napari_lle.model.data.pair_check import REGISTER, SWAP, check_pair


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


def test_less_light_is_not_darker_where_levels_take_it_out(scene):
    low, reference = (image[..., 1].astype(np.uint16) for image in scene)
    (problem,) = check_pair(low, low * 16, rgb=False).problems
    assert "no darker" in problem.sentence and not problem.fatal
    linear = np.rint((reference / 255) ** 2.2 * 1000).astype(np.uint16)
    check = check_pair(linear, reference, rgb=False)
    assert not [p for p in check.problems if "no darker" in p.sentence]
    assert check.levels is not None and 0 <= check.levels[0] < check.levels[1] <= 1000


@pytest.mark.parametrize("moved", [(5, 0), (-3, 7), (0, -2)])
def test_a_shift_is_measured(scene, moved):
    low, reference = scene
    check = check_pair(low, np.roll(reference, moved, axis=(0, 1)), rgb=True)
    np.testing.assert_allclose(check.shift, np.negative(moved), atol=0.3)
    (problem,) = check.problems
    assert problem.fatal and problem.fix == REGISTER and "off" in problem.sentence


def test_sizes_are_to_be_registered_and_kinds_cannot_be(scene):
    low, reference = scene
    check = check_pair(low, reference[:-4, :-9], rgb=True)
    (problem,) = check.problems
    assert problem.fatal and problem.fix == REGISTER and check.in_order
    assert not check_pair(reference[:-4], low, rgb=True).in_order
    (problem,) = check_pair(low, reference[..., 0], rgb=True).problems
    assert problem.fatal and not problem.fix


def test_a_swap_is_a_question(scene):
    low, reference = scene
    (problem,) = check_pair(reference, low, rgb=True).problems
    assert problem.fix == SWAP and not problem.fatal and "swapped?" in problem.sentence
    grey = reference[..., 1].astype(np.uint16)
    (problem,) = check_pair(grey * 4, grey, rgb=False).problems  # as noisy, and darker
    assert problem.fix == SWAP and not problem.fatal and "darker" in problem.sentence


@pytest.mark.parametrize("offset", [0, 400])
def test_a_noisy_image_on_an_offset_keeps_its_clean_reference(scene, offset):
    clean = scene[1][..., 1].astype(np.float64)
    noise = np.random.default_rng(2).normal(0, 30, clean.shape)
    noisy = np.rint(clean + noise + offset + 100).astype(np.uint16)
    clean = clean.astype(np.uint16)
    check = check_pair(noisy, clean, rgb=False)
    assert check.clearer == 1 and check.in_order and not [p for p in check.problems if p.fix]
    deviation = 30 / clean.std()
    assert check.noise[0] == pytest.approx(deviation, rel=0.2) and check.noise[1] < 0.1
    back = check_pair(clean, noisy, rgb=False)
    assert back.clearer == -1 and not back.in_order
    (problem,) = back.problems
    assert problem.fix == SWAP and "noisier" in problem.sentence


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
