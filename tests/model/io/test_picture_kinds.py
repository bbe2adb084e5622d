"""PNG, JPEG and WebP of every kind, against Pillow."""

import struct
import zlib

import imagecodecs
import numpy as np
import pytest
from PIL import Image, ImageOps

from napari_lle.model.io.files import FileError, read_image, write_image

rng = np.random.default_rng(0)


def values(shape, bits=8):
    return rng.integers(0, 2**bits, shape).astype("u1" if bits <= 8 else "u2")


def with_key(content, *key):
    """A PNG with a transparent grey or colour."""
    said = b"tRNS" + struct.pack(f">{len(key)}H", *key)
    chunk = struct.pack(">I", len(said) - 4) + said + struct.pack(">I", zlib.crc32(said))
    return content[:33] + chunk + content[33:]


def png(bits, samples):
    shape = (19, 23) if samples == 1 else (19, 23, samples)
    return values(shape, bits)


@pytest.mark.parametrize("samples", [1, 2, 3, 4])
@pytest.mark.parametrize("bits", [8, 16])
def test_png_keeps_depth_and_alpha(tmp_path, bits, samples):
    image = png(bits, samples)
    (tmp_path / "a.png").write_bytes(imagecodecs.png_encode(image))
    picture = read_image(tmp_path / "a.png")
    assert picture.rgb == (samples > 2) and picture.pixels.dtype == image.dtype
    assert (picture.pixels == (image[..., 0] if samples == 2 else image)).all()
    write_image(tmp_path / "o.png", picture.pixels, rgb=picture.rgb, about=picture.about)
    out = imagecodecs.png_decode((tmp_path / "o.png").read_bytes())
    assert out.dtype == image.dtype and (out == image).all()


@pytest.mark.parametrize("samples", [1, 3])
@pytest.mark.parametrize("bits", [8, 16])
def test_a_transparent_key_becomes_alpha(tmp_path, bits, samples):
    image = png(bits, samples)
    key = np.atleast_1d(image[3, 5])
    content = with_key(imagecodecs.png_encode(image), *map(int, key))
    (tmp_path / "a.png").write_bytes(content)
    picture = read_image(tmp_path / "a.png")
    hidden = (image.reshape(19, 23, -1) == key).all(axis=-1)
    alpha = picture.about.alpha if samples == 1 else picture.pixels[..., 3]
    assert alpha.dtype == image.dtype
    assert (alpha == np.where(hidden, 0, 2**bits - 1)).all() and hidden[3, 5]
    assert (picture.pixels.reshape(19, 23, -1)[..., :samples] == image.reshape(19, 23, -1)).all()


@pytest.mark.parametrize("bits", [1, 2, 4])
def test_png_of_few_bits(tmp_path, bits):
    grey = values((19, 24), bits)
    Image.fromarray(grey).quantize(2**bits).save(tmp_path / "p.png", bits=bits)
    shown = np.asarray(Image.open(tmp_path / "p.png").convert("RGB"))
    assert (read_image(tmp_path / "p.png").pixels == shown).all()


@pytest.mark.parametrize("mode", ["L", "RGB", "CMYK"])
@pytest.mark.parametrize("number", range(1, 9))
def test_jpeg_looks_as_pillow_shows_it(tmp_path, mode, number):
    shape = (19, 23) if mode == "L" else (19, 23, len(mode))
    exif = Image.Exif()
    exif[274] = number
    Image.fromarray(values(shape), mode).save(tmp_path / "a.jpg", exif=exif)
    picture = read_image(tmp_path / "a.jpg")
    shown = ImageOps.exif_transpose(Image.open(tmp_path / "a.jpg"))
    shown = shown.convert("RGB") if mode == "CMYK" else shown
    assert (picture.pixels == np.asarray(shown)).all() and picture.rgb == (mode != "L")


@pytest.mark.parametrize("suffix", [".png", ".jpg", ".tif"])
@pytest.mark.parametrize("width", [1, 3, 4])
def test_greys_keep_their_width(tmp_path, suffix, width):
    image = values((40, width))
    write_image(tmp_path / f"a{suffix}", image, rgb=False)
    picture = read_image(tmp_path / f"a{suffix}")
    assert picture.pixels.shape == image.shape and not picture.rgb


@pytest.mark.parametrize("suffix", [".png", ".webp"])
def test_frames_can_be_chosen(tmp_path, suffix):
    images = [values((19, 23, 3)) for _ in range(3)]
    first, *others = map(Image.fromarray, images)
    options = {"lossless": True} if suffix == ".webp" else {}
    first.save(tmp_path / f"a{suffix}", save_all=True, append_images=others, **options)
    for i, image in enumerate(images):
        picture = read_image(tmp_path / f"a{suffix}", image=i + 1)
        assert (picture.number, picture.images) == (i + 1, 3)
        assert (picture.pixels[..., :3] == image).all()
    with pytest.raises(FileError, match="images 1 to 3: there is no image 4"):
        read_image(tmp_path / f"a{suffix}", image=4)


@pytest.mark.parametrize("depth", [1, 2, 4, 8])
def test_the_grey_that_stands_for_none_at_every_depth(tmp_path, depth):
    """Read by imagecodecs, too, which knows nothing of Pillow."""
    import imagecodecs

    side, key = 16, 1
    values = np.random.default_rng(depth).integers(0, 2**depth, (side, side)).astype("u1")
    rows = np.unpackbits(values[..., None], axis=-1)[..., 8 - depth :].reshape(side, -1)
    packed = np.packbits(rows, axis=-1)
    lines = b"".join(b"\0" + row.tobytes() for row in packed)

    def chunk(kind, content):
        crc = zlib.crc32(kind + content)
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", crc)

    head = struct.pack(">IIBBBBB", side, side, depth, 0, 0, 0, 0)
    content = chunk(b"IHDR", head) + chunk(b"tRNS", struct.pack(">H", key))
    content += chunk(b"IDAT", zlib.compress(lines)) + chunk(b"IEND", b"")
    (tmp_path / "a.png").write_bytes(b"\x89PNG\r\n\x1a\n" + content)
    picture = read_image(tmp_path / "a.png")
    np.testing.assert_array_equal(picture.about.alpha == 0, values == key)
    other = imagecodecs.png_decode((tmp_path / "a.png").read_bytes())
    np.testing.assert_array_equal(picture.pixels, other[..., 0])
