import dask.array as da
import numpy as np
import pytest

from napari_lle.model import enhance, enhance_flattened, restore, what_changed
from napari_lle.model.inference.flattening import how_and_degree
from napari_lle.model.io.files import read_image, write_image
from napari_lle.model.preprocessing.background import Background

pytest.importorskip("photutils")


@pytest.fixture
def field(rng):
    """A star field under a glow that is far brighter at one side, uint16."""
    image = 400 + np.linspace(0, 600, 96) + rng.normal(0, 6, (80, 96))
    image[::11, ::13] += rng.uniform(100, 5000, image[::11, ::13].shape)
    return image.astype(np.uint16)


@pytest.mark.parametrize("how", ["subtract", "divide"])
@pytest.mark.parametrize("kind", ["plane", "float", "stack", "colours", "alpha", "channels"])
def test_the_image_comes_back_bit_for_bit(field, how, kind):
    images = {
        "plane": field,
        "float": field.astype(np.float32) + 0.25,
        "stack": np.stack([field, field[::-1]]),
        "colours": np.stack([field, field // 2, field[::-1]], -1),
        "alpha": np.stack([field, field // 2, field[::-1], field], -1),
        "channels": np.stack([field, field // 4]),
    }
    image = images[kind]
    axis = {"channel_axis": 0} if kind == "channels" else {}
    result = enhance_flattened(image, how, 1, model="linear", strength=0.9, **axis)
    assert result.reflectance.shape == image.shape
    back = restore(result.reflectance, result.illumination, result.record["levels"])
    if kind == "float":
        np.testing.assert_allclose(back, image, rtol=2e-7)
    else:
        np.testing.assert_array_equal(back, image)
    assert result.record["background"]["how"] == how


def test_r_is_of_the_flattened_image(field):
    result = enhance_flattened(field, "subtract", 1, model="linear")
    sides = [np.median(result.reflectance[:, part]) for part in (np.s_[:20], np.s_[-20:])]
    assert sides[0] == pytest.approx(sides[1], abs=0.05)
    before = enhance(field, "linear").reflectance
    assert np.median(before[:, -20:]) > np.median(before[:, :20]) + 0.2
    background = Background.of_record(result.record["background"])
    again = enhance_flattened(field, "subtract", background, model="linear")
    np.testing.assert_array_equal(again.reflectance, result.reflectance)
    assert again.record == result.record
    flat = background.flatten(field, "subtract")
    levels = {"black": result.levels.black, "white": result.levels.white}
    expected = enhance(flat, "linear", **levels).reflectance
    np.testing.assert_allclose(expected, result.reflectance, atol=1e-5)


def test_the_command_line(field, tmp_path):
    from helpers.command_line import fails, lle

    write_image(tmp_path / "in.tif", field, rgb=False)
    r, light, glow, back = (tmp_path / f"{n}.tif" for n in ("r", "l", "glow", "back"))
    words = ["enhance", tmp_path / "in.tif", "-o", r, "--model", "linear"]
    beside = ["--illumination", light, "--background-image", glow]
    done = lle(*words, "--background", "subtract:1", *beside)
    assert done.returncode == 0, done.stderr
    assert lle("restore", r, light, "-o", back).returncode == 0
    np.testing.assert_array_equal(read_image(back).pixels, field)
    surface = read_image(glow).pixels
    assert surface[40, -1] - surface[40, 0] == pytest.approx(600, rel=0.05)
    assert read_image(r).record["background"]["degree"] == 1
    assert "subtract or divide" in fails(*words, "--background", "blur")
    assert "goes with --background" in fails(*words, "--background-image", glow)
    both = ("--background", "divide", "--average", "t")
    assert "do not go together" in fails(*words, *both)
    zarr = [*words[:3], tmp_path / "r.zarr", "--background", "divide"]
    assert "--background does not go with a Zarr" in fails(*zarr)


def test_what_does_not_go_is_told(field):
    assert how_and_degree("divide:3") == ("divide", 3) and how_and_degree("subtract")[1] == 2
    with pytest.raises(ValueError, match="in memory"):
        enhance_flattened(da.from_array(field), "subtract")
    with pytest.raises(ValueError, match="one of subtract, divide"):
        enhance_flattened(field, "blur")
    with pytest.raises(ValueError, match="no such map"):
        what_changed(enhance_flattened(field, "subtract", model="linear"))
