"""Files and runs that know what they are of: R and L, a run's images, names without partner."""

import json

import numpy as np
import pytest
from typer.testing import CliRunner

from napari_lle.cli.app import app
from napari_lle.model.io.files import read_image, write_image


def call(*words):
    return CliRunner().invoke(app, [str(word) for word in words])


@pytest.fixture
def image(tmp_path, rng):
    write_image(tmp_path / "in.tif", rng.integers(5, 900, (40, 50)).astype(np.uint16), rgb=False)
    return tmp_path / "in.tif"


def enhanced(image, name, suffix=".tif", model="linear"):
    """R and L of an image."""
    r, light = (image.with_name(f"{name}-{what}{suffix}") for what in "RL")
    words = ("--dtype", "float32", "--device", "cpu", "--model", model)
    answer = call("enhance", image, "-o", r, "--illumination", light, *words)
    assert answer.exit_code == 0, answer.output
    return r, light


@pytest.mark.parametrize("suffix", [".tif", ".fits", ".zarr"])
def test_a_pair_is_restored_and_nothing_else(image, suffix):
    r, light = enhanced(image, "a", suffix)
    back = image.with_name(f"back{suffix}")
    for first, second in ((r, r), (light, light), (light, r)):
        answer = call("restore", first, second, "-o", back)
        assert answer.exit_code == 2, (first, second)
        assert "give the reflectance first" in answer.output or "float32" in answer.output
        assert "Traceback" not in answer.output and not back.exists()
    assert call("restore", r, light, "-o", back).exit_code == 0
    np.testing.assert_array_equal(
        np.squeeze(read_image(back).pixels), np.squeeze(read_image(image).pixels)
    )


def test_an_illumination_of_another_image_of_the_same_levels_is_refused(image):
    pixels = read_image(image).pixels
    other = image.with_name("other.tif")
    write_image(other, np.ascontiguousarray(pixels[::-1]), rgb=False)
    r, _ = enhanced(image, "a")
    _, light = enhanced(other, "b")
    answer = call("restore", r, light, "-o", image.with_name("back.tif"))
    assert answer.exit_code == 2 and "not come from the same run" in answer.output


@pytest.fixture
def folders(tmp_path):
    """Six dark images, and references for the first four."""
    for name, count, gain in (("low", 6, 25), ("high", 4, 250)):
        (tmp_path / name).mkdir()
        for i in range(count):
            pixels = np.random.default_rng(i).random((48, 48, 3)) * gain
            write_image(tmp_path / name / f"{i}.png", pixels.astype(np.uint8), rgb=True)
    return tmp_path


def test_names_without_a_partner_are_counted_and_named(folders):
    low, high = folders / "low", folders / "high"
    report = folders / "report.json"
    answer = call("evaluate", "--low", low, "--reference", high, "--json", report)
    told = "2 of 6 names are left out, without a file in both folders: 4, 5."
    assert answer.exit_code == 0 and told in " ".join(answer.output.split())
    assert json.loads(report.read_text())["left_out"] == told
    model = folders / "m.safetensors"
    answer = call("train", "--low", low, "--reference", high, "-o", model, "--steps", 1)
    assert answer.exit_code == 0 and told in " ".join(answer.output.split())


def test_a_run_goes_on_with_its_own_images_only(folders):
    words = ("--low", folders / "low", "--reference", folders / "high")
    words = ("train", *words, "-o", folders / "m.safetensors", "--resume", folders / "run")
    assert call(*words, "--steps", 1, "--device", "cpu").exit_code == 0
    assert call(*words, "--steps", 1, "--device", "cpu").exit_code == 0  # nothing left to do
    other = (np.random.default_rng(9).random((48, 48, 3)) * 25).astype(np.uint8)
    write_image(folders / "low" / "2.png", other, rgb=True)
    answer = call(*words, "--steps", 1, "--device", "cpu")
    assert answer.exit_code == 2
    assert "a run on other images (1 changed)" in " ".join(answer.output.split())


@pytest.mark.parametrize("name", ["._0.png", ".DS_Store.png"])
def test_hidden_files_do_not_stop_training(folders, name):
    (folders / "low" / name).write_bytes(b"not an image")
    words = ("--low", folders / "low", "--reference", folders / "high", "--steps", 1)
    answer = call("train", *words, "-o", folders / "m.safetensors")
    assert answer.exit_code == 0, answer.output


def test_a_superscript_digit_in_a_name_is_a_letter(folders):
    for name in ("low", "high"):
        (folders / name / "1.png").rename(folders / name / "1².png")
    words = ("--low", folders / "low", "--reference", folders / "high", "--steps", 1)
    assert call("train", *words, "-o", folders / "m.safetensors").exit_code == 0
