import numpy as np
import pytest

from napari_lle.model.preprocessing.levels import blocks
from napari_lle.model.preprocessing.statistics import LIFT, SPARED, image_statistics, recorded

rng = np.random.default_rng(0)


def image(pixels):
    """Squares of an image."""
    return blocks(np.asarray(pixels), 2)


def test_grey_has_no_colour_exactly():
    grey = np.repeat(rng.random((20, 30, 1)), 3, axis=2)
    assert image_statistics(image(grey)).colour == 0
    assert image_statistics(image(rng.random((20, 30, 3)))).colour == 1


def test_lit_tells_dark_from_well_exposed():
    scene = rng.random((60, 80, 3))
    assert image_statistics(image(scene)).lit == 1
    assert image_statistics(image(scene / 8)).lit == 0
    # A dark scene with some lamps in it is still dark.
    lamps = scene / 20
    lamps[::6, ::5] = 1
    assert image_statistics(image(lamps)).lit == SPARED


@pytest.mark.parametrize("gain", [1 / 2, 1 / 8, 1 / 64])
def test_all_but_the_mean_do_not_depend_on_exposure(gain):
    scene = rng.random((60, 80, 3)) / 4
    a, b = image_statistics(image(scene)), image_statistics(image(scene * gain))
    assert b.mean == pytest.approx(a.mean * gain)
    for name in ("contrast", "noise", "chroma", "colour"):
        assert getattr(b, name) == pytest.approx(getattr(a, name), abs=2e-3)


def test_noise_is_told_from_gradients():
    ramp = np.linspace(0.1, 0.4, 80)[None, :, None] * np.ones((60, 1, 3))
    grainy = ramp + rng.normal(0, 0.02, ramp.shape)
    a, b = image_statistics(image(ramp)), image_statistics(image(grainy))
    assert a.noise == pytest.approx(np.log(0.01) + 2.2, abs=1e-6)
    # The difference of four deviates of 0.02 has a mean modulus of 2 * 0.02 * sqrt(2 / pi).
    expected = 0.02 * np.sqrt(2 / np.pi) / grainy.mean()
    assert b.noise == pytest.approx(np.log(expected + 0.01) + 2.2, abs=0.05)


@pytest.mark.parametrize("value", [0.0, 1.0])
def test_flat_images_have_finite_figures(value):
    assert np.isfinite(image_statistics(image(np.full((10, 11, 3), value)))).all()


def test_typical_brightness_lies_between_median_and_mean():
    sky = np.full((40, 50, 3), 0.04)
    assert image_statistics(image(sky)).typical == pytest.approx(0.04)
    sky[:4] = 0.9  # a tenth of it: the mean is 0.126
    assert image_statistics(image(sky)).typical == pytest.approx(np.sqrt(0.04 * 0.126))
    sky[4:] = 1e-4
    assert image_statistics(image(sky)).typical == pytest.approx(0.09 / np.sqrt(30), rel=2e-3)


@pytest.mark.parametrize("share", [0.1, 0.25, 0.4])
def test_a_curve_is_adapted_to_what_is_dark_beside_what_is_bright(share):
    """The brightness of the darkest 60 %, wherever the bright part ends."""
    scene = np.full((60, 80, 3), 0.05)
    scene[: round(60 * share)] = 0.7
    found = image_statistics(image(scene))
    assert found.lit == pytest.approx(SPARED)
    assert found.adapted == pytest.approx(LIFT * 0.05)
    dark = image_statistics(image(np.full((60, 80, 3), 0.05)))
    assert dark.lit == 0 and dark.adapted == dark.mean


@pytest.mark.parametrize(("ground", "expected"), [(0.3, 0.03), (1, 0.03), (3, 0.012), (10, None)])
def test_ground_that_holds_rounding_alone_stays_dark_beside_highlights(ground, expected):
    """In 255ths: from 3 on a curve shows all there is, at 1 it shows blocks of compression."""
    scene = np.full((60, 80, 3), ground / 255)
    scene[:12] = 0.7
    found = image_statistics(image(scene))
    assert found.adapted == pytest.approx(expected or LIFT * ground / 255)


def test_records_without_it_were_adapted_to_the_mean():
    values = image_statistics(image(rng.random((20, 30, 3))))._asdict()
    assert recorded(values).adapted == values["adapted"]
    del values["adapted"]
    assert recorded(values).adapted == values["mean"]
