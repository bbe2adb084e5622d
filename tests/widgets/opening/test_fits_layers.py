import numpy as np
import pytest
from napari.layers import Layer

from napari_lle.widgets.opening import fits_layers
from napari_lle.widgets.opening.fits_layers import fits_reader

fits = pytest.importorskip("astropy.io.fits")
SKY = {
    "CTYPE1": "RA---TAN",
    "CTYPE2": "DEC--TAN",
    "CRPIX1": 10.0,
    "CRPIX2": 5.0,
    "CRVAL1": 85.25,
    "CRVAL2": -2.5,
}
TURNED = {"CD1_1": -2e-4, "CD1_2": 1e-4, "CD2_1": 1e-4, "CD2_2": 2e-4}


@pytest.fixture
def path(tmp_path, rng):
    """An empty primary header, an image on the sky, a mask, a table, and an image of a bench."""
    frame = rng.normal(500, 6, (20, 30)).astype(np.float32)
    frame[3, 4] = np.nan
    hdus = [
        fits.PrimaryHDU(),
        fits.ImageHDU(frame, fits.Header({**SKY, **TURNED}), name="SCI"),
        fits.ImageHDU(np.zeros((20, 30), np.uint8), name="DQ"),
        fits.BinTableHDU.from_columns([fits.Column("a", "J", array=[1, 2])]),
        fits.ImageHDU(rng.integers(0, 9, (3, 8, 9)).astype(np.int16)),
    ]
    bench = {"CTYPE3": "Z", "CUNIT1": "um", "CDELT1": 0.5, "CUNIT2": "um", "CDELT2": 0.5}
    hdus[-1].header.update(bench)
    fits.HDUList(hdus).writeto(tmp_path / "field.fits")
    return tmp_path / "field.fits"


def layers(path):
    return [Layer.create(*made) for made in fits_reader(str(path))(str(path))]


def test_every_image_is_a_layer(path):
    sky, mask, bench = layers(path)
    assert [layer.name for layer in (sky, mask, bench)] == ["field SCI", "field DQ", "field 3"]
    with fits.open(path) as file:
        np.testing.assert_array_equal(sky.data, file["SCI"].data)
        np.testing.assert_array_equal(bench.data, file[4].data)
    assert sky.data.dtype == np.float32 and bench.data.dtype == np.int16
    assert bench.axis_labels == ("z", "y", "x")


def test_scale_and_units_are_those_of_the_header(path):
    sky, mask, bench = layers(path)
    size = 3600 * np.hypot(2e-4, 1e-4)
    np.testing.assert_allclose(sky.scale, size)
    assert [str(unit) for unit in sky.units] == ["arcsecond", "arcsecond"]
    assert mask.scale == pytest.approx(sky.scale) and mask.units == sky.units  # it lies over it
    np.testing.assert_allclose(bench.scale, [1, 0.5, 0.5])
    assert [str(unit) for unit in bench.units] == ["pixel", "micrometer", "micrometer"]


def test_world_coordinates_are_in_the_metadata(path):
    sky, mask, _ = layers(path)
    there = sky.metadata["wcs"].pixel_to_world(9, 4)  # counted from 0
    assert (there.ra.deg, there.dec.deg) == pytest.approx((85.25, -2.5))
    assert sky.metadata["extension"] == "SCI" and "CD1_1" in sky.metadata["header"]
    assert "wcs" not in mask.metadata


def test_limits_pass_over_what_is_not_finite(path):
    sky, mask, _ = layers(path)
    low, high = sky.contrast_limits
    assert 470 < low < 500 < high < 530
    assert mask.contrast_limits == [0, 1]


def test_large_images_stay_in_their_file(path, monkeypatch):
    expected = layers(path)[0].data
    monkeypatch.setattr(fits_layers, "LARGEST_LOADED", 0)
    found = layers(path)[0].data
    assert type(found).__module__.startswith("dask")
    np.testing.assert_array_equal(found, expected)


def test_colours_and_bad_coordinates(tmp_path):
    planes = np.zeros((3, 6, 7), np.uint8)
    fits.PrimaryHDU(planes, fits.Header({"CTYPE3": "RGB"})).writeto(tmp_path / "c.fits")
    (colours,) = layers(tmp_path / "c.fits")
    assert colours.rgb and colours.data.shape == (6, 7, 3) and colours.name == "c"
    odd = fits.Header({**SKY, "CD1_1": 0.0, "CD2_2": 0.0})
    fits.PrimaryHDU(planes[0], odd).writeto(tmp_path / "odd.fits")
    (image,) = layers(tmp_path / "odd.fits")
    np.testing.assert_allclose(image.scale, 1)


def test_only_fits_is_offered(path):
    assert fits_reader("a.tif") is None and fits_reader(["a.fits", "b.png"]) is None
    assert len(fits_reader([str(path)] * 2)([str(path)] * 2)) == 6
    assert fits_reader("A.FITS.GZ") is not None
