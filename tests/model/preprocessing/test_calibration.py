import doctest

import dask.array as da
import numpy as np
import pytest
from typer.testing import CliRunner

from napari_lle.cli.app import app
from napari_lle.model import enhance, restore
from napari_lle.model.io.files import read_image, write_image
from napari_lle.model.preprocessing import calibration as module
from napari_lle.model.preprocessing.calibration import Calibration


@pytest.fixture
def frames(rng):
    """A dark frame with structure, and an unevenly lit, speckled flat field in ADU."""
    y, x = np.mgrid[:40, :50]
    dark = (300 + 20 * (x > 25) + rng.normal(0, 2, x.shape)).astype(np.float32)
    flat = 30000 * np.exp(-((y - 20) ** 2 + (x - 25) ** 2) / 900) * rng.uniform(0.9, 1.1, x.shape)
    return dark, flat.astype(np.uint16)


def test_the_docstring_tells_the_truth():
    assert doctest.testmod(module).failed == 0


def test_dark_and_flat_flatten_a_flat_scene(frames):
    dark, flat = frames
    shape = flat / flat.mean()
    scene = np.rint(5000 * shape + dark).astype(np.uint16)
    calibrated = Calibration.of_frames(scene.dtype, dark, flat).apply(scene)
    assert calibrated.dtype == np.float32
    np.testing.assert_allclose(calibrated, 5000, atol=0.5 / shape.min() + 0.01)


@pytest.mark.parametrize("dtype", ["uint8", "uint16", "int16", "int32", "uint32"])
def test_enhanced_and_restored_the_stored_image_comes_back(dtype, frames, rng, model_file):
    dark, flat = frames
    info = np.iinfo(dtype)
    image = rng.integers(info.min, info.max, (3, 40, 50), endpoint=True).astype(dtype)
    calibration = Calibration.of_frames(image.dtype, dark, flat)
    result = enhance(calibration.apply(image), model_file, rgb=False)
    back = calibration.undo(restore(result.reflectance, result.illumination, result.levels))
    assert back.dtype == image.dtype
    np.testing.assert_array_equal(back, image)


def test_stacks_of_frames_and_dead_pixels(rng):
    darks = rng.normal(100, 5, (15, 20, 30))
    darks[3, 4, 5] = 60000  # a cosmic ray in one of them
    darks[:, 0, 0] = np.nan
    flat = np.ones((20, 30))
    flat[7, 7] = 0
    calibration = Calibration.of_frames("uint16", darks, flat)
    assert calibration.dark.shape == (20, 30)
    assert abs(calibration.dark[4, 5] - 100) < 10
    assert abs(calibration.dark[0, 0] - 100) < 1
    assert calibration.flat[7, 7] == 1
    image = rng.integers(0, 999, (20, 30)).astype(np.uint16)
    np.testing.assert_array_equal(calibration.undo(calibration.apply(image)), image)


def test_a_lazy_image_stays_lazy(frames, rng):
    image = rng.integers(0, 65535, (4, 40, 50)).astype(np.uint16)
    calibration = Calibration.of_frames(image.dtype, *frames)
    lazy = calibration.apply(da.from_array(image, chunks=(1, 20, 50)))
    assert isinstance(lazy, da.Array)
    np.testing.assert_array_equal(lazy.compute(), calibration.apply(image))


def test_wrong_frames_are_named():
    with pytest.raises(ValueError, match="frames of the same size"):
        Calibration.of_frames("uint16", np.zeros((4, 5))).apply(np.zeros((5, 4), np.uint16))
    with pytest.raises(ValueError, match="flat field holds no value"):
        Calibration.of_frames("uint16", None, np.zeros((4, 5)))
    with pytest.raises(ValueError, match="one plane or a stack"):
        Calibration.of_frames("uint16", np.zeros(5))
    with pytest.raises(TypeError, match="complex"):
        Calibration.of_frames("uint16", np.zeros((4, 5), complex))


def test_the_whole_way_from_the_command_line(tmp_path, frames, rng):
    image = rng.integers(0, 4000, (40, 50)).astype(np.uint16)
    names = ("in", "dark", "flat", "calibrated", "r", "l", "restored", "out")
    files = {name: str(tmp_path / f"{name}.tif") for name in names}
    for name, pixels in zip(names, (image, *frames), strict=False):
        write_image(files[name], pixels, rgb=False)
    both = ["--dark", files["dark"], "--flat", files["flat"]]
    for words in (
        ["calibrate", files["in"], *both, "-o", files["calibrated"]],
        ["enhance", files["calibrated"], "--black", "0", "--dtype", "float32", "-o", files["r"]],
        ["restore", files["r"], files["l"], "-o", files["restored"]],
        ["calibrate", files["restored"], *both, "--undo", "uint16", "-o", files["out"]],
    ):
        more = ["--illumination", files["l"]] if words[0] == "enhance" else []
        answer = CliRunner().invoke(app, [*words, *more])
        assert answer.exit_code == 0, answer.output
    back = read_image(files["out"]).pixels
    assert back.dtype == np.uint16
    np.testing.assert_array_equal(back, image)
    answer = CliRunner().invoke(app, ["calibrate", files["in"], "-o", files["out"]])
    assert answer.exit_code == 2
    assert "--dark or --flat" in answer.stderr


def test_the_command_keeps_the_header_and_not_how_numbers_were_stored(tmp_path, rng):
    fits = pytest.importorskip("astropy.io.fits", reason="needs the extra astro")
    raw = rng.integers(1000, 60000, (20, 30)).astype(np.uint16)
    dark = rng.normal(100.3, 2, raw.shape).astype(np.float32)
    header = fits.Header({"OBJECT": "M 13", "CRVAL1": 250.4, "CTYPE1": "RA---TAN"})
    files = {name: str(tmp_path / f"{name}.fits") for name in ("raw", "dark", "made", "back")}
    fits.PrimaryHDU(raw, header).writeto(files["raw"])  # unsigned: stored through BZERO
    fits.PrimaryHDU(dark).writeto(files["dark"])
    for words in (
        [files["raw"], "-o", files["made"]],
        [files["made"], "-o", files["back"], "--undo", "uint16"],
    ):
        answer = CliRunner().invoke(app, ["calibrate", *words, "--dark", files["dark"]])
        assert answer.exit_code == 0, answer.output
    made = fits.getheader(files["made"])
    assert (made["OBJECT"], made["CRVAL1"]) == ("M 13", 250.4)
    assert "dark and flat applied" in str(made["HISTORY"])
    np.testing.assert_allclose(fits.getdata(files["made"]), raw - dark.astype(float), rtol=1e-6)
    back = fits.getdata(files["back"])
    assert back.dtype == np.uint16
    np.testing.assert_array_equal(back, raw)
