"""What OME-TIFF, OME-Zarr and FITS keep besides pixels, seen with the formats' own libraries."""

import json
import warnings
from dataclasses import replace

import dask.array as da
import numpy as np
import pytest
import tifffile
from helpers.pictures import RECORD, STACK, counts

from napari_lle.model.io.files import (
    FileRecord,
    read_image,
    write_image,
)
from napari_lle.model.io.units import long_unit

zarr = pytest.importorskip("zarr", reason="needs the extra zarr")
fits = pytest.importorskip("astropy.io.fits", reason="needs the extra astro")


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
    told = replace(picture.about, name="")
    assert told == STACK and picture.about.name == "reflectance, not for measuring"
    assert (picture.pixels == image).all()


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


def test_records_survive_json_and_units_their_spellings():
    assert FileRecord.from_dict(json.loads(json.dumps(STACK.to_dict()))) == STACK
    for spelling in ("µm", "\u03bcm", "um", "micron", "micrometer", "\\u00B5m"):
        assert long_unit(spelling) == "micrometer"
    assert long_unit("mm") == "millimeter" and long_unit("furlong") == long_unit(None) == ""
