"""The check of soft fields finds invention, and what it costs faint points."""

from types import SimpleNamespace

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter

from napari_lle.model.evaluation.simulate import expose
from napari_lle.model.evaluation.soft_fields import EMPTY, GROUND_ELECTRONS, bodies, soft_fields
from napari_lle.model.preprocessing.noise import fit_noise
from napari_lle.model.preprocessing.softness import softness


def showing(change):
    return lambda image: SimpleNamespace(reflectance=change(image.astype(float)))


@pytest.fixture(scope="module")
def light():
    return bodies(np.random.default_rng(3))


def test_the_fields_are_soft_and_nothing_is_beside_the_bodies(light, rng):
    image = expose(light, rng)
    assert softness(image, fit_noise(image)) == 1
    np.testing.assert_allclose(light[EMPTY], GROUND_ELECTRONS, atol=1e-3)


def test_what_shows_the_input_passes_and_keeps_every_point():
    same = showing(lambda image: image)
    found, complete = soft_fields(same, same, seeds=1)
    assert found["verdict"] == "pass" and found["value"] == 0
    assert complete["value"] == complete["beside"]["matched filter"] > 0.5


def test_invented_points_fail_and_blurred_ones_are_missed():
    def inventive(image):
        image = image.copy()
        image[20::40, 320::40] += 500
        return image

    same = showing(lambda image: image)
    assert soft_fields(showing(inventive), same, seeds=1)[0]["verdict"] == "fail"
    complete = soft_fields(showing(lambda i: gaussian_filter(i, 6)), same, seeds=1)[1]
    assert complete["value"] < complete["beside"]["matched filter"] - 0.2
