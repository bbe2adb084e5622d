"""No command writes onto what it reads, or twice onto one file."""

import os

import numpy as np
import pytest
from helpers.command_line import fails

from napari_lle.model.io.files import write_image

rng = np.random.default_rng(0)


@pytest.fixture
def here(tmp_path, monkeypatch, model):
    """A folder with some of everything that commands read."""
    monkeypatch.chdir(tmp_path)
    for folder, top in (("low", 25), ("ref", 250)):
        (tmp_path / folder).mkdir()
        for i in range(2):
            image = rng.integers(0, top, (24, 30, 3)).astype(np.uint8)
            write_image(tmp_path / folder / f"{i}.png", image, rgb=True)
    for name in ("raw.tif", "dark.tif", "L_1.tif"):
        counts = rng.integers(100, 900, (24, 30)).astype(np.uint16)
        write_image(tmp_path / name, counts, rgb=False)
    write_image(tmp_path / "in.zarr", counts, rgb=False)
    (tmp_path / "mine.safetensors").write_bytes(model.read_bytes())
    os.link("raw.tif", "hard.tif")
    (tmp_path / "soft.tif").symlink_to("raw.tif")
    return tmp_path


def contents(folder):
    return {f.relative_to(folder): f.read_bytes() for f in folder.rglob("*") if f.is_file()}


TRAIN = ("train", "--low", "low", "--reference", "ref", "--steps", "2")
EVALUATE = ("evaluate", "--low", "low", "--reference", "ref", "--model", "mine.safetensors")
ENHANCE = ("enhance", "raw.tif", "--model", "mine.safetensors")


@pytest.mark.parametrize(
    "command",
    [
        (*ENHANCE, "-o", "r.tif", "--illumination", "raw.tif"),
        (*ENHANCE, "-o", "r.tif", "--illumination", "hard.tif"),
        (*ENHANCE, "-o", "soft.tif"),
        (*ENHANCE, "-o", "low/../raw.tif"),
        (*ENHANCE, "-o", "./"),
        (*ENHANCE, "-o", "r.tif", "--illumination", "./r.tif"),
        ("enhance", "in.zarr", "-o", "in.zarr"),
        ("enhance", "in.zarr", "-o", "in.zarr/r.tif"),
        ("enhance", "in.zarr", "-o", "r.zarr", "--illumination", "r.zarr/l.zarr"),
        ("enhance", "low", "-o", "low"),
        ("enhance", "low/*.png", "-o", "low"),
        ("restore", "raw.tif", "dark.tif", "-o", "raw.tif"),
        ("restore", "raw.tif", "dark.tif", "-o", "./dark.tif"),
        ("calibrate", "raw.tif", "--dark", "dark.tif", "-o", "dark.tif"),
        ("calibrate", "raw.tif", "--dark", "dark.tif", "-o", "hard.tif"),
        ("calibrate", "raw.tif", "--dark", "dark.tif", "-o", "./"),
        ("stages", "L_1.tif", "-o", "."),
        ("stages", "in.zarr", "-o", "in.zarr"),
        (*TRAIN, "-o", "mine.safetensors", "--base", "mine.safetensors"),
        (*TRAIN, "-o", "run/best.safetensors", "--resume", "run"),
        (*EVALUATE, "--json", "low/1.png"),
        (*EVALUATE, "--json", "mine.safetensors"),
        (*EVALUATE, "--sheet", "ref/0.png"),
        (*EVALUATE, "--sheet", "s.png", "--json", "s.png"),
        (
            "evaluate",
            "--suite",
            "linear",
            "--model",
            "mine.safetensors",
            "--json",
            "mine.safetensors",
        ),
        ("info", "mine.safetensors", "--json", "mine.safetensors"),
    ],
    ids=" ".join,
)
def test_nothing_is_written_onto_what_is_read(here, command):
    (here / "run").mkdir()
    before = contents(here)
    line = fails(*command)
    assert "input" in line or "one file" in line or "inside the output" in line
    assert contents(here) == before


def test_a_run_does_not_replace_the_images_it_learns_from(here):
    image = rng.integers(0, 25, (24, 30, 3)).astype(np.uint8)
    for folder in ("low", "ref"):
        write_image(here / folder / "curve.png", image, rgb=True)
    before = contents(here)
    assert "the input" in fails(*TRAIN, "-o", "m.safetensors", "--resume", "low")
    (here / "settings.yaml").write_text("batch: 2  # a remark\n")
    config = ("--config", "settings.yaml", "--resume", ".")
    assert "the input" in fails(*TRAIN, "-o", "m.safetensors", *config)
    (here / "settings.yaml").unlink()
    assert contents(here) == before


@pytest.mark.parametrize("output", ["low", "gone/e.json"])
def test_reports_that_cannot_be_written_are_refused_before_the_work(here, output):
    assert "folder" in fails(*EVALUATE, "--json", output)
    assert "folder" in fails("info", "--json", output)
