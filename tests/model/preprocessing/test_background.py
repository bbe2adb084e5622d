import json

import numpy as np
import pytest

from napari_lle.model import find_background
from napari_lle.model.preprocessing import background
from napari_lle.model.preprocessing.background import Background

pytest.importorskip("photutils")
SIDE = 160
ROWS, COLUMNS = np.mgrid[-1 : 1 : SIDE * 1j, -1 : 1 : SIDE * 1j]
TRUTHS = {
    0: np.full((SIDE, SIDE), 500.0),
    1: 500 + 80 * COLUMNS - 30 * ROWS,
    2: 500 + 60 * COLUMNS * ROWS - 50 * ROWS**2 + 30 * COLUMNS,
    3: 500 + 40 * COLUMNS**3 - 30 * ROWS * COLUMNS**2,
}


def objects(rng):
    """Stars, and a nebula that takes an eighth of the image."""
    found = 150 * np.exp(-((ROWS - 0.3) ** 2 + (COLUMNS + 0.3) ** 2) / 0.05)
    for y, x, bright in zip(*rng.uniform(0, SIDE, (2, 40)), rng.pareto(1, 40) * 100, strict=True):
        rows, columns = np.ogrid[:SIDE, :SIDE]
        found += bright * np.exp(-((rows - y) ** 2 + (columns - x) ** 2) / 8)
    return found


@pytest.mark.parametrize("degree", TRUTHS)
def test_objects_do_not_bend_it(rng, degree):
    """Within a seventh of the noise, where the objects are far more."""
    truth = TRUTHS[degree]
    image = truth + objects(rng) + rng.normal(0, 6, truth.shape)
    found = find_background(image, max(degree, 1)).surface()
    assert np.sqrt(np.mean((found - truth) ** 2)) < 0.9
    assert np.median(image - truth) > 2


@pytest.mark.parametrize("degree", TRUTHS)
def test_a_polynomial_is_found_as_it_is(degree):
    found = find_background(TRUTHS[degree], degree)
    np.testing.assert_allclose(found.surface(), TRUTHS[degree], atol=0.5)


def test_large_planes_are_looked_at_reduced(rng, monkeypatch):
    truth = TRUTHS[2][:, :131]
    image = truth + rng.normal(0, 6, truth.shape)
    monkeypatch.setattr(background, "MOST_LOOKED_AT", 2000)
    np.testing.assert_allclose(find_background(image, 2).surface(), truth, atol=2)
    image[3, 5] = np.nan
    np.testing.assert_allclose(find_background(image, 2).surface(), truth, atol=2)


def test_each_plane_and_colour_has_its_own(rng):
    stack = np.stack([TRUTHS[1], TRUTHS[2]]) + rng.normal(0, 3, (2, SIDE, SIDE))
    found = find_background(stack, 2)
    assert found.surface().shape == stack.shape and len(found.coefficients) == 2
    colours = np.stack([TRUTHS[1], TRUTHS[2], TRUTHS[0], TRUTHS[0]], -1)
    surface = find_background(colours, 2, rgb=True).surface()
    assert surface.shape == (SIDE, SIDE, 3)
    np.testing.assert_allclose(surface[..., 1], TRUTHS[2], atol=0.5)


def test_what_is_not_finite_is_passed_over(rng):
    image = TRUTHS[1] + rng.normal(0, 3, TRUTHS[1].shape)
    image[:30], image[40, 40] = np.nan, np.inf
    np.testing.assert_allclose(find_background(image, 1).surface(), TRUTHS[1], atol=2)
    with pytest.raises(ValueError, match="no values that are finite"):
        find_background(np.full((9, 9), np.nan))


@pytest.mark.parametrize("shape", [(1, 1), (3, 200), (5, 5)])
def test_small_images(rng, shape):
    image = rng.normal(500, 3, shape)
    assert np.abs(find_background(image, 1).surface() - 500).max() < 30
    assert find_background(np.full(shape, 7, np.uint8)).surface() == pytest.approx(7)


@pytest.mark.parametrize("how", ["subtract", "divide"])
def test_a_flattened_image_is_flat_and_as_bright(rng, how):
    shape = 1 - 0.4 * (ROWS**2 + COLUMNS**2) / 2
    signal = 500 + objects(rng)
    image = signal * shape if how == "divide" else signal + 300 * (shape - 1)
    image = (image + rng.normal(0, 2, image.shape)).astype(np.float32)
    flat = find_background(image, 2).flatten(image, how)
    assert flat.dtype == np.float32
    corner, middle = flat[:20, :20], flat[70:90, 70:90]
    assert np.median(corner) == pytest.approx(np.median(middle), abs=4)
    assert abs(np.median(image[:20, :20]) - np.median(image[70:90, 70:90])) > 60
    assert np.median(flat) == pytest.approx(np.median(image), rel=0.05)


def test_a_record_is_the_same_again():
    found = find_background(TRUTHS[2].astype(np.uint16), 2)
    again = Background.of_record(json.loads(json.dumps({**found.as_record(), "how": "subtract"})))
    assert again == found


def test_what_cannot_be_is_told():
    with pytest.raises(ValueError, match="0 to 6, not 9"):
        find_background(TRUTHS[0], 9)
    with pytest.raises(ValueError, match="subtract it instead"):
        find_background(TRUTHS[1] - 500, 1).flatten(TRUTHS[1], "divide")
    with pytest.raises(ValueError, match="empty"):
        find_background(np.zeros((0, 5)))
    with pytest.raises(TypeError):
        find_background(np.zeros((5, 5), complex))
