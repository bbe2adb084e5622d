import json

import numpy as np
import pytest

from napari_lle.model.preprocessing.channel_levels import find_colour_levels, measured_colours
from napari_lle.model.preprocessing.normalizing import (
    ChannelLevels,
    Levels,
    denormalize,
    level_set,
    level_words,
    normalize,
    recorded_levels,
    rounded,
    working_dtype,
)
from napari_lle.model.preprocessing.sampling import sample
from napari_lle.model.preprocessing.sky import find_sky

THREE = tuple(Levels(b, b + 50.0, "uint16") for b in (470.0, 480.0, 150.0))
FREE = [(None, None)] * 3


@pytest.mark.parametrize(
    ("axis", "shape"), [(-1, (4, 5, 3)), (-3, (2, 3, 4, 5)), (-4, (3, 2, 4, 5))]
)
def test_each_channel_between_its_own_levels_and_back(rng, axis, shape):
    image = rng.integers(0, 65536, shape).astype(np.uint16)
    levels = level_set(THREE, axis)
    x = normalize(image, levels)
    for i, own in enumerate(THREE):
        np.testing.assert_array_equal(np.take(x, i, axis), normalize(np.take(image, i, axis), own))
    np.testing.assert_array_equal(denormalize(x, levels), image)


def test_equal_levels_are_one_pair():
    assert level_set([THREE[0]] * 3, -1) is THREE[0]
    assert level_set(THREE, -1).axis == -1


@pytest.mark.parametrize("levels", [THREE[0], ChannelLevels(THREE, -3)])
def test_a_record_survives_a_file(levels):
    assert recorded_levels(json.loads(json.dumps(levels.as_record()))) == levels


def test_a_record_of_before_channels_had_levels():
    assert recorded_levels({"black": 1.0, "white": 2.0, "dtype": "uint8"}) == Levels(1, 2, "uint8")


def test_the_levels_of_planes_and_parts():
    levels = ChannelLevels(THREE, -4)  # (C, Z, Y, X)
    assert levels.plane((2, 7)) == THREE[2]
    assert levels.moved(-1).plane((7,)) == levels.moved(-1)
    assert levels.chosen(np.array([1])).each == (THREE[1],)
    assert levels.common == Levels(150, 530, "uint16")
    assert level_words(levels) == "black 470, 480, 150, white 520, 530, 200"
    assert level_words(THREE[0]) == "black 470, white 520"


def test_the_widest_channel_decides_on_precision():
    far = level_set([THREE[0], Levels(2.0**20, 2.0**21, "uint16")], -3)
    assert working_dtype(far) == np.float64 and working_dtype(ChannelLevels(THREE, -3)) == "f4"
    wide = [Levels(0, 1, "uint64"), Levels(0, 2.0**51, "uint64")]
    assert rounded(level_set(wide, -3)) and not rounded(wide[0])


def test_colours_beyond_1_are_measured(rng):
    image = rng.random((20, 20, 3)).astype(np.float32)
    assert not measured_colours(image)
    assert not measured_colours((255 * image).astype(np.uint16))
    assert measured_colours(300 * image)
    assert not measured_colours(np.full((2, 2, 3), np.nan))
    image[0, 0, 0] = np.inf
    assert not measured_colours(image)


def test_the_background_is_neutral(rng):
    """Three skies, three noises, three spans: x of the background is one."""
    image = np.array([470.0, 480, 150]) + rng.normal(0, 1, (120, 120, 3)) * np.array([3, 5, 2])
    image[::20, ::20] += np.array([4000, 1000, 300])
    levels = find_colour_levels(image, sample(image, rgb=True), FREE)
    x = normalize(image, levels)
    heights = [find_sky(x[..., i]).level for i in range(3)]
    assert max(heights) - min(heights) < 1e-6
    assert all(low < find_sky(image[..., i]).black + 3 for i, low in enumerate(levels.black))


def test_an_empty_colour_stays_black(rng):
    image = rng.normal(500, 6, (80, 80, 3))
    image[..., 1] = 30
    levels = find_colour_levels(image, sample(image, rgb=True), FREE)
    assert levels.black[1] == 30


def test_given_black_stays(rng):
    image = rng.normal(500, 6, (80, 80, 3))
    pairs = [(450.0, None), (460.0, None), (470.0, 900.0)]
    levels = find_colour_levels(image, sample(image, rgb=True), pairs)
    assert levels.black == (450, 460, 470) and levels.white[2] == 900
