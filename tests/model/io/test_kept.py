"""The table of what each format keeps, cell by cell."""

from base64 import b64encode
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from helpers.places import ROOT
from PIL import Image, ImageCms

from napari_lle.model.io import exif
from napari_lle.model.io.files import FileRecord, read_image, write_image

zarr = pytest.importorskip("zarr", reason="needs the extra zarr")
pytest.importorskip("astropy.io.fits", reason="needs the extra astro")

SUFFIX = {
    "PNG": ".png",
    "JPEG": ".jpg",
    "WebP": ".webp",
    "TIFF": ".tif",
    "FITS": ".fits",
    "Zarr": ".zarr",
}
TABLE = b64encode(np.random.default_rng(0).integers(0, 256, (3, 256), "u1").tobytes()).decode()
SRGB = b64encode(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()).decode()
GREY, COLOUR, CHANNELS = (24, 32), (24, 32, 3), (2, 24, 32)


def cells():
    page = (ROOT / "docs" / "guide" / "formats.md").read_text()
    lines = page[page.index("| what |") :].split("\n\n")[0].splitlines()
    head, _, *rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
    return [
        (row[0], name, cell) for row in rows for name, cell in zip(head[1:], row[1:], strict=True)
    ]


def camera():
    said = Image.Exif()
    said[0x010F], said[0x0110] = "Maker", "Model"
    said[exif.IFD] = {exif.TIME_TAKEN: "2020:01:02 03:04:05", 0x829A: 0.25, 0x8827: 800}
    return b64encode(said.tobytes()).decode()


def settings(about):
    inner = exif.decode_exif(about.exif).get_ifd(exif.IFD)
    return exif.decode_exif(about.exif).get(0x0110), float(inner.get(0x829A, 0)), inner.get(0x8827)


def about(axes, **more):
    return FileRecord(axes, **more)


LABELS = Path("labels")  # made in each test

WHAT = {
    "size of pixels": (
        GREY,
        about("YX", scale=(0.5, 0.5), units=("millimeter",) * 2),
        lambda a: [round(a.size(x)[0] * (25.4 if a.size(x)[1] == "inch" else 1), 2) for x in "YX"],
    ),
    "place of the first pixel": (
        GREY,
        about("YX", scale=(0.5, 0.5), units=("millimeter",) * 2, translate=(7.0, 8.0)),
        lambda a: a.translate,
    ),
    "alpha of grey": (
        GREY,
        about("YX", alpha=np.arange(24 * 32).reshape(24, 32).astype("u1")),
        lambda a: None if a.alpha is None else np.asarray(a.alpha).tolist(),
    ),
    "names of channels": (CHANNELS, about("CYX", channels=("DAPI", "GFP")), lambda a: a.channels),
    "colours of channels": (
        CHANNELS,
        about("CYX", colours=("0000FF", "00FF00")),
        lambda a: a.colours,
    ),
    "display windows": (
        CHANNELS,
        about("CYX", windows=((0, 255, 10, 90), (0, 255, 20, 80))),
        lambda a: a.windows,
    ),
    "look-up tables": (CHANNELS, about("CYX", luts=(TABLE, TABLE)), lambda a: a.luts),
    "labels of planes": (CHANNELS, about("CYX", labels=("one", "two")), lambda a: a.labels),
    "ICC profile": (COLOUR, about("YXS", profile=SRGB), lambda a: a.profile),
    "EXIF": (COLOUR, about("YXS", exif=camera()), settings),
    "time of capture": (COLOUR, about("YXS", taken="2020-01-02T03:04:05"), lambda a: a.taken),
    "cards of a FITS header": (
        GREY,
        about("YX", header="EXPTIME =                 30.5"),
        lambda a: "EXPTIME =                 30.5" in a.header,
    ),
    "record of a result": (GREY, about("YX"), None),
    "how it came about (PROV)": (GREY, about("YX"), None),
    "segmentations (`labels/`)": (
        GREY,
        about("YX", segmentations=LABELS),
        lambda a: a.segmentations is not None,
    ),
}


def test_the_table_has_a_row_for_each_thing():
    assert {row for row, _, _ in cells()} == set(WHAT)
    assert {name for _, name, _ in cells()} == set(SUFFIX)


@pytest.mark.parametrize(("what", "name", "cell"), cells())
def test_each_cell_is_true(tmp_path, what, name, cell):
    shape, told, seen = WHAT[what]
    file = tmp_path / f"a{SUFFIX[name]}"
    if len(shape) == 3 and told.axes[0] == "C" and name in ("PNG", "JPEG", "WebP"):
        shape, told = GREY, replace(about("YX"), channels=told.channels)
    if told.segmentations is not None:
        group = zarr.open_group(tmp_path / "in.zarr", mode="w").create_group(
            told.segmentations.name
        )
        group.create_array("0", data=np.ones(GREY, "u1"))
        told = replace(told, segmentations=tmp_path / "in.zarr" / "labels")
    pixels = np.random.default_rng(1).integers(0, 255, shape, "u1")
    record = {"model": "photo"} if seen is None else None
    write_image(file, pixels, rgb=told.axes[-1] == "S", about=told, record=record)
    picture = read_image(file)
    if seen is None:
        assert (picture.record == record) == (cell == "yes")
        assert (picture.provenance is not None) == (cell == "yes")
    else:
        kept = seen(picture.about) == seen(WHAT[what][1])
        assert kept == (cell == "yes"), (seen(picture.about), seen(WHAT[what][1]))
