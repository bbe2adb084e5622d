"""Disks that are full, read-only or gone: the reason is named, and nothing half-written stays."""

import shutil

import numpy as np
import pytest
from helpers.disks import mounted, small_files
from helpers.models import random_model
from helpers.running import last

from napari_lle.model import stages
from napari_lle.model.data.project import Draft, write_project
from napari_lle.model.inspection.export import write_stages
from napari_lle.model.io.atomic import atomic_path
from napari_lle.model.io.files import FileError, write_image
from napari_lle.model.io.locking import sole_writer
from napari_lle.model.io.zarr_writer import Target, write_steps
from napari_lle.model.network.checkpoint import save_model

rng = np.random.default_rng(0)
NOISE = rng.integers(0, 255, (200, 200, 3)).astype(np.uint8)
DARK = rng.integers(0, 60, (200, 200)).astype(np.uint16)


def image(path):
    write_image(path, NOISE, rgb=True, record={"levels": {}})


def deep(path):
    write_image(path, NOISE.astype(np.uint16) * 257, rgb=True)


def model(path):
    save_model(path, random_model().network, {"data": "x" * 100_000})


def folder_of_stages(path):
    last(write_stages(stages(DARK, random_model(), count=2), path))


def text(path):
    with atomic_path(path) as temporary:
        temporary.write_text("x" * 100_000)


def project(path):
    drafts = [Draft("a", DARK, DARK * 4), Draft("b", DARK, DARK * 4)]
    write_project(path, drafts, {}, gap=17)


WRITERS = [
    *((image, name) for name in ("a.png", "a.jpg", "a.webp", "a.tif", "a.ome.tif", "a.fits")),
    (image, "a.zarr"),
    (deep, "a.png"),
    (model, "a.safetensors"),
    (folder_of_stages, "stages"),
    (text, "a.json"),
    (project, "run"),
]
IN_A_FOLDER = WRITERS[:-1]  # a project makes folders itself
EACH = pytest.mark.parametrize(("write", "name"), WRITERS, ids=lambda x: getattr(x, "__name__", x))


@EACH
def test_a_disk_that_takes_no_more_is_named(tmp_path, write, name):
    write(tmp_path / "warm-up" if "." not in name else tmp_path / f"warm-up.{name}")
    shutil.rmtree(tmp_path)
    tmp_path.mkdir()
    with small_files(12_000), pytest.raises(FileError, match=f"{name}.* no file of that size"):
        write(tmp_path / name)
    assert not list(tmp_path.iterdir())
    (tmp_path / "old").mkdir()
    old = tmp_path / "old" / name
    if "." in name and name != "a.zarr":
        old.write_text("as it was")
        with small_files(12_000), pytest.raises(FileError):
            write(old)
        assert old.read_text() == "as it was" and list(old.parent.iterdir()) == [old]


@EACH
@pytest.mark.parametrize(
    ("options", "reason"), [(("size=8k",), "the disk is full"), (("ro",), "the disk is read-only")]
)
def test_full_and_read_only_disks(tmp_path, write, name, options, reason):
    with mounted(tmp_path, *options):
        with pytest.raises(FileError, match=reason):
            write(tmp_path / name)
        assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(("write", "name"), IN_A_FOLDER, ids=lambda x: getattr(x, "__name__", x))
def test_a_folder_that_is_gone_is_named(tmp_path, write, name):
    with pytest.raises(FileError, match="gone"):
        write(tmp_path / "gone" / name)
    assert not list(tmp_path.iterdir())


def test_a_disk_may_go_while_it_is_written_to(tmp_path):
    away = tmp_path / "away"
    away.mkdir()
    gone = pytest.raises(FileError, match=r"a\.json cannot be written: it or its folder is gone")
    with gone, atomic_path(away / "a.json") as temporary:
        shutil.rmtree(away)
        temporary.with_name("more").write_text("")
    away.mkdir()

    def block_of(*place):
        shutil.rmtree(away)
        raise FileNotFoundError(2, "No such file")

    target = Target(away / "a.zarr", (20, 30), np.dtype("uint8"), False, None, None)
    with pytest.raises(FileError, match=r"a\.zarr cannot be written"):
        last(write_steps([target], block_of, "job"))


def test_what_is_not_the_disk_is_left_to_the_caller(tmp_path):
    with pytest.raises(KeyError), atomic_path(tmp_path / "a.json"):
        raise KeyError("ours")
    assert not list(tmp_path.iterdir())


def test_a_second_writer_of_a_zarr_is_told(tmp_path):
    target = Target(tmp_path / "a.zarr", (20, 30), np.dtype("uint8"), False, None, None)
    first = write_steps([target], lambda *_: (np.zeros((20, 30), np.uint8),), "job")
    next(first)
    with pytest.raises(FileError, match="being written by another run"):
        image(tmp_path / "a.zarr")
    assert target.folder.exists()  # the first one's, which goes on
    last(first)
    assert [f.name for f in tmp_path.iterdir()] == ["a.zarr"]
    image(tmp_path / "a.zarr")  # and after it anybody may


def test_a_right_ends_with_its_holder(tmp_path):
    refused = pytest.raises(FileError, match="another run")
    with sole_writer([tmp_path / "a", tmp_path / "b"]), refused, sole_writer([tmp_path / "b"]):
        pass
    with sole_writer([tmp_path / "b"]):
        pass
    assert not list(tmp_path.iterdir())


def test_blocks_of_a_job_without_a_name_are_not_taken_up_again(tmp_path):
    target = Target(tmp_path / "a.zarr", (20, 30), np.dtype("uint8"), False, None, None)
    first = write_steps([target], lambda *_: (np.zeros((20, 30), np.uint8),))
    next(first)
    first.close()
    assert not list(tmp_path.iterdir())
