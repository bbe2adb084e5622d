"""Commands on disks that take no more."""

import numpy as np
import pytest
import yaml
from helpers.command_line import fails, lle
from helpers.disks import mounted, small_files

from napari_lle.model.io.files import write_image

rng = np.random.default_rng(0)


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for folder, top in (("low", 25), ("ref", 250)):
        (tmp_path / folder).mkdir()
        for i in range(3):
            image = np.random.default_rng(i).random((64, 96, 3)) * top
            write_image(tmp_path / folder / f"{i}.png", image.astype(np.uint8), rgb=True)
    counts = rng.integers(100, 900, (3, 64, 96)).astype(np.uint16)
    write_image(tmp_path / "raw.tif", counts, rgb=False)
    (tmp_path / "run.yaml").write_text(yaml.safe_dump({"batch": 1, "crop": 16}))
    (tmp_path / "out").mkdir()
    return tmp_path


PAIR = ("--low", "low", "--reference", "ref")
COMMANDS = [
    ("enhance", "raw.tif", "-o", "out/r.tif", "--illumination", "out/l.tif"),
    ("enhance", "raw.tif", "-o", "out/r.zarr", "--illumination", "out/l.zarr"),
    ("calibrate", "raw.tif", "--dark", "raw.tif", "-o", "out/c.tif"),
    ("stages", "raw.tif", "-o", "out/stages"),
    ("evaluate", *PAIR, "--sheet", "out/s.jpg"),
    ("evaluate", *PAIR, "--json", "out/e.json"),
    ("train", *PAIR, "-o", "out/m.safetensors", "--config", "run.yaml", "--steps", "1"),
    ("train", *PAIR, "-o", "m.safetensors", "--resume", "out/run", "--config", "run.yaml"),
]
EACH = pytest.mark.parametrize("command", COMMANDS, ids=" ".join)


@EACH
def test_the_reason_is_named_and_nothing_stays(here, command):
    if command[-1] == "out/e.json":
        pytest.skip("its file is smaller than the smallest disk")
    with mounted(here / "out", "size=4k"):
        line = fails(*command, *(("--steps", "1") if command[-1] == "run.yaml" else ()))
        assert "the disk is full" in line
        left = [f for f in (here / "out").rglob("*") if f.is_file()]
        assert not [f for f in left if f.name != "settings.yaml"]


@EACH
def test_read_only_disks(here, command):
    with mounted(here / "out", "ro"):
        line = fails(*command, *(("--steps", "1") if command[-1] == "run.yaml" else ()))
        assert "read-only" in line or "takes no files" in line


def test_a_batch_goes_on_where_a_file_was_too_large(here, model):
    write_image(
        here / "low" / "9.png", rng.integers(0, 9, (200, 200, 3)).astype(np.uint8), rgb=True
    )
    write_image(here / "low" / "a.png", np.full((8, 8, 3), 5, np.uint8), rgb=True)
    with small_files(30_000):
        done = lle("enhance", "low", "-o", "out", "--model", model)
    assert done.returncode == 2 and done.stdout.splitlines()[-1] == "4 of 5 files done"
    assert "9.png cannot be written: the disk takes no file of that size" in done.stderr
    assert {f.name for f in (here / "out").iterdir()} == {"0.png", "1.png", "2.png", "a.png"}
