"""What cannot be written, and what cannot be read any more, is one sentence."""

import numpy as np
import pytest
import tifffile
from helpers.pictures import counts

from napari_lle.model.io.files import (
    FileError,
    check_format,
    read_image,
    write_image,
)

zarr = pytest.importorskip("zarr", reason="needs the extra zarr")
fits = pytest.importorskip("astropy.io.fits", reason="needs the extra astro")


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
