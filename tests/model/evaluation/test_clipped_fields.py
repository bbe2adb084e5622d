from types import SimpleNamespace

import numpy as np
from scipy.ndimage import gaussian_filter

from napari_lle.model import enhance
from napari_lle.model.evaluation.checks import stretch_model
from napari_lle.model.evaluation.clipped_fields import clipped_fields, filaments_in_a_body


def plain(image):
    return enhance(image, stretch_model(), rgb=False, device="cpu")


def test_light_spread_over_black_is_found():
    def spreading(image):
        shown = plain(image).reflectance
        return SimpleNamespace(reflectance=shown + gaussian_filter(shown, 30))

    glow, detections = clipped_fields(spreading, plain, seeds=1)
    assert glow["verdict"] == "fail"
    assert glow["beside"]["plain stretch"] < 0.01
    assert detections["verdict"] == "pass"


def test_what_is_found_in_black_is_found_out():
    def inventing(image):
        shown = plain(image).reflectance.copy()
        shown[::16, ::16] += 60 * shown.std()
        return SimpleNamespace(reflectance=shown)

    _, detections = clipped_fields(inventing, plain, seeds=1)
    assert detections["verdict"] == "fail"


def test_science_leaves_black_black():
    def science(image):
        return enhance(image, model="science", rgb=False, device="cpu")

    assert [each["verdict"] for each in clipped_fields(science, plain, seeds=2)] == ["pass"] * 2


def test_a_body_lies_in_black(rng):
    light, distance = filaments_in_a_body(rng)
    assert (light[distance > 0] == 0).all()
    assert light[distance == 0].min() >= 10
    assert np.ptp(light[distance == 0]) > 50
