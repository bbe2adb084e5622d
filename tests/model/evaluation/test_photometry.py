"""Our photometry against photutils, on the same stars."""

import numpy as np
import pytest

from napari_lle.model.evaluation.photometry import ANNULUS, APERTURE, KERNEL, detect, fluxes
from napari_lle.model.evaluation.simulate import expose, star_field

aperture = pytest.importorskip("photutils.aperture", reason="extra astro is not installed")


@pytest.fixture(scope="module")
def field():
    rng = np.random.default_rng(5)
    stars = star_field(256, (3e3, 3e5), rng)
    return stars, expose(stars.light, rng).astype(float)


def test_fluxes_are_those_of_photutils(field):
    stars, image = field
    places = np.stack([stars.columns, stars.rows], axis=1)
    sums = aperture.aperture_photometry(
        image, aperture.CircularAperture(places, APERTURE), method="center"
    )["aperture_sum"]
    rings = aperture.CircularAnnulus(places, *ANNULUS)
    sky = aperture.ApertureStats(image, rings, sum_method="center").median
    pixels = aperture.ApertureStats(
        image, aperture.CircularAperture(places, APERTURE), sum_method="center"
    ).sum_aper_area.value
    expected = np.asarray(sums) - sky * pixels
    np.testing.assert_allclose(fluxes(image, stars.rows, stars.columns), expected, rtol=2e-3)


def test_detections_are_those_of_photutils(field):
    from photutils.detection import find_peaks
    from scipy.ndimage import gaussian_filter

    _, image = field
    smooth = gaussian_filter(image, KERNEL, mode="reflect")
    middle = np.median(smooth)
    spread = 1.4826 * np.median(np.abs(smooth - middle))
    table = find_peaks(smooth, middle + 5 * spread, box_size=5)
    theirs = {(int(r), int(c)) for c, r in zip(table["x_peak"], table["y_peak"], strict=True)}
    assert {tuple(map(int, place)) for place in detect(image)} == theirs
