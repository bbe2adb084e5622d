"""What OME-TIFF, OME-Zarr and FITS keep besides pixels, seen with the formats' own libraries."""

import json
import warnings

import dask.array as da
import numpy as np
import pytest
import tifffile

from napari_lle.model.io.files import (
    FileError,
    FileRecord,
    check_format,
    read_image,
    write_image,
)
from napari_lle.model.io.units import long_unit

zarr = pytest.importorskip("zarr", reason="needs the extra zarr")
fits = pytest.importorskip("astropy.io.fits", reason="needs the extra astro")

rng = np.random.default_rng(0)
RECORD = {"model": "linear", "levels": {"black": 1.5}, "µ": "ß\"'<&>{}"}
STACK = FileRecord(
    "ZCYX",
    (2.0, 1.0, 0.5, 0.25),
    units=("micrometer", "", "micrometer", "nanometer"),
    channels=("DAPI", "a<b & c", "GFP"),
)


def counts(shape, dtype="uint16"):
    if np.dtype(dtype).kind == "f":
        return rng.normal(size=shape).astype(dtype)
    if np.dtype(dtype).kind == "b":
        return rng.random(shape) > 0.5
    limits = np.iinfo(dtype)
    return rng.integers(limits.min, limits.max, shape, dtype, endpoint=True)


@pytest.mark.parametrize("lazy", [False, True])
@pytest.mark.parametrize(
    ("name", "dtype", "shape", "rgb"),
    [
        *(("a.zarr", d, (3, 9, 11), False) for d in ("bool", "float16", "int64", "uint8")),
        ("a.zarr", "uint16", (530, 600, 3), True),
        ("a.ome.zarr", "uint8", (2, 20, 30, 4), True),
        ("a.zarr", "float64", (2, 3, 4, 9, 11), False),
        *(("a.fits", d, (9, 11), False) for d in ("int8", "uint32", "uint64", "int16")),
        ("a.fit", "float64", (2, 3, 9, 11), False),
        ("a.fits", "uint8", (9, 11, 3), True),
        ("a.tif", "uint16", (2, 3, 9, 11), False),
        ("a.ome.tif", "float32", (9, 11), False),
        ("a.tif", "float16", (4, 9, 11), False),
    ],
)
def test_pixels_and_record_come_back(tmp_path, lazy, name, dtype, shape, rgb):
    image = counts(shape, dtype)
    write_image(tmp_path / name, image, rgb=rgb, record=RECORD)
    picture = read_image(tmp_path / name, lazy=lazy)
    assert picture.rgb == rgb and picture.record == RECORD
    pixels = np.asarray(picture.pixels)
    assert pixels.dtype == image.dtype and pixels.dtype.isnative
    assert (pixels == image).all()
    assert [f.name for f in tmp_path.iterdir()] == [name]


@pytest.mark.parametrize("name", ["a.ome.tif", "a.ome.zarr"])
def test_axes_scale_units_and_channels_come_back(tmp_path, name):
    image = counts((4, 3, 300, 270))
    write_image(tmp_path / name, image, rgb=False, about=STACK, record=RECORD)
    picture = read_image(tmp_path / name)
    assert picture.about == STACK and (picture.pixels == image).all()


def test_other_programs_read_our_ome_tiff(tmp_path):
    write_image(tmp_path / "a.tif", counts((4, 3, 30, 27)), rgb=False, about=STACK, record=RECORD)
    with tifffile.TiffFile(tmp_path / "a.tif") as file:
        assert file.is_ome and file.series[0].axes == "ZCYX"
        described = tifffile.xml2dict(file.ome_metadata)["OME"]["Image"]["Pixels"]
    assert described["PhysicalSizeX"] == 0.25 and described["PhysicalSizeXUnit"] == "nm"
    assert described["PhysicalSizeZ"] == 2.0 and described["PhysicalSizeZUnit"] == "µm"
    assert [c["Name"] for c in described["Channel"]] == list(STACK.channels)


def test_other_programs_read_our_ome_zarr(tmp_path):
    """Channels come before space, a pyramid of means, each level with its scale and place."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from ome_zarr.io import parse_url
        from ome_zarr.reader import Reader
    image = counts((4, 3, 600, 270))
    write_image(tmp_path / "a.zarr", image, rgb=False, about=STACK)
    node = next(iter(Reader(parse_url(tmp_path / "a.zarr"))()))
    assert [axis["name"] for axis in node.metadata["axes"]] == list("czyx")
    units = [axis.get("unit") for axis in node.metadata["axes"]]
    assert units == [None, "micrometer", "micrometer", "nanometer"]
    shapes = [level.shape for level in node.data]
    assert shapes == [(3, 4, 600, 270), (3, 4, 300, 135), (3, 4, 150, 68)]
    assert (np.asarray(node.data[0]) == image.transpose(1, 0, 2, 3)).all()
    means = image.reshape(4, 3, 300, 2, 135, 2).mean(axis=(3, 5))
    assert np.abs(np.asarray(node.data[1]).transpose(1, 0, 2, 3) - means).max() <= 0.5
    transforms = node.metadata["coordinateTransformations"]
    assert transforms[1][0]["scale"] == [1.0, 2.0, 1.0, 0.5]
    assert transforms[1][1]["translation"] == [0.0, 0.0, 0.25, 0.125]


@pytest.mark.parametrize(("version", "zarr_format"), [("0.4", 2), ("0.5", 3)])
def test_ome_zarr_of_others(tmp_path, version, zarr_format):
    image = counts((2, 3, 20, 30)).astype(">u2" if version == "0.4" else "u2")
    group = zarr.open_group(tmp_path / "a.zarr", mode="w", zarr_format=zarr_format)
    group.create_array("full", data=image)
    group.create_array("half", data=image[..., ::2, ::2])
    multiscale = {
        "axes": [
            {"name": "t", "type": "time", "unit": "second"},
            {"name": "c", "type": "channel"},
            {"name": "y", "type": "space", "unit": "micrometer"},
            {"name": "x", "type": "space", "unit": "micrometer"},
        ],
        "datasets": [
            {
                "path": "full",
                "coordinateTransformations": [
                    {"type": "scale", "scale": [1, 1, 0.3, 0.3]},
                    {"type": "translation", "translation": [0, 0, 7, 8]},
                ],
            },
            {"path": "half"},
        ],
        "coordinateTransformations": [{"type": "scale", "scale": [10, 1, 2, 1]}],
        "version": version,
    }
    ome = {
        "multiscales": [multiscale],
        "omero": {"channels": [{"label": "a"}, {"label": "b"}, {"label": "c"}]},
    }
    group.attrs.update(ome if version == "0.4" else {"ome": ome})
    picture = read_image(tmp_path / "a.zarr", lazy=True)
    assert isinstance(picture.pixels, da.Array) and picture.pixels.dtype == np.uint16
    assert (picture.pixels.compute() == image).all() and not picture.rgb
    assert picture.about == FileRecord(
        "TCYX",
        (10, 1, 0.6, 0.3),
        (0, 0, 14, 8),
        ("second", "", "micrometer", "micrometer"),
        ("a", "b", "c"),
    )


def test_a_plain_zarr_array_stays_one(tmp_path):
    image = counts((20, 30, 3))
    zarr.create_array(tmp_path / "in.zarr", data=image)
    picture = read_image(tmp_path / "in.zarr")
    assert picture.rgb
    write_image(tmp_path / "out.zarr", picture.pixels, rgb=True, about=picture.about)
    assert (zarr.open(tmp_path / "out.zarr", mode="r")[:] == image).all()


@pytest.mark.parametrize("planar", [False, True])
def test_tiff_samples_that_are_no_colours_are_channels(tmp_path, planar):
    image = counts((2, 20, 30) if planar else (20, 30, 2))
    order = "separate" if planar else "contig"
    tifffile.imwrite(tmp_path / "a.tif", image, photometric="minisblack", planarconfig=order)
    picture = read_image(tmp_path / "a.tif")
    assert picture.pixels.shape == (2, 20, 30) and not picture.rgb


def test_imagej_scale_becomes_ome(tmp_path):
    image = counts((3, 20, 30))
    tifffile.imwrite(
        tmp_path / "ij.tif",
        image,
        imagej=True,
        resolution=(4.0, 5.0),
        metadata={"axes": "ZYX", "unit": "um", "spacing": 1.5},
    )
    about = read_image(tmp_path / "ij.tif").about
    assert about == FileRecord("ZYX", (1.5, 0.2, 0.25), units=("micrometer",) * 3)


@pytest.mark.parametrize("size", ["0", "-3", "much"])
def test_odd_metadata_does_not_cost_the_pixels(tmp_path, size):
    image = counts((20, 30))
    xml = tifffile.OmeXml()
    xml.addimage("uint16", (20, 30), (1, 1, 1, 20, 30, 1), axes="YX", PhysicalSizeX=size)
    for name, text in (("odd", xml.tostring()), ("torn", xml.tostring()[:-30])):
        tifffile.imwrite(tmp_path / f"{name}.tif", image, description=text, metadata=None)
        picture = read_image(tmp_path / f"{name}.tif")
        assert (picture.pixels == image).all()
        assert picture.about.axes == "YX" and min(picture.about.scale) > 0


@pytest.mark.parametrize("compression", [None, "zlib"])
def test_lazy_tiff_reads_pages_when_asked(tmp_path, compression):
    image = counts((5, 40, 50))
    tifffile.imwrite(tmp_path / "a.tif", image, compression=compression)
    pixels = read_image(tmp_path / "a.tif", lazy=True).pixels
    assert isinstance(pixels, da.Array if compression else np.memmap)
    assert (np.asarray(pixels[3]) == image[3]).all()
    assert (np.asarray(pixels) == image).all()


def header():
    cards = {"OBJECT": "M13", "BUNIT": "adu", "CTYPE1": "RA---TAN", "CTYPE2": "DEC--TAN"}
    cards |= {"CRVAL1": 250.42, "CRVAL2": 36.46, "CRPIX1": 5.5, "CD1_1": -1e-4, "CD2_2": 1e-4}
    made = fits.Header(cards)
    made["EXPTIME"] = (30.5, "seconds")
    made.add_history("flat fielded")
    return made


def test_fits_header_and_sky_go_with_a_result(tmp_path):
    fits.PrimaryHDU(counts((20, 30)), header()).writeto(tmp_path / "in.fits")
    picture = read_image(tmp_path / "in.fits")
    out = tmp_path / "out.fits"
    light = counts((20, 30), "float64")
    write_image(out, light, rgb=False, about=picture.about, record=RECORD, history="enhanced")
    with fits.open(out) as file:
        kept = file[0].header
        assert kept["CRVAL1"] == 250.42 and kept["CD1_1"] == -1e-4 and kept["OBJECT"] == "M13"
        assert kept.comments["EXPTIME"] == "seconds" and kept["BITPIX"] == -64
        assert list(kept["HISTORY"]) == ["flat fielded", "enhanced"]
        assert "BZERO" not in kept and "BUNIT" not in kept  # a ratio, not counts
    write_image(out, picture.pixels, rgb=False, about=picture.about, history="restored")
    with fits.open(out) as file:
        assert file[0].header["BUNIT"] == "adu" and file[0].header["BZERO"] == 32768
        assert len(file) == 1


def test_scaled_fits_are_stored_as_they_were(tmp_path):
    hdu = fits.PrimaryHDU(counts((20, 30), "int16"), header())
    stored = hdu.data.copy()
    hdu.header["BSCALE"], hdu.header["BZERO"] = 0.02, 100.0
    hdu.writeto(tmp_path / "in.fits", output_verify="silentfix")
    with fits.open(tmp_path / "in.fits", do_not_scale_image_data=True) as file:
        assert (file[0].data == stored).all() and file[0].header["BSCALE"] == 0.02
    picture = read_image(tmp_path / "in.fits")
    np.testing.assert_allclose(picture.pixels, stored * 0.02 + 100, atol=1e-4)
    noisy = picture.pixels * np.float32(1 + 1e-7)
    write_image(tmp_path / "out.fits", noisy, rgb=False, about=picture.about)
    with fits.open(tmp_path / "out.fits", do_not_scale_image_data=True) as file:
        assert (file[0].data == stored).all() and file[0].header["BZERO"] == 100
    lost = picture.pixels.copy()
    lost[3, 4] = np.nan
    write_image(tmp_path / "lost.fits", lost, rgb=False, about=picture.about)
    again = read_image(tmp_path / "lost.fits").pixels
    assert np.isnan(again[3, 4]) and np.isfinite(again).sum() == again.size - 1


def test_fits_images_in_extensions_and_none(tmp_path):
    image = counts((20, 30), "int16")
    parts = [fits.PrimaryHDU(), fits.CompImageHDU(image, compression_type="GZIP_2")]
    fits.HDUList(parts).writeto(tmp_path / "a.fits")
    assert (read_image(tmp_path / "a.fits").pixels == image).all()
    assert (np.asarray(read_image(tmp_path / "a.fits", lazy=True).pixels[5]) == image[5]).all()
    fits.PrimaryHDU().writeto(tmp_path / "none.fits")
    with pytest.raises(FileError, match="holds no image"):
        read_image(tmp_path / "none.fits")


@pytest.mark.parametrize(
    ("name", "library", "extra"), [("a.zarr", "zarr", "zarr"), ("a.fits", "astropy", "astro")]
)
def test_a_missing_extra_is_named(tmp_path, monkeypatch, name, library, extra):
    write_image(tmp_path / name, counts((4, 5)), rgb=False)
    import importlib.util
    import sys

    for module in [m for m in sys.modules if m.split(".")[0] == library]:
        monkeypatch.setitem(sys.modules, module, None)
    monkeypatch.setattr(importlib.util, "find_spec", lambda _name: None)
    advice = rf"pip install 'napari-lle\[{extra}\]'"
    with pytest.raises(FileError, match=advice):
        read_image(tmp_path / name)
    with pytest.raises(FileError, match=advice):
        check_format(tmp_path / name, "uint8")


@pytest.mark.parametrize(
    ("name", "dtype", "message"),
    [
        ("a.fits", "float16", "cannot hold float16"),
        ("a.fits", "bool", "cannot hold bool"),
        ("a.zarr", "complex64", "cannot hold complex64"),
        ("absent/a.zarr", "uint8", "no folder"),
    ],
)
def test_what_a_format_cannot_hold_is_said_before(tmp_path, name, dtype, message):
    with pytest.raises(FileError, match=message):
        check_format(tmp_path / name, dtype)


def test_damaged_files_are_one_sentence(tmp_path):
    write_image(tmp_path / "a.fits", counts((64, 64)), rgb=False)
    content = (tmp_path / "a.fits").read_bytes()
    (tmp_path / "a.fits").write_bytes(content[:500])
    (tmp_path / "empty.zarr").mkdir()
    (tmp_path / "torn.zarr").mkdir()
    (tmp_path / "torn.zarr" / "zarr.json").write_text('{"zarr_format": 3, "node_type": "arr')
    zarr.open_group(tmp_path / "group.zarr", mode="w")
    for name in ("a.fits", "empty.zarr", "torn.zarr", "group.zarr"):
        with pytest.raises(FileError, match=name) as caught:
            read_image(tmp_path / name)
        assert "\n" not in str(caught.value)


@pytest.mark.parametrize("name", ["a.zarr", "a.tif", "a.fits"])
def test_damage_met_late_is_one_sentence_too(tmp_path, name):
    image = counts((4, 40, 50))
    file = tmp_path / name
    write_image(file, image, rgb=False)
    if name == "a.tif":
        tifffile.imwrite(file, image, compression="zlib", photometric="minisblack")
    lazily = read_image(file, lazy=True).pixels
    if name == "a.zarr":
        (file / "0" / "c" / "2" / "0" / "0").write_bytes(b"junk")
    elif name == "a.tif":
        with tifffile.TiffFile(file) as tiff:
            place = tiff.pages[2].dataoffsets[0]
        file.write_bytes(file.read_bytes()[:place] + b"junk" * 500)
    else:
        file.write_bytes(file.read_bytes()[: 2880 + 2 * 40 * 50 * 2 + 99])
    assert (np.asarray(lazily[0]) == image[0]).all()
    with pytest.raises(FileError, match=rf"{name} cannot be read"):
        np.asarray(lazily[2])


def test_a_failed_zarr_leaves_nothing_and_loses_nothing(tmp_path, monkeypatch):
    image = counts((20, 30))
    write_image(tmp_path / "a.zarr", image, rgb=False)

    def fail(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("napari_lle.model.io.zarr_layout.Level.put", fail)
    with pytest.raises(FileError, match="the disk is full"):
        write_image(tmp_path / "a.zarr", image + 1, rgb=False)
    assert (read_image(tmp_path / "a.zarr").pixels == image).all()
    assert [f.name for f in tmp_path.iterdir()] == ["a.zarr"]
    monkeypatch.undo()
    write_image(tmp_path / "a.zarr", image + 1, rgb=False)
    assert (read_image(tmp_path / "a.zarr").pixels == image + 1).all()
    assert [f.name for f in tmp_path.iterdir()] == ["a.zarr"]


def test_records_survive_json_and_units_their_spellings():
    assert FileRecord.from_dict(json.loads(json.dumps(STACK.to_dict()))) == STACK
    for spelling in ("µm", "\u03bcm", "um", "micron", "micrometer", "\\u00B5m"):
        assert long_unit(spelling) == "micrometer"
    assert long_unit("mm") == "millimeter" and long_unit("furlong") == long_unit(None) == ""
