"""How pixels came about goes with them: digests, PROV-JSON in every format, names that tell."""

import hashlib
import json

import dask.array as da
import numpy as np
import pytest

from napari_lle.model.io import digests
from napari_lle.model.io.digests import digest_steps, pixel_digest
from napari_lle.model.io.files import FileRecord, Output, read_image, write_image, write_images
from napari_lle.model.io.provenance import (
    Activity,
    Used,
    input_digest,
    laid_together,
    output_digest,
    steps_of,
)
from napari_lle.model.io.roles import ROLES, named, note_of, unnamed

pytest.importorskip("zarr", reason="needs the extra zarr")
pytest.importorskip("astropy.io.fits", reason="needs the extra astro")

IMAGE = np.arange(2 * 5 * 6, dtype=np.uint16).reshape(2, 5, 6)
LEVELS = {"black": 1.0, "white": 9.0, "dtype": "uint16"}
RECORD = {"model": "photo", "model_digest": "abc", "levels": LEVELS, "role": "R", "strength": 1.0}
RECORD |= {"input": pixel_digest(IMAGE), "source": "raw.tif", "standing": "non-linear: so"}


def test_a_digest_is_of_kind_shape_and_values():
    known = hashlib.sha256(b"uint16 (2, 5, 6)" + IMAGE.astype("<u2").tobytes()).hexdigest()
    assert pixel_digest(IMAGE) == f"sha256:{known}"
    assert pixel_digest(IMAGE.astype(">u2")) == pixel_digest(IMAGE)
    others = [IMAGE[::-1], IMAGE.reshape(2, 6, 5), IMAGE.astype("i2")]
    assert len({pixel_digest(each) for each in [IMAGE, *others]}) == 4


@pytest.mark.parametrize("part", [1, 7, 40, 1 << 20])
def test_a_digest_does_not_depend_on_how_pixels_are_read(monkeypatch, part):
    whole = pixel_digest(IMAGE)
    monkeypatch.setattr(digests, "PART", part)
    lazy = da.from_array(IMAGE, chunks=(1, 3, 4))
    assert pixel_digest(IMAGE) == pixel_digest(lazy) == whole
    told = [step.done for step in digest_steps(IMAGE)]
    assert told == sorted(told) and (len(told) > 0) == (part < IMAGE.nbytes)


def test_of_more_than_can_be_read_twice_none_is_taken(monkeypatch):
    monkeypatch.setattr(digests, "LARGEST_DIGESTED", 8)
    assert pixel_digest(IMAGE) == ""


@pytest.mark.parametrize("name", ["a.tif", "a.fits", "a.zarr", "plain.tif", "plain.zarr"])
def test_the_origin_of_a_result_comes_back_with_it(tmp_path, name):
    pixels = IMAGE.astype("f8" if name != "plain.tif" else "i8")  # int64 is none of OME-TIFF
    about = FileRecord("ZYX", plain=name == "plain.zarr", name="cells")
    write_image(tmp_path / name, pixels, rgb=False, record=RECORD, about=about)
    found = read_image(tmp_path / name)
    assert found.record == RECORD
    document = found.provenance
    assert output_digest(document) == pixel_digest(pixels)
    assert input_digest(document) == RECORD["input"]
    ((what, used, made),) = steps_of(document)
    assert what.endswith("enhance") and (used, made) == (["raw.tif", "photo"], ["reflectance"])
    (activity,) = document["activity"].values()
    assert activity["lle:levels-black"] == 1.0 and activity["lle:strength"] == 1.0
    assert json.dumps(document) and "lle" in document["prefix"]


def test_each_image_of_a_file_has_its_own(tmp_path):
    images = [Output(IMAGE + 1 + i, False, {**RECORD, "source": f"{i}.tif"}) for i in range(2)]
    for name in ("two.tif", "two.fits"):
        write_images(tmp_path / name, images)
        for i in range(2):
            document = read_image(tmp_path / name, image=i + 1).provenance
            assert output_digest(document) == pixel_digest(IMAGE + 1 + i)
            assert next(steps_of(document))[1][0] == f"{i}.tif"


def test_what_was_done_before_is_laid_together():
    first = Activity.of_record(RECORD).document("sha256:r", (2, 5, 6), "float32")
    step = Activity("restore", "image", (Used("sha256:r", "r.tif"),), earlier=(first,))
    whole = step.document(RECORD["input"], (2, 5, 6), "uint16")
    told = [(what.split()[-1], used, made) for what, used, made in steps_of(whole)]
    assert told == [
        ("enhance", ["raw.tif", "photo"], ["reflectance"]),
        ("restore", ["reflectance"], ["raw.tif"]),  # the same pixels are the same thing
    ]
    assert output_digest(whole) == RECORD["input"] and input_digest(whole) == "sha256:r"
    assert laid_together([first, whole]) == laid_together([whole, first]) | {
        "agent": whole["agent"]
    }


def test_nothing_is_said_of_what_nothing_is_known_of(tmp_path):
    for name in ("a.tif", "a.fits", "a.zarr"):
        write_image(tmp_path / name, IMAGE, rgb=False)
        assert read_image(tmp_path / name).provenance is None
    assert output_digest(None) == input_digest({}) == ""


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("name", ["", "cells"])
def test_a_name_says_what_an_image_is_and_is_found_again(role, name):
    told = named(FileRecord("YX", name=name), {"role": role}).name
    assert ROLES[role].word in told and ("not for measuring" in told) == (role == "R")
    assert unnamed(told) == name
    assert named(FileRecord("YX", name=told), {"role": role}).name == told


def test_a_record_of_an_older_version_is_not_for_measuring_either():
    assert note_of({"role": "R"}) == note_of({}) == "not for measuring"


def test_a_header_has_neither_unit_nor_zero_point(tmp_path):
    from astropy.io import fits

    header = "BUNIT   = 'Jy/beam '\nMAGZP   =                 25.0\nEXPTIME =                 30.5"
    about = FileRecord("YX", header=header)
    write_image(tmp_path / "r.fits", IMAGE[0] / 9.0, rgb=False, record=RECORD, about=about)
    kept = fits.getheader(tmp_path / "r.fits")
    assert kept["BUNIT"] == "" and "MAGZP" not in kept and kept["EXPTIME"] == 30.5
    assert (kept["EXTNAME"], kept["LLENOTE"]) == ("reflectance", "non-linear: so")
    write_image(tmp_path / "same.fits", IMAGE[0], rgb=False, about=about)
    assert fits.getheader(tmp_path / "same.fits")["BUNIT"] == "Jy/beam"


def test_ome_says_it_where_other_programs_look(tmp_path):
    import tifffile

    write_image(tmp_path / "r.tif", IMAGE, rgb=False, record=RECORD, about=FileRecord("ZYX"))
    with tifffile.TiffFile(tmp_path / "r.tif") as file:
        told = file.ome_metadata
    assert 'Name="reflectance, not for measuring"' in told
    assert "<Description>non-linear: so</Description>" in told
    assert 'Namespace="http://www.w3.org/ns/prov#"' in told
