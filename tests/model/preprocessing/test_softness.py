"""What is soft, told from what is sharp, and from noise."""

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter

from napari_lle.model.preprocessing.noise import fit_noise
from napari_lle.model.preprocessing.softness import softness

SIDE = 320


def bodies(rng, width=9.0, bright=60):
    """Broad bodies that shine with up to `bright` electrons, over a dark ground."""
    light = np.zeros((SIDE, SIDE))
    light[rng.integers(0, SIDE, 40), rng.integers(0, SIDE, 40)] = 1
    light = gaussian_filter(light, width)
    return 10 + bright * light / light.max()


def exposed(light, rng):
    return rng.poisson(light) + rng.normal(0, 3, light.shape)


def softness_of(image):
    return softness(image, fit_noise(image))


@pytest.fixture
def soft_image(rng):
    return exposed(bodies(rng), rng)


def test_broad_bodies_in_noise_are_soft(soft_image):
    assert softness_of(soft_image) == 1


@pytest.mark.parametrize("bright", [0, 3000])
def test_noise_alone_is_not_and_neither_are_bodies_with_evident_outlines(rng, bright):
    light = bodies(rng, width=1.5, bright=bright)
    assert softness_of(exposed(light, rng)) == 0


def test_a_few_stars_before_a_nebula_make_it_sharp(soft_image, rng):
    stars = np.zeros((SIDE, SIDE))
    stars[20:300:70, 25:300:70] = 1
    stars = gaussian_filter(stars, 1.3)
    assert softness_of(soft_image + rng.poisson(3000 * stars)) == 0


def test_hot_pixels_do_not(soft_image, rng):
    hot = rng.random(soft_image.shape) < 3e-4
    assert softness_of(np.where(hot, soft_image + 5000, soft_image)) > 0.9


def test_other_units_stacks_and_colours_are_told_alike(soft_image):
    assert softness_of(7 * soft_image - 30) == 1
    assert softness_of(np.stack([soft_image] * 3)) == 1
    colours = np.stack([soft_image] * 3, axis=-1)
    assert softness(colours, fit_noise(colours, rgb=True), rgb=True) == 1


@pytest.mark.parametrize(
    "image", [np.zeros((200, 200)), np.full((200, 200), np.nan), np.ones((40, 500))]
)
def test_nothing_to_see_is_not_soft(image):
    assert softness_of(image) == 0
