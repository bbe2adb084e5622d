"""Files of several images: all are enhanced and restored where the output can hold them."""

import numpy as np
import pytest
import tifffile
from astropy.io import fits
from helpers.command_line import fails, lle
from PIL import Image

from napari_lle.model.io.files import Output, read_image, read_images, write_images


@pytest.fixture
def pixels(rng):
    return [rng.integers(20, 900 + 300 * i, (32 + 4 * i, 40)).astype(np.uint16) for i in range(3)]


def series(path, pixels):
    with tifffile.TiffWriter(path, ome=True) as file:
        for i, each in enumerate(pixels):
            size = {"PhysicalSizeX": 0.1 * (i + 1), "PhysicalSizeY": 0.1 * (i + 1)}
            file.write(each, metadata={"axes": "YX", "Name": f"place {i}", **size})


def chips(path, pixels):
    primary = fits.PrimaryHDU()
    primary.header["TELESCOP"] = "Seestar"
    hdus = [fits.ImageHDU(each, name=f"CCD{i}") for i, each in enumerate(pixels)]
    fits.HDUList([primary, *hdus]).writeto(path)


@pytest.mark.parametrize(("make", "suffix"), [(series, ".ome.tif"), (chips, ".fits")])
@pytest.mark.parametrize("to", [".tif", ".fits", ".fits.fz"])
def test_all_images_are_enhanced_and_come_back(tmp_path, model, pixels, make, suffix, to):
    source, r, light = (tmp_path / f"{n}{e}" for n, e in (("in", suffix), ("r", to), ("l", to)))
    make(source, pixels)
    done = lle("enhance", source, "-o", r, "--illumination", light, "--model", model)
    assert done.returncode == 0 and f"{r.name}: 3 images" in done.stdout and not done.stderr
    back = tmp_path / f"back{suffix}"
    assert lle("restore", r, light, "-o", back).returncode == 0
    for i, (again, first) in enumerate(zip(read_images(back), read_images(source), strict=True)):
        np.testing.assert_array_equal(again.pixels, pixels[i])
        assert again.about.size("X") == first.about.size("X")
    alone = tmp_path / "alone.tif"
    lle("enhance", source, "-o", alone, "--image", 2, "--model", model, "--dtype", "float32")
    np.testing.assert_array_equal(read_image(alone).pixels, read_image(r, image=2).pixels)


def test_what_headers_and_names_say_stays_with_each_image(tmp_path, model, pixels):
    chips(tmp_path / "in.fits", pixels)
    lle("enhance", tmp_path / "in.fits", "-o", tmp_path / "r.fits", "--model", model)
    with fits.open(tmp_path / "r.fits") as file:
        names = [hdu.header["EXTNAME"] for hdu in file]
        assert names[:3] == [f"CCD{i} reflectance" for i in range(3)]
        assert names[3:] == ["NAPARI_LLE", "PROVENANCE"] * 3
        assert all(hdu.header["TELESCOP"] == "Seestar" for hdu in file[:3])
    series(tmp_path / "in.tif", pixels)
    lle("enhance", tmp_path / "in.tif", "-o", tmp_path / "r.tif", "--model", model)
    found = read_images(tmp_path / "r.tif")
    ending = "(reflectance, not for measuring)"
    assert [p.about.name for p in found] == [f"place {i} {ending}" for i in range(3)]
    whites = [p.record["levels"]["white"] for p in found]
    assert len(set(whites)) == 3  # each has its own levels, and its own record


def test_one_of_several_is_restored_by_its_number(tmp_path, model, pixels):
    series(tmp_path / "in.tif", pixels)
    names = [tmp_path / n for n in ("r.tif", "l.tif")]
    words = ("enhance", tmp_path / "in.tif", "-o", names[0], "--illumination", names[1])
    assert lle(*words, "--model", model).returncode == 0
    assert lle("restore", *names, "-o", tmp_path / "b.png", "--image", 3).returncode == 0
    np.testing.assert_array_equal(read_image(tmp_path / "b.png").pixels, pixels[2])
    done = lle("restore", *names, "-o", tmp_path / "a.png")
    assert done.returncode == 0 and "image 1 of 3: choose with --image N" in done.stderr
    assert "holds images 1 to 3" in fails("restore", *names, "-o", tmp_path / "c.png", "--image", 4)
    lle(*words[:2], "-o", tmp_path / "one.tif", "--dtype", "float32", "--image", 1)
    told = fails("restore", names[0], tmp_path / "one.tif", "-o", tmp_path / "d.tif")
    assert "one holds 3 images, the other 1" in told


@pytest.mark.parametrize("to", [".png", ".zarr"])
def test_where_the_output_holds_one_the_user_is_told(tmp_path, model, pixels, to):
    series(tmp_path / "in.tif", pixels)
    out = tmp_path / f"out{to}"
    done = lle("enhance", tmp_path / "in.tif", "-o", out, "--model", model)
    assert done.returncode == 0 and "image 1 of 3: choose with --image N" in done.stderr
    assert read_image(out).pixels.shape == (32, 40)
    assert lle("enhance", tmp_path / "in.tif", "-o", out, "--image", 2).returncode == 0
    assert read_image(out).pixels.shape == (36, 40)


def test_frames_of_a_moving_picture_are_one_stack_of_common_levels(tmp_path, model, rng):
    frames = [rng.integers(0, 40 + 60 * i, (24, 30)).astype(np.uint8) for i in range(3)]
    first, *others = map(Image.fromarray, frames)
    first.save(tmp_path / "in.png", save_all=True, append_images=others)
    words = ("enhance", tmp_path / "in.png", "-o", tmp_path / "r.tif", "--model", model)
    assert lle(*words).returncode == 0
    found = read_image(tmp_path / "r.tif")
    assert found.about.axes == "TYX" and found.pixels.shape == (3, 24, 30) and found.images == 1


def test_calibrate_takes_all_images(tmp_path, pixels):
    same = [pixels[0], pixels[0] + 5]
    series(tmp_path / "in.tif", same)
    tifffile.imwrite(tmp_path / "dark.tif", np.full((32, 40), 7, np.uint16))
    words = ("calibrate", tmp_path / "in.tif", "--dark", tmp_path / "dark.tif")
    assert lle(*words, "-o", tmp_path / "out.tif").returncode == 0
    for each, before in zip(read_images(tmp_path / "out.tif"), same, strict=True):
        np.testing.assert_allclose(each.pixels, before.astype(float) - 7)


def test_a_format_of_one_image_refuses_more(tmp_path, pixels):
    images = [Output(each, False) for each in pixels]
    with pytest.raises(ValueError, match="holds one image, not 3"):
        write_images(tmp_path / "a.png", images)
    assert not list(tmp_path.iterdir())


def test_lost_opacity_is_told(tmp_path, model, rng):
    image = Image.fromarray(rng.integers(0, 90, (24, 30, 4)).astype(np.uint8))
    image.save(tmp_path / "in.png")
    done = lle("enhance", tmp_path / "in.png", "-o", tmp_path / "r.jpg", "--model", model)
    assert "without alpha, which .jpg does not hold" in done.stdout
    done = lle("enhance", tmp_path / "in.png", "-o", tmp_path / "r.webp", "--model", model)
    assert done.returncode == 0 and "alpha" not in done.stdout
