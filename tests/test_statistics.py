import numpy as np
import pytest

from napari_lle.model.statistics import image_statistics

rng = np.random.default_rng(0)


def test_grey_has_no_colour_exactly():
    grey = np.repeat(rng.random((500, 1)), 3, axis=1)
    assert image_statistics(grey).colour == 0
    assert image_statistics(rng.random((500, 3))).colour == 1


def test_lit_tells_dark_from_well_exposed():
    scene = rng.random((5000, 3))
    assert image_statistics(scene).lit == 1
    assert image_statistics(scene / 8).lit == 0
    # A dark scene with some lamps in it is still dark.
    lamps = scene / 20
    lamps[::30] = 1
    assert image_statistics(lamps).lit == 0


@pytest.mark.parametrize("gain", [1 / 2, 1 / 8, 1 / 64])
def test_all_but_mean_and_level_do_not_depend_on_exposure(gain):
    scene = rng.random((5000, 3)) / 4
    a, b = image_statistics(scene), image_statistics(scene * gain)
    assert b.mean == pytest.approx(a.mean * gain)
    for name in ("contrast", "shadow", "chroma", "colour"):
        assert getattr(b, name) == pytest.approx(getattr(a, name), abs=2e-3)


def test_order_and_shape_do_not_matter():
    image = rng.random((20, 30, 3))
    a, b = image_statistics(image), image_statistics(rng.permutation(image.reshape(-1, 3)))
    assert a == pytest.approx(b)


@pytest.mark.parametrize("value", [0.0, 1.0])
def test_flat_images_have_finite_figures(value):
    assert np.isfinite(image_statistics(np.full((10, 3), value))).all()
