"""TIFF of every photometric, layout, depth and compression, against Pillow and tifffile."""

import itertools

import numpy as np
import pytest
import tifffile
from PIL import Image

from napari_lle.model.io.files import FileError, read_image, write_image

rng = np.random.default_rng(0)
COMPRESSIONS = [None, "lzw", "zlib", "zstd", "packbits", "lzma"]


def values(shape, bits):
    dtype = "u1" if bits <= 8 else f"u{bits // 8}"
    return rng.integers(0, 2**bits, shape, "u8" if bits == 64 else "i8").astype(dtype)


def written(tmp_path, image, **options):
    tifffile.imwrite(tmp_path / "a.tif", image, metadata=None, **options)
    return tmp_path / "a.tif"


@pytest.mark.parametrize("lazy", [False, True])
@pytest.mark.parametrize("photometric", ["minisblack", "miniswhite"])
@pytest.mark.parametrize(
    ("bits", "compression"), [*itertools.product((8, 16, 32), COMPRESSIONS), (64, None)]
)
def test_greys(tmp_path, lazy, photometric, bits, compression):
    image = values((3, 19, 23), bits)
    options = {"photometric": photometric, "compression": compression}
    picture = read_image(written(tmp_path, image, **options), lazy=lazy)
    expected = image if photometric == "minisblack" else ~image
    assert picture.pixels.dtype == image.dtype and not picture.rgb
    assert (np.asarray(picture.pixels) == expected).all()


@pytest.mark.parametrize("lazy", [False, True])
@pytest.mark.parametrize("photometric", ["minisblack", "miniswhite"])
@pytest.mark.parametrize("bits", [1, 2, 4])
def test_few_bits_are_the_whole_range_as_in_png(tmp_path, lazy, photometric, bits):
    image = values((19, 24), bits)
    stored = image.astype(bool) if bits == 1 else image
    options = {"photometric": photometric, "bitspersample": bits if bits > 1 else None}
    file = written(tmp_path, stored, **options)
    pixels = np.asarray(read_image(file, lazy=lazy).pixels)
    top = 2**bits - 1
    shown = image if photometric == "minisblack" else top - image
    assert pixels.dtype == np.uint8 and (pixels == shown * (255 // top)).all()
    assert (pixels == np.asarray(Image.open(file).convert("L"))).all()


def test_counts_of_twelve_bits_stay_counts(tmp_path):
    image = values((19, 24), 16) >> 4
    for photometric, expected in (("minisblack", image), ("miniswhite", 4095 - image)):
        file = written(tmp_path, image, photometric=photometric, bitspersample=12)
        assert (read_image(file).pixels == expected).all()


@pytest.mark.parametrize("planar", ["contig", "separate"])
@pytest.mark.parametrize("bits", [8, 16])
@pytest.mark.parametrize("alpha", [None, "unassalpha", "assocalpha"])
@pytest.mark.parametrize("compression", COMPRESSIONS[:3])
def test_colours(tmp_path, planar, bits, alpha, compression):
    image = values((19, 23, 4 if alpha else 3), bits)
    file = written(
        tmp_path,
        image if planar == "contig" else np.moveaxis(image, -1, 0),
        photometric="rgb",
        planarconfig=planar,
        compression=compression,
        extrasamples=[alpha] if alpha else None,
    )
    picture = read_image(file)
    assert picture.rgb and (picture.pixels == image).all()
    write_image(tmp_path / "o.tif", picture.pixels, rgb=True, about=picture.about)
    with tifffile.TiffFile(tmp_path / "o.tif") as out:
        assert (out.asarray() == image).all()
        expected = {None: 0, "unassalpha": 2, "assocalpha": 1}[alpha]
        assert sum(out.pages[0].extrasamples) == expected


@pytest.mark.parametrize("bits", [8, 16])
@pytest.mark.parametrize("planar", ["contig", "separate"])
def test_inks_become_the_colours_that_pillow_sees(tmp_path, bits, planar):
    image = values((19, 23, 4), bits)
    stored = image if planar == "contig" else np.moveaxis(image, -1, 0)
    file = written(tmp_path, stored, photometric="separated", planarconfig=planar)
    picture = read_image(file)
    assert picture.rgb and picture.pixels.dtype == image.dtype
    eight = image if bits == 8 else (image >> 8).astype("u1")
    shown = np.asarray(Image.frombytes("CMYK", (23, 19), eight.tobytes()).convert("RGB"))
    seen = picture.pixels if bits == 8 else picture.pixels >> 8
    assert np.abs(seen.astype(int) - shown).max() <= (0 if bits == 8 else 2)


def test_inks_with_alpha_keep_it(tmp_path):
    image = values((19, 23, 5), 8)
    file = written(tmp_path, image, photometric="separated", extrasamples=["unassalpha"])
    picture = read_image(file)
    assert picture.pixels.shape == (19, 23, 4) and (picture.pixels[..., 3] == image[..., 4]).all()


@pytest.mark.parametrize("bits", [8, 16])
@pytest.mark.parametrize("lazy", [False, True])
def test_palettes_are_looked_up(tmp_path, bits, lazy):
    image = values((19, 23), bits)
    table = (rng.integers(0, 256, (3, 2**bits)) * 257).astype("u2")
    file = written(tmp_path, image, photometric="palette", colormap=table)
    picture = read_image(file, lazy=lazy)
    assert picture.rgb and picture.pixels.dtype == np.uint8
    assert (picture.pixels == np.moveaxis(table[:, image], 0, -1) >> 8).all()
    if bits == 8:
        assert (picture.pixels == np.asarray(Image.open(file).convert("RGB"))).all()
    fine = table ^ 1
    file = written(tmp_path, image, photometric="palette", colormap=fine)
    assert (read_image(file).pixels == np.moveaxis(fine[:, image], 0, -1)).all()


@pytest.mark.parametrize("compression", [None, "zlib"])
def test_luma_becomes_the_colours_that_pillow_sees(tmp_path, compression):
    image = values((19, 23, 3), 8)
    file = written(
        tmp_path, image, photometric="ycbcr", subsampling=(1, 1), compression=compression
    )
    shown = Image.fromarray(image, "YCbCr").convert("RGB")
    assert (read_image(file).pixels == np.asarray(shown)).all()


@pytest.mark.parametrize("photometric", ["rgb", "ycbcr"])
@pytest.mark.parametrize("subsampling", [(1, 1), (2, 2)])
def test_jpeg_inside(tmp_path, photometric, subsampling):
    ramp = np.linspace(0, 255, 64).astype("u1")
    image = np.stack([np.broadcast_to(ramp, (48, 64))] * 3, axis=-1)
    sampled = {"subsampling": subsampling} if photometric == "ycbcr" else {}
    file = written(tmp_path, image, photometric=photometric, compression="jpeg", **sampled)
    picture = read_image(file)
    shown = np.asarray(Image.open(file).convert("RGB")).astype(int)
    assert picture.rgb and np.abs(picture.pixels - shown).max() < 12


@pytest.mark.parametrize(
    ("photometric", "shape", "dtype"),
    [
        *((name, (19, 23, 3), "u1") for name in ("cielab", "icclab", "itulab")),
        ("ycbcr", (19, 23, 3), "u2"),
        ("cfa", (19, 23), "u2"),
        ("miniswhite", (19, 23), "f4"),
        ("miniswhite", (19, 23), "i2"),
        ("logluv", (19, 23, 3), "u2"),
    ],
)
def test_what_is_not_read_is_refused_in_a_sentence(tmp_path, photometric, shape, dtype):
    file = written(tmp_path, np.zeros(shape, dtype), photometric=photometric)
    for lazy in (False, True):
        with pytest.raises(FileError, match=r"a\.tif holds .*: save it as grey or RGB\.$"):
            read_image(file, lazy=lazy)


def test_inks_other_than_cmyk_are_refused(tmp_path):
    tag = [(332, 3, 1, 2, True)]
    image = values((19, 23, 4), 8)
    file = written(tmp_path, image, photometric="separated", extratags=tag)
    with pytest.raises(FileError, match="inks that are not CMYK"):
        read_image(file)


@pytest.mark.parametrize("lazy", [False, True])
@pytest.mark.parametrize("number", range(1, 9))
@pytest.mark.parametrize("kind", ["grey", "colours", "separate", "palette", "alpha", "stack"])
def test_orientation_is_that_which_pillow_shows(tmp_path, number, kind, lazy):
    shape = {"grey": (19, 23), "palette": (19, 23), "alpha": (19, 23, 2), "stack": (2, 19, 23)}
    image = values(shape.get(kind, (19, 23, 3)), 8)
    options = {"photometric": "minisblack", "extratags": [(274, 3, 1, number, True)]}
    options |= {"resolution": (100, 50), "resolutionunit": "CENTIMETER"}
    if kind in ("colours", "separate"):
        options["photometric"] = "rgb"
    if kind == "palette":
        options |= {"photometric": "palette", "colormap": np.tile(np.arange(256) * 257, (3, 1))}
    if kind == "alpha":
        options |= {"extrasamples": ["unassalpha"], "planarconfig": "contig"}
    stored = image
    if kind == "separate":
        stored, options["planarconfig"] = np.moveaxis(image, -1, 0), "separate"
    picture = read_image(written(tmp_path, stored, **options), lazy=lazy)
    planes = image if kind == "stack" else image[None]
    for plane, pixels in zip(
        planes, picture.pixels if kind == "stack" else [picture.pixels], strict=True
    ):
        exif = Image.Exif()
        exif[274] = number
        shown = Image.fromarray(plane)
        transposed = shown.transpose(TURNS[number]) if number > 1 else shown
        expected = np.asarray(transposed)
        pixels = np.asarray(pixels)
        if kind == "alpha":
            assert (np.asarray(picture.about.alpha) == expected[..., 1]).all()
            expected = expected[..., 0]
        expected = expected[..., None].repeat(3, -1) if kind == "palette" else expected
        assert pixels.shape == expected.shape and (pixels == expected).all()
    across = 0.02 if number > 4 else 0.01
    assert picture.about.size("X") == (across, "centimeter")


TURNS = dict(
    enumerate(
        (
            Image.Transpose.FLIP_LEFT_RIGHT,
            Image.Transpose.ROTATE_180,
            Image.Transpose.FLIP_TOP_BOTTOM,
            Image.Transpose.TRANSPOSE,
            Image.Transpose.ROTATE_270,
            Image.Transpose.TRANSVERSE,
            Image.Transpose.ROTATE_90,
        ),
        start=2,
    )
)


@pytest.mark.parametrize("planar", ["contig", "separate"])
@pytest.mark.parametrize("samples", [2, 3, 4, 5])
def test_samples_of_grey_are_channels(tmp_path, planar, samples):
    """A width or a number of bands of 3 or 4 makes no colours."""
    image = values((samples, 19, 4), 16)
    stored = image if planar == "separate" else np.moveaxis(image, 0, -1)
    file = written(tmp_path, stored, photometric="minisblack", planarconfig=planar)
    picture = read_image(file)
    assert not picture.rgb and picture.about.axes == "CYX" and (picture.pixels == image).all()


@pytest.mark.parametrize("width", [3, 4])
@pytest.mark.parametrize("shape", [(19,), (5, 19), (2, 5, 19)])
def test_narrow_greys_stay_grey(tmp_path, width, shape):
    image = values((*shape, width), 8)
    picture = read_image(written(tmp_path, image, photometric="minisblack"))
    assert not picture.rgb and (picture.pixels == image.reshape(picture.pixels.shape)).all()
    assert picture.pixels.shape[-2:] == image.shape[-2:]
    write_image(tmp_path / "o.tif", picture.pixels, rgb=False, about=picture.about)
    again = read_image(tmp_path / "o.tif")
    assert not again.rgb and (again.pixels == picture.pixels).all()


@pytest.mark.parametrize("dtype", ["u1", "u2", "f4"])
@pytest.mark.parametrize("lead", [(), (3,)])
def test_grey_with_alpha_comes_back(tmp_path, dtype, lead):
    image = (values((*lead, 19, 23, 2), 8)).astype(dtype)
    if dtype == "f4":
        image /= 255
    options = {"photometric": "minisblack", "extrasamples": ["unassalpha"]}
    file = written(tmp_path, image, planarconfig="contig", **options)
    picture = read_image(file)
    assert not picture.rgb and (picture.pixels == image[..., 0]).all()
    write_image(tmp_path / "o.tif", picture.pixels, rgb=False, about=picture.about)
    with tifffile.TiffFile(tmp_path / "o.tif") as out:
        assert (out.asarray() == image).all() and out.pages[0].extrasamples == (2,)


def test_without_a_photometric_tag_the_samples_tell(tmp_path):
    for image, rgb in ((values((19, 23), 8), False), (values((19, 23, 3), 8), True)):
        file = written(tmp_path, image, photometric="rgb" if rgb else "minisblack")
        with tifffile.TiffFile(file) as tiff:
            place = tiff.pages[0].tags[262].offset
        content = bytearray(file.read_bytes())
        content[place : place + 2] = (263).to_bytes(2, "little")
        file.write_bytes(content)
        picture = read_image(file)
        assert picture.rgb == rgb and (picture.pixels == image).all()


def test_thumbnails_and_masks_are_no_images_of_their_own(tmp_path):
    image = values((40, 50), 8)
    with tifffile.TiffWriter(tmp_path / "a.tif") as file:
        file.write(image[::4, ::4], subfiletype=1, metadata=None, photometric="minisblack")
        file.write(image, metadata=None, photometric="minisblack")
        file.write(image > 9, subfiletype=4, metadata=None, photometric="minisblack")
    picture = read_image(tmp_path / "a.tif")
    assert picture.images == 1 and (picture.pixels == image).all()


@pytest.mark.parametrize("lazy", [False, True])
def test_any_series_can_be_chosen(tmp_path, lazy):
    images = [values((20 + i, 30), 16) for i in range(3)]
    with tifffile.TiffWriter(tmp_path / "a.ome.tif") as file:
        for i, image in enumerate(images):
            told = {"Name": f"position {i}", "PhysicalSizeX": i + 1.0, "PhysicalSizeXUnit": "mm"}
            file.write(image, metadata=told)
    for i, image in enumerate(images):
        picture = read_image(tmp_path / "a.ome.tif", lazy=lazy, image=i + 1)
        assert (picture.number, picture.images) == (i + 1, 3)
        assert (np.asarray(picture.pixels) == image).all()
        assert picture.about.name == f"position {i}"
        assert picture.about.size("X") == (i + 1.0, "millimeter")
    for wrong in (0, 4):
        with pytest.raises(FileError, match=f"images 1 to 3: there is no image {wrong}"):
            read_image(tmp_path / "a.ome.tif", image=wrong)
