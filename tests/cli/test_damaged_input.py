"""What is damaged, empty or foreign: a sentence of ours, exit code 2, and nothing written."""

import json

import numpy as np
import pytest
from helpers.command_line import fails, lle
from safetensors import safe_open
from safetensors.numpy import save_file

from napari_lle.model.io.files import write_image
from napari_lle.model.network.bundled import bundled_path


@pytest.fixture
def here(tmp_path, monkeypatch):
    """Three pairs in low and ref, and a model file."""
    monkeypatch.chdir(tmp_path)
    for name, gain in (("low", 20), ("ref", 200)):
        (tmp_path / name).mkdir()
        for i in range(3):
            pixels = np.random.default_rng(i).random((48, 48, 3)) * gain
            write_image(f"{name}/{i}.png", pixels.astype(np.uint8), rgb=True)
    with bundled_path("photo") as source:
        (tmp_path / "m.safetensors").write_bytes(source.read_bytes())
    return tmp_path


PAIR = ("--low", "low", "--reference", "ref")
TRAIN = ("train", *PAIR, "-o", "new.safetensors", "--device", "cpu", "--steps", "1")


def foreign(line):
    """Words of libraries, or of Python."""
    return [w for w in ("Error", "while scanning", "torch", "Pillow", "identify") if w in line]


def test_a_black_image_does_not_end_an_evaluation(here):
    write_image("low/1.png", np.zeros((48, 48, 3), np.uint8), rgb=True)
    done = lle("evaluate", *PAIR, "--json", "j.json", "--per-image")
    assert done.returncode == 0 and "nan" in done.stdout
    report = json.loads((here / "j.json").read_text(), parse_constant=pytest.fail)
    assert report["per_image"][1]["noise_gain"] is None and report["noise_gain"] > 0


def test_references_that_are_no_numbers_are_not_scored(here):
    (here / "ref/1.png").unlink()
    write_image("ref/1.tif", np.full((48, 48, 3), np.nan, np.float32), rgb=True)
    line = fails("evaluate", *PAIR, "--json", "j.json")
    assert "1.tif: 100 % of the pixels are not numbers" in line and not (here / "j.json").exists()


def test_files_of_other_kinds_are_named(here):
    (here / "ref/1.png").write_bytes(b"no picture")
    for command in (TRAIN, ("evaluate", *PAIR)):
        line = fails(*command)
        assert "1.png cannot be read, for it is damaged or of another format" in line
        assert not foreign(line)
    write_image("ref/1.tif", np.zeros((5, 48, 48), np.uint8), rgb=False)
    (here / "ref/1.png").unlink()
    assert "1.tif: An image of shape (5, 48, 48) is neither" in fails("evaluate", *PAIR)


@pytest.mark.parametrize("side", [5, 6])
def test_pairs_smaller_than_the_window_of_ssim(here, side):
    for name in ("low", "ref"):
        for i in range(3):
            pixels = np.random.default_rng(i).random((side, side, 3)) * 90
            write_image(f"{name}/{i}.png", pixels.astype(np.uint8), rgb=True)
    assert "under 7 pixels a side" in fails(*TRAIN)


@pytest.mark.parametrize("content", [b"", b"junk", b"II*\0" + bytes(64)])
@pytest.mark.parametrize("suffix", [".pth", ".safetensors"])
def test_weights_that_are_none(here, content, suffix):
    (here / f"v{suffix}").write_bytes(content)
    words = ("--images", "low", "--objective", "paper", "--vgg", f"v{suffix}", "--steps", "1")
    line = fails("train", *words, "-o", "new.safetensors")
    assert f"v{suffix} is not a VGG16 weight file: is it complete?" in line and not foreign(line)


def test_weights_are_not_written_over(here):
    (here / "v.safetensors").write_bytes(b"mine")
    words = ("--images", "low", "--objective", "paper", "--vgg", "v.safetensors", "--steps", "1")
    assert "is the input itself" in fails("train", *words, "-o", "v.safetensors")
    assert (here / "v.safetensors").read_bytes() == b"mine"


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"data: caf\xe9\n", "not UTF-8 text"),
        (b"steps: 1\nseed: -5\n", "seed must be a whole number, 0 or more"),
        (b"a: " + b"[" * 3000, "write lines of `name: value`"),
        (b"steps: 1\n\tcrop: 32\n", "not YAML in line 2"),
        (b"a: !!python/object:os.system\n", "write lines of `name: value`"),
    ],
)
def test_settings_that_are_none(here, content, sentence):
    (here / "c.yaml").write_bytes(content)
    line = fails("train", *PAIR, "-o", "new.safetensors", "--config", "c.yaml")
    assert sentence in line and not foreign(line)


@pytest.mark.parametrize("card", ['{"held_out": "x"}', '{"held_out": null}', '{"held_out": [1]}'])
def test_a_card_of_another_shape_is_shown_all_the_same(here, card):
    described(here, "card", card)
    assert lle("info", "odd.safetensors", "--json", "j.json").returncode == 0


@pytest.mark.parametrize("field", ["card", "config"])
def test_descriptions_without_an_end(here, field):
    described(here, field, "[" * 5000)
    for command in (("info", "odd.safetensors"), ("enhance", "low", "-o", "o/", "--model")):
        words = command if command[0] == "info" else (*command, "odd.safetensors")
        done = lle(*words)
        assert done.returncode == 2 and "its description cannot be read" in done.stderr
        assert not foreign(done.stderr)


def described(here, field, text):
    """The bundled model with another description."""
    with safe_open(here / "m.safetensors", framework="np") as file:
        tensors = {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118
        metadata = file.metadata()
    save_file(tensors, here / "odd.safetensors", {**metadata, field: text})


def test_a_folder_is_no_name_for_what_goes_beside(here):
    line = fails("enhance", "low/0.png", "-o", "r.tif", "--illumination", "")
    assert "--illumination . is a folder: name a file in it" in line
