import numpy as np
import pytest
import tifffile
from PIL import Image

from napari_lle.model.io.files import FileError, check_format, read_image, write_image

rng = np.random.default_rng(0)


def pixels(dtype, shape):
    if np.dtype(dtype).kind == "f":
        return rng.normal(size=shape).astype(dtype)
    return rng.integers(0, np.iinfo(dtype).max, shape, endpoint=True).astype(dtype)


@pytest.mark.parametrize(
    ("suffix", "dtype", "shape", "rgb"),
    [
        (".png", "uint8", (9, 11), False),
        (".png", "uint8", (9, 11, 3), True),
        (".png", "uint8", (9, 11, 4), True),
        (".png", "uint16", (9, 11), False),
        (".png", "uint16", (9, 11, 3), True),
        (".webp", "uint8", (9, 11, 3), True),
        (".tif", "uint8", (9, 11, 3), True),
        (".tif", "uint16", (4, 9, 11), False),
        (".tiff", "uint16", (4, 9, 11, 3), True),
        (".TIF", "float32", (9, 11), False),
        (".tif", "int16", (2, 3, 9, 11), False),
    ],
)
def test_lossless_round_trips(tmp_path, suffix, dtype, shape, rgb):
    image = pixels(dtype, shape)
    write_image(tmp_path / f"a{suffix}", image, rgb=rgb)
    picture = read_image(tmp_path / f"a{suffix}")
    assert picture.rgb == rgb
    assert picture.pixels.dtype == image.dtype
    assert (picture.pixels == image).all()


def test_tiff_keeps_the_record(tmp_path):
    record = {"model": "photo", "levels": {"black": 1.5}, "µ": "ß"}
    write_image(tmp_path / "a.tif", pixels("float32", (3, 4, 5)), rgb=False, record=record)
    assert read_image(tmp_path / "a.tif").record == record


def test_jpeg_is_close_and_upright(tmp_path):
    ramp = np.repeat(np.linspace(0, 255, 64).astype(np.uint8)[None, :, None], 32, 0).repeat(3, 2)
    write_image(tmp_path / "a.jpg", ramp, rgb=True)
    assert np.abs(read_image(tmp_path / "a.jpg").pixels.astype(int) - ramp).max() < 8
    exif = Image.Exif()
    exif[0x0112] = 6  # turned by 90 degrees
    Image.fromarray(ramp).save(tmp_path / "turned.jpg", exif=exif)
    assert read_image(tmp_path / "turned.jpg").pixels.shape == (64, 32, 3)


def test_palettes_and_bits_become_plain_pixels(tmp_path):
    Image.fromarray(pixels("uint8", (8, 8, 3))).quantize(16).save(tmp_path / "palette.png")
    assert read_image(tmp_path / "palette.png").pixels.shape == (8, 8, 3)
    Image.fromarray(np.eye(8, dtype=bool)).save(tmp_path / "bits.png")
    assert (read_image(tmp_path / "bits.png").pixels == np.eye(8) * 255).all()


def test_planar_colour_tiff_is_colour(tmp_path):
    image = pixels("uint8", (3, 20, 30))
    tifffile.imwrite(tmp_path / "p.tif", image, photometric="rgb", planarconfig="separate")
    picture = read_image(tmp_path / "p.tif")
    assert picture.rgb and picture.pixels.shape == (20, 30, 3)


@pytest.mark.parametrize("suffix", [".png", ".jpg", ".webp", ".tif"])
@pytest.mark.parametrize("damage", ["empty", "noise", "cut"])
def test_damaged_files_are_one_sentence(tmp_path, suffix, damage):
    file = tmp_path / f"a{suffix}"
    write_image(file, pixels("uint8", (64, 64, 3)), rgb=True)
    content = file.read_bytes()
    file.write_bytes(
        {"empty": b"", "noise": b"?" * 500, "cut": content[: len(content) // 2]}[damage]
    )
    with pytest.raises(FileError, match=r"a\.\w+ cannot be read") as caught:
        read_image(file)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("name", "dtype", "axes", "message"),
    [
        ("a.png", "float32", 2, "cannot hold float32"),
        ("a.jpg", "uint16", 2, "cannot hold uint16"),
        ("a.png", "uint8", 3, "cannot hold a stack"),
        ("a.gif", "uint8", 2, "is none of"),
        ("absent/a.png", "uint8", 2, "no folder"),
    ],
)
def test_what_a_format_cannot_hold_is_said_before(tmp_path, name, dtype, axes, message):
    with pytest.raises(FileError, match=message):
        check_format(tmp_path / name, dtype, axes)


def test_missing_files_are_named(tmp_path):
    with pytest.raises(FileError, match=r"no file .*gone\.png"):
        read_image(tmp_path / "gone.png")


@pytest.mark.parametrize("cause", [OSError(28, "No space left on device"), KeyboardInterrupt()])
def test_a_failed_write_leaves_nothing_and_loses_nothing(tmp_path, monkeypatch, cause):
    file = tmp_path / "a.png"
    file.write_bytes(b"precious")

    def fail(path, _content):
        with path.open("wb") as half:
            half.write(b"half")
        raise cause

    monkeypatch.setattr("pathlib.Path.write_bytes", fail)
    with pytest.raises((FileError, KeyboardInterrupt)):
        write_image(file, pixels("uint8", (4, 4)), rgb=False)
    assert file.read_bytes() == b"precious"
    assert list(tmp_path.iterdir()) == [file]
