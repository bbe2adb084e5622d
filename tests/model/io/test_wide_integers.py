"""What restore says of integers that float64 cannot tell apart, and what comes back exactly."""

import numpy as np
import pytest
from helpers.command_line import lle
from helpers.models import random_model

from napari_lle.cli.restoring import restore_file
from napari_lle.model.inference.enhance import enhance
from napari_lle.model.io.files import read_image, write_image


@pytest.mark.parametrize("dtype", ["int64", "uint64"])
@pytest.mark.parametrize(("bits", "exact"), [(49, True), (60, False)])
def test_rounding_is_said(tmp_path, dtype, bits, exact):
    rng = np.random.default_rng(0)
    image = rng.integers(0, 2**bits, (40, 50)).astype(dtype)
    result = enhance(image, random_model())
    for name, pixels in (("r", result.reflectance), ("l", result.illumination)):
        record = {**result.record, "levels": vars(result.levels)}
        write_image(tmp_path / f"{name}.tif", pixels, rgb=False, record=record)
    said = restore_file(tmp_path / "r.tif", tmp_path / "l.tif", tmp_path / "s.tif")
    assert ("beyond 2^50 are rounded" in said) != exact
    if exact:
        assert (read_image(tmp_path / "s.tif").pixels == image).all()


@pytest.mark.parametrize(("top", "told"), [(2**40, False), (2**62, True)])
def test_integers_some_of_which_stand_for_none(tmp_path, top, told):
    """BLANK makes floats of them: beyond 2^50 these are rounded, and that is said."""
    fits = pytest.importorskip("astropy.io.fits", reason="needs the extra astro")
    values = np.random.default_rng(0).integers(0, top, (20, 30))
    values[3, 3] = -1
    hdu = fits.PrimaryHDU(values)
    hdu.header["BLANK"] = -1
    hdu.writeto(tmp_path / "in.fits")
    words = ("-o", tmp_path / "r.tif", "--illumination", tmp_path / "l.tif", "--device", "cpu")
    assert lle("enhance", tmp_path / "in.fits", *words).returncode == 0
    line = restore_file(tmp_path / "r.tif", tmp_path / "l.tif", tmp_path / "back.fits")
    assert ("values beyond 2^50 are rounded" in line) == told
    with fits.open(tmp_path / "back.fits", do_not_scale_image_data=True) as file:
        assert file[0].data[3, 3] == -1 and file[0].header["BITPIX"] == 64
        assert told or (file[0].data == values).all()
