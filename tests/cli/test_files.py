"""Files through the command line: formats kept, results restored, batches that go on."""

import json
from dataclasses import replace

import numpy as np
import pytest
import tifffile
from helpers.command_line import lle
from helpers.places import SHARED

from napari_lle.model import enhance, enhance_jointly
from napari_lle.model.io.files import FileRecord, read_image, write_image

fits = pytest.importorskip("astropy.io.fits", reason="needs the extra astro")
zarr = pytest.importorskip("zarr", reason="needs the extra zarr")

RESULTS = (".ome.tif", ".zarr", ".fits")


def there_and_back(folder, model, source, suffix, target, *options):
    """Enhance a file into another format and restore it from there."""
    r, light, back = folder / f"r{suffix}", folder / f"l{suffix}", folder / target
    done = lle("enhance", source, "-o", r, "--illumination", light, "--model", model, *options)
    assert done.returncode == 0, done.stderr
    assert read_image(r).pixels.dtype == np.float32
    done = lle("restore", r, light, "-o", back)
    assert done.returncode == 0, done.stderr
    return read_image(back)


@pytest.mark.parametrize("suffix", RESULTS)
@pytest.mark.parametrize(
    ("dtype", "bits", "shape", "about"),
    [
        ("uint8", 8, (30, 40), None),
        ("uint16", 12, (3, 2, 30, 40), FileRecord("ZCYX", (2, 1, 0.5, 0.5))),
        ("uint16", 14, (3, 30, 40), None),
        ("uint16", 16, (30, 40, 3), None),
        ("float32", 0, (3, 30, 40), None),
    ],
)
def test_restored_bit_for_bit_through_every_format(
    tmp_path,
    model,
    rng,
    suffix,
    dtype,
    bits,
    shape,
    about,
):
    rgb = shape[-1] == 3
    if bits:
        image = rng.integers(0, 2**bits, shape).astype(dtype)
    else:
        image = rng.normal(5, 3, shape).astype(dtype)
    source = tmp_path / "in.tif"
    write_image(source, image, rgb=rgb, about=about)
    again = there_and_back(tmp_path, model, source, suffix, "back.tif")
    assert again.pixels.dtype == dtype and again.rgb == rgb
    if bits:
        assert (again.pixels == image).all()
    else:
        np.testing.assert_allclose(again.pixels, image, rtol=2e-7)
    assert again.about == read_image(source).about


@pytest.mark.parametrize("suffix", RESULTS)
def test_fits_come_back_as_they_were_stored(tmp_path, model, rng, suffix):
    header = fits.Header({"CTYPE1": "RA---TAN", "CRVAL1": 250.42, "BUNIT": "adu"})
    hdu = fits.PrimaryHDU(rng.integers(-(2**15), 2**15, (30, 40)).astype(np.int16), header)
    stored = hdu.data.copy()
    hdu.header["BSCALE"], hdu.header["BZERO"] = 2.9227, 95713.66
    hdu.writeto(tmp_path / "in.fits", output_verify="silentfix")
    there_and_back(tmp_path, model, tmp_path / "in.fits", suffix, "back.fits")
    with fits.open(tmp_path / "back.fits", do_not_scale_image_data=True) as file:
        assert (file[0].data == stored).all()
        kept = file[0].header
        assert (kept["BSCALE"], kept["BZERO"], kept["BITPIX"]) == (2.9227, 95713.66, 16)
        assert (kept["CRVAL1"], kept["BUNIT"]) == (250.42, "adu")
        assert "restored" in str(kept["HISTORY"])


def test_enhanced_fits_say_how(tmp_path, model, rng):
    hdu = fits.PrimaryHDU(rng.integers(0, 999, (30, 40)).astype(np.uint16))
    hdu.header["OBJECT"] = "M13"
    hdu.writeto(tmp_path / "in.fits")
    assert lle("enhance", tmp_path / "in.fits", "-o", tmp_path / "o.fits").returncode == 0
    with fits.open(tmp_path / "o.fits") as file:
        history = "".join(file[0].header["HISTORY"])
        assert file[0].header["OBJECT"] == "M13" and file[0].data.dtype == np.uint16
    assert "model science" in history and "black" in history and "for looking" in history


def test_a_batch_goes_on_and_tells(tmp_path, model, rng):
    images, out = tmp_path / "in", tmp_path / "out"
    images.mkdir()
    out.mkdir()
    for name in ("a.tif", "b.png", "c.fits", "d.zarr"):
        write_image(images / name, rng.integers(0, 999, (30, 40)).astype(np.uint16), rgb=False)
    (images / "broken.tif").write_bytes(b"II*\0")
    (images / "notes.txt").write_text("not an image")
    done = lle("enhance", images, "-o", out, "--model", model)
    assert done.returncode == 2
    assert len(done.stderr.strip().splitlines()) == 1 and "broken.tif" in done.stderr
    assert done.stdout.splitlines()[-1] == "4 of 5 files done"
    assert done.stdout.count(" -> ") == 4
    assert {f.name for f in out.iterdir()} == {"a.tif", "b.png", "c.fits", "d.zarr"}
    for file in out.iterdir():
        assert read_image(file).pixels.dtype == np.uint16
    (images / "broken.tif").unlink()
    done = lle("enhance", images / "*.tif", images / "*.png", "-o", out, "--model", model)
    assert done.returncode == 0 and done.stdout.splitlines()[-1] == "2 of 2 files done"


def test_what_names_no_file_is_refused(tmp_path, model, rng):
    (tmp_path / "empty").mkdir()
    image = tmp_path / "a.tif"
    write_image(image, rng.integers(0, 999, (30, 40)).astype(np.uint16), rgb=False)
    for inputs, sentence in (
        ((tmp_path / "*.fits",), "No file matches"),
        ((tmp_path / "empty",), "holds no images"),
        ((tmp_path / "*.tif",), "is not a folder"),
        ((image, "--illumination", tmp_path / "l.png"), "cannot hold float64"),
    ):
        done = lle("enhance", *inputs, "-o", tmp_path / "new.tif", "--model", model)
        assert done.returncode == 2 and sentence in done.stderr
        assert len(done.stderr.strip().splitlines()) == 1
    assert {f.name for f in tmp_path.iterdir()} == {"a.tif", "empty"}


def shared(name):
    path = SHARED / name
    if not path.exists():
        pytest.skip(f"needs {name} of the shared data")
    return path


# Each frame once, and each format: what of a frame a format could lose does not differ by frame.
@pytest.mark.parametrize(
    ("name", "suffix"),
    [
        ("M13_blue_0001", ".ome.tif"),
        ("M13_blue_0002", ".zarr"),
        ("M13_blue_0003", ".fits"),
        ("M13_blue_0004", ".fits"),
    ],
)
def test_m13_frames_come_back(tmp_path, name, suffix):
    source = shared(f"astronomy/{name}.fits")
    again = there_and_back(tmp_path, "auto", source, suffix, "back.fits")
    original = read_image(source)
    assert again.pixels.dtype == np.uint16 and (again.pixels == original.pixels).all()
    with fits.open(source) as a, fits.open(tmp_path / "back.fits") as b:
        kept = set(a[0].header) - {"COMMENT", "HISTORY", "EXTEND"}
        assert len(kept) > 20 and all(a[0].header[k] == b[0].header[k] for k in kept)


@pytest.mark.filterwarnings("ignore:The following header keyword")  # its cards are of 1992
@pytest.mark.parametrize("suffix", RESULTS)
def test_a_scaled_plate_comes_back_as_stored(tmp_path, suffix):
    source = shared("astronomy/sep_image.fits")
    there_and_back(tmp_path, "auto", source, suffix, "back.fits")
    with (
        fits.open(source, do_not_scale_image_data=True) as a,
        fits.open(tmp_path / "back.fits", do_not_scale_image_data=True) as b,
    ):
        assert (a[0].data == b[0].data).all()
        assert a[0].header["BSCALE"] == b[0].header["BSCALE"]


# Channels through every format; the large stack once.
@pytest.mark.parametrize(
    ("name", "suffix"),
    [
        *(("hela_cells_3ch_u12.tif", suffix) for suffix in RESULTS),
        ("lysosome_zstack_u16.tif", ".ome.tif"),
    ],
)
def test_microscope_stacks_come_back(tmp_path, name, suffix):
    source = shared(f"microscopy/stacks/{name}")
    again = there_and_back(tmp_path, "auto", source, suffix, "back.tif")
    original = read_image(source)
    assert (again.pixels == original.pixels).all() and again.pixels.dtype == np.uint16
    assert again.about == original.about and again.rgb == original.rgb


def test_records_name_the_source_of_the_file(tmp_path, model, rng):
    about = FileRecord("ZYX", (2, 0.5, 0.5), units=("micrometer",) * 3)
    image = rng.integers(0, 999, (3, 30, 40)).astype(np.uint16)
    write_image(tmp_path / "in.tif", image, rgb=False, about=about)
    assert lle("enhance", tmp_path / "in.tif", "-o", tmp_path / "o.tif").returncode == 0
    with tifffile.TiffFile(tmp_path / "o.tif") as file:
        assert file.is_ome and 'PhysicalSizeZ="2.0"' in file.ome_metadata
    assert lle("enhance", tmp_path / "in.tif", "-o", tmp_path / "o.zarr").returncode == 0
    ome = json.loads((tmp_path / "o.zarr" / "zarr.json").read_text())["attributes"]["ome"]
    assert [a["unit"] for a in ome["multiscales"][0]["axes"]] == ["micrometer"] * 3
    assert replace(read_image(tmp_path / "o.zarr").about, name="") == about


@pytest.mark.parametrize("suffix", [".ome.tif", ".zarr"])
def test_channels_of_a_file_share_an_illumination_unless_told_otherwise(
    tmp_path,
    model,
    rng,
    suffix,
):
    image = rng.integers(0, 4000, (3, 40, 50)).astype(np.uint16)
    source, out = tmp_path / f"in{suffix}", tmp_path / f"out{suffix}"
    write_image(source, image, rgb=False, about=FileRecord("CYX"))
    (expected,) = enhance_jointly([image], model, axis=0)
    done = lle("enhance", source, "-o", out, "--dtype", "float32", "--model", model)
    assert done.returncode == 0, done.stderr
    np.testing.assert_allclose(read_image(out).pixels, expected.reflectance, rtol=1e-5)
    per = ("--dtype", "float32", "--model", model, "--channels", "per")
    done = lle("enhance", source, "-o", out, *per)
    assert done.returncode == 0, done.stderr
    alone = enhance(image, model, rgb=False).reflectance
    np.testing.assert_allclose(read_image(out).pixels, alone, rtol=1e-5)
