"""FITS of every BITPIX with BZERO, BLANK and extensions, against astropy and known numbers."""

import warnings

import numpy as np
import pytest

from napari_lle.model.io.files import FileError, read_image, write_image

fits = pytest.importorskip("astropy.io.fits", reason="needs the extra astro")
rng = np.random.default_rng(0)


def stored(bits):
    kind = np.dtype("u1" if bits == 8 else f"i{bits // 8}")
    limits = np.iinfo(kind)
    numbers = rng.integers(limits.min, limits.max, (9, 11), kind, endpoint=True)
    numbers[2, 3] = 7
    return numbers


def zero_of(bits, zero):
    return (-128 if bits == 8 else 2 ** (bits - 1)) if zero == "unsigned" else zero


def raw_file(file, numbers, zero, blank, scale=1):
    fits.PrimaryHDU(numbers).writeto(file, overwrite=True)
    with fits.open(file, mode="update", do_not_scale_image_data=True) as hdus:
        header = hdus[0].header
        header["BSCALE"], header["BZERO"] = scale, zero
        if blank is not None:
            header["BLANK"] = blank
    return file


@pytest.mark.parametrize("lazy", [False, True])
@pytest.mark.parametrize("bits", [8, 16, 32, 64])
@pytest.mark.parametrize("zero", [0, "unsigned"])
@pytest.mark.parametrize("blank", [None, 7])
def test_integers_come_back_as_they_are_stored(tmp_path, lazy, bits, zero, blank):
    if bits == 64 and blank is not None:
        numbers = stored(bits) >> 12  # what float64 holds beside NaN
        numbers[2, 3] = 7
    else:
        numbers = stored(bits)
    zero = zero_of(bits, zero)
    if bits == 64 and blank is not None and zero:
        zero = 0
    file = raw_file(tmp_path / "a.fits", numbers, zero, blank)
    picture = read_image(file, lazy=lazy)
    pixels = np.asarray(picture.pixels)
    expected = numbers.astype(object) + zero
    lost = numbers == blank if blank is not None else np.zeros(numbers.shape, bool)
    assert (pixels[~lost].astype(object) == expected[~lost]).all()
    assert pixels.dtype.kind == ("f" if blank is not None else pixels.dtype.kind)
    assert np.isnan(pixels[lost]).all() if blank is not None else not lost.any()
    write_image(tmp_path / "o.fits", pixels, rgb=False, about=picture.about)
    with fits.open(tmp_path / "o.fits", do_not_scale_image_data=True) as out:
        assert (out[0].data == numbers).all() and out[0].header["BITPIX"] == bits
        assert out[0].header.get("BLANK") == blank


@pytest.mark.parametrize("suffix", [".fits", ".fit", ".fts", ".fits.gz", ".fits.fz"])
@pytest.mark.parametrize("dtype", ["u1", "i2", "u2", "i4", "f4", "f8"])
def test_every_name_holds_every_dtype(tmp_path, suffix, dtype):
    image = (rng.normal(size=(9, 11)) * 100).astype("f8").clip(0, 200).astype(dtype)
    write_image(tmp_path / f"a{suffix}", image, rgb=False, record={"model": "x"})
    for lazy in (False, True):
        picture = read_image(tmp_path / f"a{suffix}", lazy=lazy)
        pixels = np.asarray(picture.pixels)
        assert pixels.dtype == image.dtype and (pixels == image).all()
        assert picture.record == {"model": "x"} and picture.images == 1
    with fits.open(tmp_path / f"a{suffix}") as file:
        assert (file[1 if suffix.endswith(".fz") else 0].data == image).all()


def test_the_primary_header_goes_with_an_extension(tmp_path):
    primary = fits.PrimaryHDU()
    primary.header["EXPTIME"], primary.header["OBJECT"] = 30.0, "of the file"
    primary.header["DATE-OBS"] = "2020-01-02T03:04:05"
    primary.header.add_history("of the file")
    science = fits.ImageHDU(np.ones((9, 11), "f4"), name="SCI")
    science.header["OBJECT"], science.header["GAIN"] = "of the image", 1.5
    fits.HDUList([primary, science]).writeto(tmp_path / "a.fits")
    picture = read_image(tmp_path / "a.fits")
    assert picture.about.taken == "2020-01-02T03:04:05"
    write_image(tmp_path / "o.fits", picture.pixels, rgb=False, about=picture.about)
    with warnings.catch_warnings(), fits.open(tmp_path / "o.fits") as out:
        header = out[0].header
        assert header["EXPTIME"] == 30 and header["GAIN"] == 1.5
        assert header["OBJECT"] == "of the image" and list(header["HISTORY"]) == ["of the file"]


def test_an_image_in_front_is_no_header_of_the_others(tmp_path):
    first = fits.PrimaryHDU(np.zeros((9, 11), "f4"))
    first.header["EXPTIME"] = 30.0
    others = [fits.ImageHDU(np.full((9, 11), i, "f4")) for i in (1, 2)]
    others[1].header["INHERIT"] = True
    fits.HDUList([first, *others]).writeto(tmp_path / "a.fits")
    pictures = [read_image(tmp_path / "a.fits", image=n) for n in (1, 2, 3)]
    assert [p.pixels[0, 0] for p in pictures] == [0, 1, 2]
    assert ["EXPTIME" in p.about.header for p in pictures] == [True, False, True]
    with pytest.raises(FileError, match="images 1 to 3: there is no image 4"):
        read_image(tmp_path / "a.fits", image=4)
