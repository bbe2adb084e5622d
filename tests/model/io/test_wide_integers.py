"""What restore says of integers that float64 cannot tell apart, and what comes back exactly."""

import numpy as np
import pytest
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
