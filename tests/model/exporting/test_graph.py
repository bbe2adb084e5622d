"""What graphs are recorded from is what the network's own path computes."""

import numpy as np
import pytest
import torch

from napari_lle.model.exporting import graph
from napari_lle.model.exporting.graph import Figures, reflected_edges
from napari_lle.model.network.network import pad
from napari_lle.model.preprocessing import sampling
from napari_lle.model.preprocessing.statistics import SPARED, image_statistics

SHAPES = ((1, 1), (1, 7), (2, 2), (5, 6), (33, 20))


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("radius", [0, 1, 8, 50])
def test_edges_are_mirrored_as_by_the_network(shape, radius):
    x = torch.rand(1, 3, *shape)
    assert torch.equal(reflected_edges(x, radius), pad(x, radius))


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("colours", [1, 3])
@pytest.mark.parametrize("most", [40, sampling.SAMPLE])
def test_statistics_are_those_of_a_sample(shape, colours, most, rng, monkeypatch):
    for module in (graph, sampling):
        monkeypatch.setattr(module, "SAMPLE", most)
    x = 0.9 * rng.random((2, colours, *shape), np.float32) ** 2
    expected = [image_statistics(sampling.sample(np.moveaxis(each, 0, -1), rgb=True)) for each in x]
    found = Figures()(torch.from_numpy(x)).numpy()
    np.testing.assert_allclose(found, np.array(expected), rtol=0, atol=2e-6)


@pytest.mark.parametrize("ground", [0.3, 2, 10])  # 255ths
def test_a_curve_is_made_for_dark_ground_beside_highlights(ground, rng):
    x = rng.uniform(0.5, 1.5, (1, 3, 60, 80)).astype(np.float32) * ground / 255
    x[:, :, :12] = rng.uniform(0.68, 0.72, (3, 12, 80))
    expected = image_statistics(sampling.sample(x[0].transpose(1, 2, 0), rgb=True))
    assert expected.lit == pytest.approx(SPARED)
    found = Figures()(torch.from_numpy(x)).numpy()[0]
    np.testing.assert_allclose(found, expected, rtol=0, atol=2e-6)


@pytest.mark.parametrize("black", [0.42, 0.5, 0.9, 1.0])
@pytest.mark.parametrize("colours", [1, 3])
def test_what_is_typical_of_cut_off_images_is_the_same(black, colours, rng):
    x = rng.uniform(0, 0.3, (2, 1, 60, 70)).astype(np.float32).repeat(colours, 1)
    x *= rng.random((2, 1, 60, 70)) >= black
    expected = [image_statistics(sampling.sample(np.moveaxis(each, 0, -1), rgb=True)) for each in x]
    found = Figures()(torch.from_numpy(x)).numpy()
    np.testing.assert_allclose(found, np.array(expected), rtol=0, atol=2e-6)


def test_grey_images_in_three_colours_have_no_colour(rng):
    grey = torch.from_numpy(rng.random((1, 1, 12, 9), np.float32)).repeat(1, 3, 1, 1)
    assert Figures()(grey)[0, 2] == 0
