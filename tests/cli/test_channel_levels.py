import numpy as np
import pytest
from helpers.command_line import fails, lle

from napari_lle.model.io.files import read_image, write_image
from napari_lle.model.io.metadata import FileRecord


@pytest.fixture
def cells(tmp_path, rng):
    """Two channels of very different brightness, in a file that names its axes."""
    pixels = (100 + rng.gamma(1, [[[900]], [[45]]], (2, 40, 50))).astype(np.uint16)
    write_image(tmp_path / "cells.tif", pixels, rgb=False, about=FileRecord("CYX"))
    return tmp_path / "cells.tif"


@pytest.mark.parametrize("suffix", [".tif", ".fits", ".zarr"])
def test_channels_between_their_own_levels_come_back(cells, model, tmp_path, suffix):
    r, light, back = (tmp_path / f"{name}{suffix}" for name in ("r", "l", "back"))
    done = lle("enhance", cells, "-o", r, "--illumination", light, "--model", model)
    assert done.returncode == 0, done.stderr
    levels = read_image(r).record["levels"]
    assert levels["axis"] == -3 and levels["white"][0] > 5 * levels["white"][1]
    done = lle("restore", r, light, "-o", back)
    assert done.returncode == 0, done.stderr
    np.testing.assert_array_equal(np.asarray(read_image(back).pixels), read_image(cells).pixels)


def test_a_zarr_is_written_as_a_whole_file_is(cells, model, tmp_path):
    whole, parts = tmp_path / "r.tif", tmp_path / "r.zarr"
    for path in (whole, parts):
        lle("enhance", cells, "-o", path, "--model", model, "--dtype", "float32")
    expected, found = read_image(whole), read_image(parts)
    np.testing.assert_allclose(np.asarray(found.pixels), expected.pixels, rtol=1e-5, atol=1e-6)
    assert found.record["levels"] == expected.record["levels"]


def test_levels_may_be_linked_or_given(cells, model, tmp_path):
    out = tmp_path / "r.tif"
    words = ("enhance", cells, "-o", out, "--model", model, "--dtype", "float32")
    assert lle(*words, "--levels", "linked").returncode == 0
    assert isinstance(read_image(out).record["levels"]["white"], float)
    assert lle(*words, "--black", "90,95", "--white", "4000,400").returncode == 0
    levels = {"black": [90, 95], "white": [4000, 400], "dtype": "uint16", "axis": -3}
    assert read_image(out).record["levels"] == levels
    assert "one for each of 2 channels" in fails(*words, "--black", "1,2,3")
    assert "auto, linked, unlinked" in fails(*words, "--levels", "loose")
    assert "not 'dark'" in fails(*words, "--black", "dark")


def test_black_near_the_sky(tmp_path, rng):
    frame = (rng.normal(500, 6, (64, 64)) + 6 * np.sin(np.arange(64) / 9)).astype(np.float32)
    write_image(tmp_path / "sky.tif", frame, rgb=False)
    out = tmp_path / "r.tif"
    words = ("enhance", tmp_path / "sky.tif", "-o", out, "--dtype", "float32", "--black", "sky")
    for target in ([], ["--sky", "0.1"]):
        assert lle(*words, *target).returncode == 0
        wanted = 0.1 if target else 0.25
        assert np.median(read_image(out).pixels) == pytest.approx(wanted, abs=0.02)
    assert "brightness between 0 and 1" in fails(*words, "--sky", "2")
