"""What is known of a layer before a run: of a lazy one, the same as of one in memory."""

import dask.array as da
import numpy as np
import pytest
from helpers.running import last
from napari.layers import Image

from napari_lle.model.inference.options import EnhanceOptions
from napari_lle.widgets.enhance.found import found_steps
from napari_lle.widgets.enhance.subject import Subject


@pytest.mark.parametrize("linked", ["auto", "linked"])
@pytest.mark.parametrize("axis", [0, 1])
def test_levels_of_an_axis_of_channels_in_chunks(rng, linked, axis):
    channels = rng.gamma(2, 90, (2, 3, 40, 50)) * np.reshape((1, 0.1), (2, 1, 1, 1))
    image = np.moveaxis((20 + channels).astype(np.uint16), 0, axis)
    options = EnhanceOptions(model="linear", rgb=False, channel_axis=axis, levels=linked)

    def found(data):
        subject = Subject((Image(data, contrast_limits=(0, 900)),), (0, 1, 2, 3), options)
        return last(found_steps(subject))

    lazy, eager = found(da.from_array(image, chunks=(1, 1, 40, 50))), found(image)
    assert lazy.levels == eager.levels and len(lazy.levels.each) == (2 if linked == "auto" else 1)
    assert lazy.below == eager.below == pytest.approx(0.001, abs=0.001)
    np.testing.assert_array_equal(np.sort(lazy.values), np.sort(eager.values))
    assert not lazy.blank


def test_channels_of_one_value_each_are_not_blank(model_file):
    image = np.stack([np.full((8, 9), 3), np.full((8, 9), 5)]).astype(np.uint16)
    options = EnhanceOptions(model=str(model_file), rgb=False, channel_axis=0)
    subject = Subject((Image(image),), (0, 1, 2), options)
    assert last(found_steps(subject)).blank == ""
    subject = Subject((Image(image * 0 + 4),), (0, 1, 2), options)
    assert last(found_steps(subject)).blank == "is 4 everywhere"
