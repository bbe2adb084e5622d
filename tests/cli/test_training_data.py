"""`train` on the command line: stacks as in the window, and the window's words on bad pairs."""

import json
import re

import numpy as np
import pytest
import tifffile
from helpers.command_line import fails, lle
from safetensors import safe_open
from scipy.ndimage import gaussian_filter
from typer.testing import CliRunner

from napari_lle.cli.app import app
from napari_lle.model.data.loading import load_images, load_masks, load_pairs
from napari_lle.model.io.files import write_image
from napari_lle.model.network.checkpoint import load_model
from napari_lle.model.training import verdict

SIDE = 64


def scene(seed, gain=1.0):
    """Blobs, (SIDE, SIDE, 3) uint8."""
    light = gaussian_filter(np.random.default_rng(seed).random((SIDE, SIDE, 3)), (3, 3, 0))
    light = (light - light.min()) / np.ptp(light)
    return (light * 200 * gain).astype(np.uint8)


@pytest.fixture
def folders(tmp_path):
    for name in ("low", "high"):
        (tmp_path / name).mkdir()
    return tmp_path


def add(folders, name, low, high):
    for folder, pixels in (("low", low), ("high", high)):
        write_image(folders / folder / f"{name}.tif", pixels, rgb=pixels.shape[-1] == 3)


def train(folders, *more, run=lle):
    words = ("--low", folders / "low", "--reference", folders / "high", "--steps", 1)
    return run("train", *words, "-o", folders / "m.safetensors", "--device", "cpu", *more)


def card(folders):
    with safe_open(folders / "m.safetensors", framework="np") as file:
        return json.loads(file.metadata()["card"])


def test_bad_pairs_are_named_in_the_words_of_the_window(folders):
    for i in range(3):
        add(folders, f"good{i}", scene(i, 0.1), scene(i))
    add(folders, "swapped", scene(7), scene(7, 0.1))
    add(folders, "unrelated", scene(8, 0.1), scene(9))
    add(folders, "black", scene(10, 0.0), scene(10))
    add(folders, "shifted", np.roll(scene(11, 0.1), 5, axis=1), scene(11))
    add(folders, "smaller", scene(12, 0.1)[:60], scene(12))
    done = train(folders)
    assert done.returncode == 0
    told = " ".join(done.stderr.split())
    assert "3 of 8 pairs are left out. black: The dark image holds one value throughout" in told
    assert re.search(r"shifted: The reference is (4\.[5-9]|5\.[0-5]) pixels off\.", told), told
    assert "smaller: The images differ in size (60 x 64 x 3 and 64 x 64 x 3)." in told
    assert "2 of 8 pairs have issues. swapped: The reference is noisier than its image" in told
    assert "unrelated: The images hardly show the same scene." in told
    assert "3 of 8 pairs are left out" in card(folders)["left_out"]


def test_pairs_none_of_which_can_be_learned_from_are_refused(folders):
    add(folders, "a", scene(1, 0.1)[:60], scene(1))
    line = train(folders, run=fails)
    assert "None of the pairs can be trained on" in line and "differ in size" in line
    assert not (folders / "m.safetensors").exists()


def test_stacks_are_trained_on_plane_by_plane_under_common_levels(folders):
    low = np.stack([scene(i, 0.1)[..., 0] * (i + 1) for i in range(4)])
    high = np.stack([scene(i)[..., 0] for i in range(4)])
    add(folders, "stack", low, high)
    pairs = load_pairs(folders / "low", folders / "high")
    assert [p.name for p in pairs] == [f"stack-{i:03}" for i in range(4)]
    whites = [p.low.max() for p in pairs]
    assert whites[0] < 0.5 and whites[3] == pytest.approx(1, abs=0.01)  # levels of the whole stack
    assert train(folders).returncode == 0


def test_an_annotation_of_a_stack_is_for_its_planes(folders):
    low, high = (np.stack([scene(i, g)[..., 0] for i in range(3)]) for g in (0.1, 1))
    add(folders, "stack", low, high)
    (folders / "masks").mkdir()
    mask = np.ones((SIDE, SIDE), np.uint8)
    mask[:, 40:] = 2
    write_image(folders / "masks" / "stack.tif", mask, rgb=False)
    training, held_out = load_masks(
        folders / "masks", load_pairs(folders / "low", folders / "high")
    )
    assert len(training) == len(held_out) == 3
    assert np.isnan(training[1].reference[:, 40:]).all()
    assert train(folders, "--masks", folders / "masks").returncode == 0


def test_dark_stacks_without_references_are_read_by_planes(folders):
    write_image(
        folders / "low" / "a.tif", np.stack([scene(i)[..., 0] for i in range(3)]), rgb=False
    )
    assert [p.name for p in load_images(folders / "low")] == ["a-000", "a-001", "a-002"]


def test_stacks_of_different_lengths_are_refused(folders):
    add(folders, "a", np.stack([scene(1, 0.1)[..., 0]] * 2), np.stack([scene(1)[..., 0]] * 3))
    with pytest.raises(ValueError, match="2 planes, its reference 3; give stacks of one length"):
        load_pairs(folders / "low", folders / "high")


@pytest.mark.parametrize("command", ["train", "evaluate", "noisy"])
def test_files_of_several_images_are_named(folders, command):
    for i in range(2):
        add(folders, str(i), scene(i, 0.1), scene(i))
    for folder, gain in (("low", 0.1), ("high", 1)):
        with tifffile.TiffWriter(folders / folder / "1.tif", ome=True) as file:
            for _ in range(3):
                file.write(scene(1, gain), metadata={"axes": "YXS"}, photometric="rgb")
    pair = ("--low", folders / "low", "--reference", folders / "high")
    if command == "train":
        done = train(folders)
    elif command == "evaluate":
        done = lle("evaluate", *pair, "--metrics", "psnr")
    else:
        with tifffile.TiffWriter(folders / "1.tif") as file:
            for i in range(2):
                file.write(scene(i)[..., 0].astype(np.uint16), metadata={"axes": "YX"})
        words = ("--objective", "noisy", folders / "1.tif", "--steps", 1)
        done = lle("train", *words, "-o", folders / "m.safetensors", "--device", "cpu")
    told = " ".join(done.stderr.split())
    hold, first = "1 file holds", "1.tif (1 of 2)"
    if command != "noisy":
        hold, first = "2 files hold", "1.tif (1 of 3), 1.tif (1 of 3)"
    assert f"{hold} several images, of which the first is read: {first}" in told


def test_a_comparison_that_fails_loses_no_training(folders, monkeypatch):
    """Memory may run out in it: the model is there already, without scores."""

    def out_of_memory(*_):
        raise MemoryError
        yield

    for i in range(3):
        add(folders, str(i), scene(i, 0.1), scene(i))
    monkeypatch.setattr(verdict, "verdict_steps", out_of_memory)
    words = ["--low", folders / "low", "--reference", folders / "high", "--steps", 1]
    out = folders / "m.safetensors"
    done = CliRunner().invoke(app, ["train", *map(str, [*words, "-o", out, "--device", "cpu"])])
    assert done.exit_code != 0
    assert load_model(out).card["steps"] == 1
    assert "compared" not in card(folders)


def test_one_pair_is_enough_part_of_it_validates(folders):
    large = np.tile(scene(3), (3, 3, 1))
    add(folders, "only", (large * 0.1).astype(np.uint8), large)
    done = train(folders)
    assert not done.returncode, done.stderr
    assert card(folders)["held_out"]["psnr"] > 0
    write_image(folders / "low" / "only.tif", scene(3, 0.1)[:20, :20], rgb=True)
    write_image(folders / "high" / "only.tif", scene(3)[:20, :20], rgb=True)
    done = train(folders)
    assert done.returncode == 2 and "too small to be split" in done.stderr
