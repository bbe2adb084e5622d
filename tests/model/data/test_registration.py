import numpy as np
import pytest
from skimage import data as pictures
from skimage.transform import resize

from napari_lle.model.data.pair_check import check_pair
from napari_lle.model.data.project import Draft
from napari_lle.model.data.registration import common_field, find_shift, register


@pytest.fixture(scope="module")
def scene():
    """A bright photograph and the same in a 16th of the light, with photon noise."""
    bright = resize(pictures.coffee(), (120, 180), anti_aliasing=True)
    dark = np.random.default_rng(0).poisson(bright * 60) / 60 / 16
    return np.rint(dark * 255).astype(np.uint8), np.rint(bright * 255).astype(np.uint8)


@pytest.mark.parametrize("moved", [(5, 0), (-3, 7)])
def test_a_moved_reference_is_cut_with_its_image_to_what_they_share(scene, moved):
    low, reference = scene
    both = register(low, np.roll(reference, moved, axis=(0, 1)), rgb=True)
    rows, columns = (
        slice(max(0, -m), n - max(0, m)) for m, n in zip(moved, (120, 180), strict=True)
    )
    np.testing.assert_array_equal(both.low, low[rows, columns])
    np.testing.assert_array_equal(both.reference, reference[rows, columns])
    assert both.corner == (rows.start, columns.start)
    assert f"{-moved[0]:+d} rows and {-moved[1]:+d} columns" in both.told
    assert not check_pair(both.low, both.reference, rgb=True).problems


@pytest.mark.parametrize("place", [(0, 0), (9, 31), (40, 60)])
def test_a_smaller_reference_is_found_in_its_image_and_the_other_way_round(scene, place):
    low, reference = scene
    (top, left), (height, width) = place, (80, 110)
    part = np.s_[top : top + height, left : left + width]
    both = register(low, reference[part], rgb=True)
    assert both.corner == place
    np.testing.assert_array_equal(both.low, low[part])
    np.testing.assert_array_equal(both.reference, reference[part])
    back = register(low[part], reference, rgb=True)
    assert back.corner == (0, 0)
    np.testing.assert_array_equal(back.reference, reference[part])


def test_sizes_and_a_shift_at_once_and_stacks(scene):
    low, reference = (np.stack([image[..., 1]] * 3) for image in scene)
    moved = np.roll(reference, (0, 4, -6), axis=(0, 1, 2))[:, :-10, :-3]
    both = register(low, moved, rgb=False)
    assert both.low.shape == both.reference.shape == (3, 106, 174)
    np.testing.assert_array_equal(both.reference, reference[:, :106, 6:])
    np.testing.assert_array_equal(both.low, low[:, :106, 6:])


def test_strangers_and_equal_images_stay_where_they_are(scene):
    grey = scene[1][..., 1].astype(float)
    assert find_shift(grey, grey) == (0.0, 0.0)
    stranger = np.random.default_rng(1).normal(size=grey.shape)
    assert max(map(abs, find_shift(grey, stranger))) < 90
    flat = np.zeros_like(grey)
    assert find_shift(grey, flat) == (0.0, 0.0)


def test_a_common_field_may_be_empty():
    here, there = common_field((10, 10), (5, 5), (10, 0))
    assert here[0].start == here[0].stop and there[1] == slice(0, 5)


def test_a_registered_draft_takes_its_annotation_along(scene):
    low, reference = scene
    annotation = np.arange(120 * 180).reshape(120, 180).astype(np.uint8)
    moved = np.roll(reference, (-5, -3), axis=(0, 1))
    draft = Draft("cup", low, moved, rgb=True, annotation=annotation).registered()
    assert draft.corner == (5, 3)
    rows, columns = draft.extent
    np.testing.assert_array_equal(draft.low, low[rows, columns])
    np.testing.assert_array_equal(draft.annotation, annotation[rows, columns])
    assert draft.check.usable and "moved by +5 rows and +3 columns" in draft.told
