"""Advice is followed: a command is refused, what its sentence says is done, and it works."""

import ast
import re
import shutil
import tomllib
from contextlib import chdir
from pathlib import Path

import numpy as np
import pytest
from helpers.advice import FOLLOWED, PAIR
from helpers.command_line import fails, lle
from helpers.places import ROOT
from PIL import Image

from napari_lle.model.io import memory
from napari_lle.model.io.files import FileRecord, write_image
from napari_lle.model.losses import vgg

# Advice that needs a machine of its own is followed elsewhere.
ELSEWHERE = {
    "--scheduler writes Zarr only": "tests/model/inference/test_cluster.py",
    "add --yes to download": "tests/model/losses/test_vgg.py",
    " holds one image, not ": "tests/cli/test_several_images.py",
    ": restore from float32": "tests/widgets/shared/test_adoption.py",
}


@pytest.fixture(scope="module")
def images(tmp_path_factory):
    """A folder with images of many kinds."""
    folder, rng = tmp_path_factory.mktemp("images"), np.random.default_rng(0)
    with chdir(folder):
        make_images(rng)
    return folder


@pytest.fixture
def here(tmp_path, monkeypatch, images):
    """A copy of it, which is the working directory."""
    shutil.copytree(images, tmp_path, dirs_exist_ok=True)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def make_images(rng):
    """In the working directory."""
    counts = rng.integers(100, 900, (80, 96)).astype(np.uint16)
    write_image("grey.tif", counts, rgb=False)
    write_image("stack.tif", np.stack([counts] * 3), rgb=False, about=FileRecord("TYX"))
    channels = np.stack([counts, counts // 2])[None].repeat(3, axis=0)
    write_image("channels.tif", channels, rgb=False, about=FileRecord("TCYX"))
    write_image("float.tif", counts.astype(np.float32), rgb=False)
    frames = [Image.fromarray((counts >> i).astype(np.uint8)) for i in (2, 3)]
    frames[0].save("moving.png", save_all=True, append_images=frames[1:])
    for name, gain in (("low", 20), ("ref", 200)):
        Path(name).mkdir()
        for i in range(3):
            pixels = np.random.default_rng(i).random((32, 40, 3)) * gain
            write_image(f"{name}/{i}.png", pixels.astype(np.uint8), rgb=True)
    lle("enhance", "grey.tif", "-o", "rounded.tif", "--dtype", "same")
    lle("enhance", "grey.tif", "-o", "r.tif", "--illumination", "l.tif")
    lle("enhance", "grey.tif", "-o", "whole.tif", "--bundle", "whole.zip")
    lle("enhance", "grey.tif", "-o", "told.tif", "--bundle", "told.zip", "--digest-only")


@pytest.mark.parametrize("advice", FOLLOWED, ids=lambda a: a.sentence)
def test_a_refused_command_works_once_its_sentence_is_followed(here, advice):
    before = sorted(here.rglob("*"))
    line = fails(*advice.refused.split(" "))
    assert advice.sentence in line
    assert sorted(here.rglob("*")) == before  # nothing is left of it
    for command in advice.followed:
        done = lle(*command.split())
        assert done.returncode == 0, done.stderr


def test_the_suite_is_not_for_folders(here):
    line = fails(*f"evaluate --suite linear {PAIR}".split())
    assert "--suite cannot be combined with folders or --sheet" in line
    assert "--suite must be linear or photographs, not 'x'" in fails("evaluate", "--suite", "x")


def test_one_of_several_images_is_chosen_as_told(here):
    done = lle("enhance", "moving.png", "-o", "a.png")
    assert done.returncode == 0 and "image 1 of 2: choose with --image N" in done.stderr
    assert lle("enhance", "moving.png", "-o", "a.png", "--image", "2").stderr == ""


def test_what_is_too_large_for_the_memory_goes_to_a_zarr(here, monkeypatch):
    monkeypatch.setattr(memory, "free_memory", lambda: 1000)
    line = fails("enhance", "grey.tif", "-o", "a.tif")
    assert "write to a .zarr, which is made block by block" in line
    assert lle("enhance", "grey.tif", "-o", "a.zarr").returncode == 0


def test_a_device_that_is_not_there(here, monkeypatch):
    monkeypatch.setattr("torch.backends.mps.is_available", lambda: False)
    assert "choose auto or cpu" in fails("enhance", "grey.tif", "-o", "a.tif", "--device", "mps")
    for device in ("auto", "cpu"):
        assert lle("enhance", "grey.tif", "-o", "a.tif", "--device", device).returncode == 0


def test_weights_that_are_not_there_are_asked_for(here, monkeypatch):
    monkeypatch.setattr(vgg, "official_path", lambda: here / "no")
    words = ("--images", "low", "--objective", "paper", "--vgg", "official", "--steps", "1")
    assert "add --yes to download them" in fails("train", *words, "-o", "m.safetensors")


def sentences():
    """Literal parts of all that the package raises, `*` between them."""
    for path in (ROOT / "napari_lle").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            call = node.exc if isinstance(node, ast.Raise) else None
            if isinstance(call, ast.Call) and call.args:
                parts = getattr(call.args[0], "values", [call.args[0]])
                literal = [getattr(part, "value", "*") for part in parts]
                yield "".join(part if isinstance(part, str) else "*" for part in literal)


def test_no_advice_on_an_option_is_left_untried():
    said = {sentence for sentence in sentences() if re.search(r"--[a-z]|write to", sentence)}
    source = Path(__file__).read_text()
    tried = [a.sentence for a in FOLLOWED] + re.findall(r'"([^"\n]+)" in', source) + [*ELSEWHERE]
    assert all((ROOT / file).exists() for file in ELSEWHERE.values())
    left = []
    for sentence in said:
        parts = [part.strip(" .") for part in sentence.split("*") if len(part) > 12]
        if not any(t in part or part in t for t in tried for part in parts):
            left.append(sentence)
    assert not left and len(said) > 15


def test_extras_that_are_recommended_exist():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    named = {
        extra
        for sentence in sentences()
        for found in re.findall(r"napari-lle\[([a-z,]+)\]", sentence)
        for extra in found.split(",")
    }
    assert named and named <= set(project["optional-dependencies"])
