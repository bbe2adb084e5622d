import builtins
import io
import struct
import zlib

import numpy as np
import pytest
import tifffile
from PIL import Image

from napari_lle.cli.enhancing import enhance_file
from napari_lle.cli.wanted import Wanted
from napari_lle.model.inference.options import EnhanceOptions
from napari_lle.model.io import memory
from napari_lle.model.io.files import FileError, count_images, read_image, write_image
from napari_lle.model.io.memory import check_memory

OPTIONS = EnhanceOptions(model="linear", device="cpu")
PLAIN = Wanted(illumination=None, dtype="same", strength=1.0, scheduler=None)


@pytest.fixture
def little(monkeypatch):
    """A machine with a megabyte free."""
    monkeypatch.setattr(memory, "free_memory", lambda: 1_000_000)


def vast_png(path, side):
    """The head of a picture whose pixels never come."""

    def chunk(kind, data):
        crc = zlib.crc32(kind + data)
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", crc)

    head = struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0)
    path.write_bytes(
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", b"") + chunk(b"IEND", b"")
    )


def test_what_does_not_fit_is_told_with_advice(tmp_path, little):
    check_memory(tmp_path, 1_000_000, "")
    with pytest.raises(FileError, match=r"needs 2\.0 GB of memory, and 0\.0 GB are free: wait\."):
        check_memory(tmp_path, 2_000_000_000, "wait")


@pytest.mark.parametrize("suffix", [".tif", ".png", ".zarr"])
def test_a_large_file_is_refused_before_it_is_read(tmp_path, rng, little, suffix):
    image = rng.integers(0, 4000, (300, 300)).astype(np.uint16)
    write_image(tmp_path / f"in{suffix}", image, rgb=False)
    with pytest.raises(FileError, match=r"write to a \.zarr, which is made block by block"):
        enhance_file(tmp_path / f"in{suffix}", tmp_path / "out.tif", OPTIONS, PLAIN)
    assert not (tmp_path / "out.tif").exists()


def test_the_advice_helps(tmp_path, rng, little):
    image = rng.integers(0, 4000, (300, 300)).astype(np.uint16)
    write_image(tmp_path / "in.tif", image, rgb=False)
    enhance_file(tmp_path / "in.tif", tmp_path / "o.zarr", OPTIONS, PLAIN)
    assert read_image(tmp_path / "o.zarr").pixels.shape == (300, 300)


def test_a_picture_of_any_size_is_told_by_its_head(tmp_path):
    vast_png(tmp_path / "vast.png", 400_000)
    limit = Image.MAX_IMAGE_PIXELS
    assert count_images(tmp_path / "vast.png") == 1
    with pytest.raises(FileError, match=r"needs 960 GB of memory"):
        read_image(tmp_path / "vast.png")
    assert limit == Image.MAX_IMAGE_PIXELS


def test_a_large_tiff_can_still_be_looked_at_lazily(tmp_path, little):
    tifffile.imwrite(
        tmp_path / "a.tif", np.zeros((4, 600, 600), np.uint16), photometric="minisblack"
    )
    with pytest.raises(FileError, match="make a Zarr of it"):
        read_image(tmp_path / "a.tif")
    assert read_image(tmp_path / "a.tif", lazy=True).pixels.shape == (4, 600, 600)


@pytest.mark.parametrize("several", [1, 3])
def test_a_tiff_is_opened_once_for_each_image(tmp_path, rng, monkeypatch, several):
    with tifffile.TiffWriter(tmp_path / "in.tif", ome=True) as file:
        for _ in range(several):
            file.write(rng.integers(0, 900, (40, 50)).astype(np.uint16), metadata={"axes": "YX"})
    opened, original = [], builtins.open

    def counted(path, *more, **options):
        if str(path) == str(tmp_path / "in.tif"):
            opened.append(path)
        return original(path, *more, **options)

    monkeypatch.setattr(builtins, "open", counted)
    monkeypatch.setattr(io, "open", counted)  # as pathlib asks for it
    enhance_file(tmp_path / "in.tif", tmp_path / "out.png", OPTIONS, PLAIN)
    assert len(opened) == 1
    enhance_file(tmp_path / "in.tif", tmp_path / "out.tif", OPTIONS, PLAIN)
    assert len(opened) == 1 + several
