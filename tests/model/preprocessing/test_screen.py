import numpy as np
import pytest
import torch

from napari_lle.model.network.blocks import screen_stretch
from napari_lle.model.preprocessing.screen import MIDDLE, STRETCHED, TYPICAL, stretched


@pytest.mark.parametrize("typical", [STRETCHED[0], 0.03, STRETCHED[1]])
def test_it_brings_the_typical_brightness_to_a_quarter(typical):
    statistics = np.zeros(10, np.float32)
    statistics[TYPICAL] = typical
    assert stretched(np.array(typical), statistics) == pytest.approx(MIDDLE, rel=1e-5)


def test_arrays_and_tensors_go_through_one_formula(rng):
    x = rng.normal(0.1, 0.2, (1, 3, 8, 8)).astype(np.float32)
    statistics = np.zeros((1, 12), np.float32)
    statistics[:, TYPICAL] = 0.07
    r = screen_stretch(torch.from_numpy(x), torch.from_numpy(statistics)).numpy()
    np.testing.assert_allclose(stretched(x, statistics[0]), r, rtol=1e-6)
    below = x < 0
    assert below.any() and (stretched(x, statistics[0])[below] < 0).all()
