"""Channels that share an illumination, of any values: each returns, however odd the others are."""

import numpy as np
import pytest
from helpers.arrays import FLOATS, INTEGERS, MODELS, images
from hypothesis import given, settings
from hypothesis import strategies as st

from napari_lle.model import enhance_jointly, restore


@settings(max_examples=60)
@given(
    st.lists(images(INTEGERS), min_size=1, max_size=3),
    st.sampled_from(sorted(MODELS)),
    st.sampled_from([0.0, 0.6, 1.0]),
)
def test_integers_of_mixed_types_come_back_bit_for_bit(drawn, form, strength):
    shape = drawn[0].shape
    channels = [np.resize(image, shape) for image in drawn]
    axis = 0 if len(shape) == 3 else None
    results = enhance_jointly(channels, MODELS[form], axis=axis, strength=strength)
    for channel, result in zip(channels, results, strict=True):
        back = restore(result.reflectance, result.illumination, result.levels)
        assert back.dtype == channel.dtype.newbyteorder("=")
        np.testing.assert_array_equal(back, channel)


@settings(max_examples=60)
@given(images(FLOATS), images(INTEGERS))
def test_a_channel_of_nan_does_no_harm_to_the_other(odd, good):
    odd, good = np.resize(odd, (6, 7)), np.resize(good, (6, 7))
    try:
        results = enhance_jointly([odd, good], MODELS["stretching"])
    except ValueError as error:  # levels out of all proportion are refused
        assert "level" in str(error)
        return
    back = restore(results[1].reflectance, results[1].illumination, results[1].levels)
    np.testing.assert_array_equal(back, good)
    assert np.isfinite(results[1].reflectance).all()


def test_an_empty_channel_is_named():
    with pytest.raises(ValueError, match="empty"):
        enhance_jointly([np.zeros((2, 0, 5), np.uint8)], MODELS["division"], axis=0)
    with pytest.raises(ValueError, match="two spatial axes"):
        enhance_jointly([np.zeros(5, np.uint8)], MODELS["division"])
    with pytest.raises(TypeError, match="integers, floats or booleans"):
        enhance_jointly([np.zeros((4, 5), complex)], MODELS["division"])
