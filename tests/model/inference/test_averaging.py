import dask.array as da
import numpy as np
import pytest
import tifffile
from typer.testing import CliRunner

from napari_lle.cli.app import app
from napari_lle.model import enhance, enhance_averaged, restore, uncertainty, what_changed
from napari_lle.model.evaluation.fields import cell_field
from napari_lle.model.evaluation.simulate import camera
from napari_lle.model.inference.averaging import axis_and_window, moving_average


@pytest.fixture
def series(rng):
    light = 200 * cell_field(64, rng)
    return camera(np.broadcast_to(light, (7, 64, 64)), rng, offset=100)


def test_means_are_of_the_planes_around_each():
    planes = np.arange(5.0)[:, None, None] * np.ones((5, 2, 3)) ** 2
    expected = [0.5, 1, 2, 3, 3.5]
    for image in (planes, da.from_array(planes, chunks=(2, 2, 3))):
        found = np.asarray(moving_average(image, 0, 3))
        assert found.dtype == np.float32
        np.testing.assert_array_equal(found[:, 0, 0], expected)
    planes[2, 0, 0] = np.nan
    found = moving_average(planes, 0, 3)
    np.testing.assert_array_equal(found[:, 0, 0], [0.5, 0.5, 2, 3.5, 3.5])
    along = moving_average(np.moveaxis(planes, 0, 1), 1, 5)
    assert along.shape == (2, 5, 3)
    assert along[1, 2, 1] == 2


def test_r_is_the_averages_and_l_is_the_planes_own(series):
    result = enhance_averaged(series, 0, 3, model="linear")
    mean = moving_average(series, 0, 3)
    levels = {"black": result.levels.black, "white": result.levels.white}
    expected = enhance(mean, "linear", rgb=False, **levels).reflectance
    np.testing.assert_allclose(result.reflectance, expected, rtol=2e-3, atol=1e-3)
    back = restore(result.reflectance, result.illumination, result.levels)
    assert back.dtype == series.dtype
    np.testing.assert_array_equal(back, series)
    assert result.record["average"] == {"axis": 0, "window": 3}


def test_a_constant_scene_has_less_noise_and_no_more_flicker(series):
    alone = enhance(series, "linear", rgb=False)
    levels = {"black": alone.levels.black, "white": alone.levels.white}
    together = enhance_averaged(series, 0, 5, model="linear", **levels)
    spread = [np.median(r.reflectance.std(axis=0)) for r in (alone, together)]
    assert spread[1] < 0.6 * spread[0]


@pytest.mark.parametrize("dtype", ["uint8", "uint16", "int16", "float32"])
@pytest.mark.parametrize("shape", [(4, 20, 24), (3, 4, 20, 24), (4, 20, 24, 3), (4, 20, 24, 4)])
@pytest.mark.parametrize("strength", [1.0, 0.4])
def test_every_plane_is_restored_exactly(dtype, shape, strength, rng):
    image = rng.integers(0, 200, shape).astype(dtype)
    image[..., 3:6, :][..., ::2] = 0
    rgb = shape[-1] in (3, 4)
    result = enhance_averaged(image, 0, 3, rgb=rgb, strength=strength)
    back = restore(result.reflectance, result.illumination, result.levels)
    if dtype == "float32":
        np.testing.assert_allclose(back, image, rtol=2e-7, atol=2e-5)
    else:
        np.testing.assert_array_equal(back, image)


def test_planes_that_are_not_finite_do_not_spoil_their_neighbours(series):
    image = series.astype(np.float32)
    image[3, 5, 5] = np.nan
    image[3, 6, 6] = np.inf
    result = enhance_averaged(image, 0, 3, model="linear")
    assert np.isfinite(result.reflectance).all()
    back = restore(result.reflectance, result.illumination, result.levels)
    np.testing.assert_allclose(back, image, rtol=2e-7, atol=1e-4)


def test_photographs_are_treated_as_photographs(rng):
    frames = rng.integers(0, 60, (3, 32, 40, 3)).astype(np.uint8)
    result = enhance_averaged(frames, 0, 3, rgb=True)
    assert result.record["model"] == "photo" and result.record["channels"] == "per"
    assert (result.levels.black, result.levels.white) == (0, 255)
    middle = frames.mean(axis=0, dtype=np.float64)
    alone = enhance(middle[None].round().astype(np.uint8), rgb=True).reflectance[0]
    assert np.abs(result.reflectance[1] - alone).mean() < 0.02


def test_lazy_series_stay_lazy_and_equal(series):
    whole = enhance_averaged(series, 0, 3, model="linear")
    lazy = enhance_averaged(da.from_array(series, chunks=(2, 64, 64)), 0, 3, model="linear")
    assert isinstance(lazy.reflectance, da.Array) and isinstance(lazy.illumination, da.Array)
    np.testing.assert_allclose(lazy.reflectance.compute(), whole.reflectance, atol=1e-5)
    back = restore(lazy.reflectance, lazy.illumination, lazy.levels)
    np.testing.assert_array_equal(back.compute(), series)


def test_what_was_averaged_is_known_to_what_follows(series):
    result = enhance_averaged(series, 0, 3, model="linear")
    assert what_changed(result).shape == series.shape
    with pytest.raises(ValueError, match="averaged planes"):
        uncertainty(result)


@pytest.mark.parametrize(
    ("axis", "window", "told"),
    [(1, 3, "no axis 1"), (-1, 3, "no axis -1"), (0, 4, "odd"), (0, 1, "odd")],
)
def test_wrong_axes_and_windows_are_named(series, axis, window, told):
    with pytest.raises(ValueError, match=told):
        enhance_averaged(series, axis, window)


def test_axes_are_named_by_the_user_and_the_file():
    assert axis_and_window("t", "TZYX") == (0, 3)
    assert axis_and_window("z:5", "TZYX") == (1, 5)
    for text, axes in (("c", "CYX"), ("t:x", "TYX"), ("z", "TYX"), ("t", ""), ("", "TYX")):
        with pytest.raises(ValueError, match=r"along t or z|has no axis"):
            axis_and_window(text, axes)


def run(*words):
    return CliRunner().invoke(app, [*map(str, words)])


def test_the_command_averages_and_restores(series, tmp_path):
    file, r, light, back = (tmp_path / f"{n}.tif" for n in ("in", "r", "l", "back"))
    tifffile.imwrite(file, series, imagej=True, metadata={"axes": "TYX"})
    answer = run(
        "enhance", file, "-o", r, "--illumination", light, "--average", "t:5", "--model", "linear"
    )
    assert answer.exit_code == 0, answer.output
    expected = enhance_averaged(series, 0, 5, model="linear").reflectance
    np.testing.assert_allclose(tifffile.imread(r), expected, atol=1e-6)
    assert run("restore", r, light, "-o", back).exit_code == 0
    np.testing.assert_array_equal(tifffile.imread(back), series)


@pytest.mark.parametrize(
    ("average", "out", "told"),
    [("z", "r.tif", "no axis z"), ("t:4", "r.tif", "odd"), ("t", "r.zarr", "Zarr")],
)
def test_what_cannot_be_averaged_is_one_line(series, tmp_path, average, out, told):
    file = tmp_path / "in.tif"
    tifffile.imwrite(file, series, imagej=True, metadata={"axes": "TYX"})
    answer = run("enhance", file, "-o", tmp_path / out, "--average", average)
    assert answer.exit_code == 2
    assert told in answer.stderr and answer.stderr.count("\n") == 1
    assert list(tmp_path.iterdir()) == [file]
