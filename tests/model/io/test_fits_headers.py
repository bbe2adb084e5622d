"""What FITS keeps besides pixels, seen with astropy."""

import numpy as np
import pytest
from helpers.pictures import RECORD, counts

from napari_lle.model.io.files import (
    FileError,
    read_image,
    write_image,
)

zarr = pytest.importorskip("zarr", reason="needs the extra zarr")
fits = pytest.importorskip("astropy.io.fits", reason="needs the extra astro")


def header():
    cards = {"OBJECT": "M13", "BUNIT": "adu", "CTYPE1": "RA---TAN", "CTYPE2": "DEC--TAN"}
    cards |= {"CRVAL1": 250.42, "CRVAL2": 36.46, "CRPIX1": 5.5, "CD1_1": -1e-4, "CD2_2": 1e-4}
    made = fits.Header(cards)
    made["EXPTIME"] = (30.5, "seconds")
    made.add_history("flat fielded")
    return made


def test_fits_header_and_sky_go_with_a_result(tmp_path):
    fits.PrimaryHDU(counts((20, 30)), header()).writeto(tmp_path / "in.fits")
    picture = read_image(tmp_path / "in.fits")
    out = tmp_path / "out.fits"
    light = counts((20, 30), "float64")
    write_image(out, light, rgb=False, about=picture.about, record=RECORD, history="enhanced")
    with fits.open(out) as file:
        kept = file[0].header
        assert kept["CRVAL1"] == 250.42 and kept["CD1_1"] == -1e-4 and kept["OBJECT"] == "M13"
        assert kept.comments["EXPTIME"] == "seconds" and kept["BITPIX"] == -64
        assert list(kept["HISTORY"]) == ["flat fielded", "enhanced"]
        assert "BZERO" not in kept and kept["BUNIT"] == ""  # a ratio, not counts
    write_image(out, picture.pixels, rgb=False, about=picture.about, history="restored")
    with fits.open(out) as file:
        assert file[0].header["BUNIT"] == "adu" and file[0].header["BZERO"] == 32768
        assert len(file) == 1


def test_scaled_fits_are_stored_as_they_were(tmp_path):
    hdu = fits.PrimaryHDU(counts((20, 30), "int16"), header())
    stored = hdu.data.copy()
    hdu.header["BSCALE"], hdu.header["BZERO"] = 0.02, 100.0
    hdu.writeto(tmp_path / "in.fits", output_verify="silentfix")
    with fits.open(tmp_path / "in.fits", do_not_scale_image_data=True) as file:
        assert (file[0].data == stored).all() and file[0].header["BSCALE"] == 0.02
    picture = read_image(tmp_path / "in.fits")
    np.testing.assert_allclose(picture.pixels, stored * 0.02 + 100, atol=1e-4)
    noisy = picture.pixels * np.float32(1 + 1e-7)
    write_image(tmp_path / "out.fits", noisy, rgb=False, about=picture.about)
    with fits.open(tmp_path / "out.fits", do_not_scale_image_data=True) as file:
        assert (file[0].data == stored).all() and file[0].header["BZERO"] == 100
    lost = picture.pixels.copy()
    lost[3, 4] = np.nan
    write_image(tmp_path / "lost.fits", lost, rgb=False, about=picture.about)
    again = read_image(tmp_path / "lost.fits").pixels
    assert np.isnan(again[3, 4]) and np.isfinite(again).sum() == again.size - 1


def test_fits_images_in_extensions_and_none(tmp_path):
    image = counts((20, 30), "int16")
    parts = [fits.PrimaryHDU(), fits.CompImageHDU(image, compression_type="GZIP_2")]
    fits.HDUList(parts).writeto(tmp_path / "a.fits")
    assert (read_image(tmp_path / "a.fits").pixels == image).all()
    assert (np.asarray(read_image(tmp_path / "a.fits", lazy=True).pixels[5]) == image[5]).all()
    fits.PrimaryHDU().writeto(tmp_path / "none.fits")
    with pytest.raises(FileError, match="holds no image"):
        read_image(tmp_path / "none.fits")
