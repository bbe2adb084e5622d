"""The command line on real files: mostly in this process, which saves importing torch each time."""

import json

import numpy as np
import pytest
import yaml
from helpers.command_line import fails, lle, process

from napari_lle.model.io.files import read_image, write_image
from napari_lle.model.network.checkpoint import load_model

rng = np.random.default_rng(0)


@pytest.fixture
def photo(tmp_path):
    pixels = (rng.gamma(2, 0.2, (40, 60, 3)).clip(0, 1) * 60).astype(np.uint8)
    write_image(tmp_path / "dark.png", pixels, rgb=True)
    return tmp_path / "dark.png"


@pytest.mark.parametrize("suffix", [".png", ".jpg", ".webp", ".tif"])
def test_enhance_brightens_and_keeps_the_dtype(photo, model, tmp_path, suffix):
    done = lle("enhance", photo, "-o", tmp_path / f"out{suffix}", "--model", model)
    assert done.returncode == 0, done.stderr
    out, dark = read_image(tmp_path / f"out{suffix}"), read_image(photo)
    assert out.pixels.shape == dark.pixels.shape and out.pixels.dtype == np.uint8
    assert out.pixels.mean() > dark.pixels.mean() * 1.5


@pytest.mark.parametrize(
    ("name", "dtype", "shape", "rgb"),
    [
        ("a.png", "uint8", (30, 40, 3), True),
        ("a.png", "uint16", (30, 40), False),
        ("a.tif", "uint16", (4, 30, 40), False),
        ("a.tif", "uint8", (30, 40, 4), True),
        ("a.tif", "float32", (30, 40), False),
    ],
)
def test_restore_gives_the_file_again(tmp_path, model, name, dtype, shape, rgb):
    top = 1.0 if dtype == "float32" else np.iinfo(dtype).max / 5
    pixels = (rng.random(shape) * top).astype(dtype)
    write_image(tmp_path / name, pixels, rgb=rgb)
    r, light, back = tmp_path / "r.tif", tmp_path / "l.tif", tmp_path / f"back-{name}"
    options = ("--model", model, "--strength", "0.8", "--channels", "joint", "--tile", "32")
    done = lle("enhance", tmp_path / name, "-o", r, "--illumination", light, *options)
    assert done.returncode == 0, done.stderr
    assert read_image(r).pixels.dtype == np.float32
    done = lle("restore", r, light, "-o", back)
    assert done.returncode == 0, done.stderr
    again = read_image(back)
    assert again.pixels.dtype == pixels.dtype and again.rgb == rgb
    if dtype == "float32":
        np.testing.assert_allclose(again.pixels, pixels, rtol=2e-7)
    else:
        assert (again.pixels == pixels).all()


def test_another_process_enhances_and_refuses(photo, model, tmp_path):
    done = process("enhance", photo, "-o", tmp_path / "out.png", "--model", model)
    assert done.returncode == 0, done.stderr
    assert read_image(tmp_path / "out.png").pixels.mean() > read_image(photo).pixels.mean() * 1.5
    line = fails("enhance", tmp_path / "gone.png", "-o", tmp_path / "x.png", run=process)
    assert "no file" in line


def test_several_inputs_go_to_a_folder(photo, model, tmp_path):
    other = tmp_path / "other.tif"
    write_image(other, read_image(photo).pixels, rgb=True)
    out = tmp_path / "out"
    out.mkdir()
    done = lle("enhance", photo, other, "-o", out, "--model", model)
    assert done.returncode == 0, done.stderr
    assert {f.name for f in out.iterdir()} == {"dark.png", "other.tif"}


def test_levels_given_are_levels_used(tmp_path, model):
    counts = rng.integers(100, 900, (30, 40)).astype(np.uint16)
    write_image(tmp_path / "c.tif", counts, rgb=False)
    out = tmp_path / "o.tif"
    options = ("--black", "100", "--white", "1100", "--dtype", "float32", "--strength", "0")
    assert lle("enhance", tmp_path / "c.tif", "-o", out, "--model", model, *options).returncode == 0
    written = read_image(out)
    np.testing.assert_allclose(written.pixels, (counts - 100.0) / 1000, atol=1e-6)
    assert written.record["levels"] == {"black": 100.0, "white": 1100.0, "dtype": "uint16"}


def test_a_look_chooses_what_is_not_given(photo, tmp_path):
    by_look, by_hand = tmp_path / "look.tif", tmp_path / "hand.tif"
    options = ("--dtype", "float32")
    assert not lle("enhance", photo, "-o", by_look, "--look", "publication", *options).returncode
    assert not lle("enhance", photo, "-o", by_hand, "--model", "stretch:mtf", *options).returncode
    np.testing.assert_array_equal(read_image(by_look).pixels, read_image(by_hand).pixels)
    asked = ("--look", "fluorescence", "--model", "stretch:mtf", "--channels", "per", *options)
    assert not lle("enhance", photo, "-o", by_look, *asked).returncode
    np.testing.assert_array_equal(read_image(by_look).pixels, read_image(by_hand).pixels)
    assert "look" in fails("enhance", photo, "-o", by_look, "--look", "painting")


def test_bad_input_is_one_line_and_writes_nothing(photo, model, tmp_path):
    broken = tmp_path / "broken.png"
    broken.write_bytes(photo.read_bytes()[:200])
    out = tmp_path / "out.png"
    use = ("--model", model)
    assert "no file" in fails("enhance", tmp_path / "gone.png", "-o", out, *use)
    assert "broken.png cannot be read" in fails("enhance", broken, "-o", out, *use)
    assert "none of" in fails("enhance", photo, "-o", tmp_path / "out.xyz", *use)
    assert "no folder" in fails("enhance", photo, "-o", tmp_path / "no" / "out.png", *use)
    assert "cannot hold float32" in fails("enhance", photo, "-o", out, *use, "--dtype", "float32")
    assert "--dtype must be" in fails("enhance", photo, "-o", out, *use, "--dtype", "int3")
    assert "strength" in fails("enhance", photo, "-o", out, *use, "--strength", "7")
    assert "no model" in fails("enhance", photo, "-o", out, "--model", "nice")
    assert "not a readable model" in fails("enhance", photo, "-o", out, "--model", fake(tmp_path))
    assert "device must be one of" in fails("enhance", photo, "-o", out, *use, "--device", "tpu")
    assert "the input itself" in fails("enhance", photo, "-o", photo, *use)
    assert "not a folder" in fails("enhance", photo, photo, "-o", out, *use)
    assert "was not written by napari-lle" in fails("restore", photo, photo, "-o", out)
    assert not out.exists()
    left = {f.name for f in tmp_path.iterdir()}
    assert left == {"dark.png", "broken.png", "fake.safetensors"}


def fake(folder):
    (folder / "fake.safetensors").write_bytes(b"PK\x03\x04 something else")
    return folder / "fake.safetensors"


def test_restore_refuses_a_pair_of_two_runs(photo, model, tmp_path):
    for i, strength in enumerate(("0.5", "1")):
        pair = ("-o", tmp_path / f"r{i}.tif", "--illumination", tmp_path / f"l{i}.tif")
        lle("enhance", photo, *pair, "--model", model, "--strength", strength)
    line = fails("restore", tmp_path / "r0.tif", tmp_path / "l1.tif", "-o", tmp_path / "b.png")
    assert "not come from the same run" in line
    rounded = tmp_path / "rounded.tif"
    lle("enhance", photo, "-o", rounded, "--model", model)
    line = fails("restore", rounded, tmp_path / "l1.tif", "-o", tmp_path / "b.png")
    assert "--dtype float32" in line


def test_evaluate_prints_the_table_and_writes_the_figures(model, tmp_path):
    scene = rng.random((24, 30, 3))
    for name, gain in (("low", 0.1), ("high", 1.0)):
        (tmp_path / name).mkdir()
        pixels = (scene * 255 * gain).astype(np.uint8)
        write_image(tmp_path / name / "1.png", pixels, rgb=True)
    folders = ("--low", tmp_path / "low", "--reference", tmp_path / "high")
    more = ("--per-image", "--sheet", tmp_path / "sheet.png")
    done = lle("evaluate", *folders, "--model", model, "--json", tmp_path / "e.json", *more)
    assert done.returncode == 0, done.stderr
    for word in ("mine", "input", "auto_gamma", "mtf", "constant", "clahe", "PSNR gt", "LOE"):
        assert word in done.stdout
    report = json.loads((tmp_path / "e.json").read_text())
    assert report["n"] == 1 and report["model"] == "mine"
    few = lle("evaluate", *folders, "--model", model, "--metrics", "psnr,ssim")
    assert f"{report['psnr']:.2f}" in few.stdout and "LOE" not in few.stdout
    assert "there is no 'psrn'" in fails("evaluate", *folders, "--metrics", "psrn")
    assert done.stdout.count(f"{report['psnr']:.2f}") >= 2  # the mean, and the only image's
    assert read_image(tmp_path / "sheet.png").rgb
    assert "no folder" in fails(
        "evaluate", "--low", tmp_path / "x", "--reference", tmp_path / "high"
    )


def test_info_counts_the_real_tensors(model, tmp_path):
    done = lle("info", model, "--json", tmp_path / "i.json")
    assert done.returncode == 0, done.stderr
    answer = json.loads((tmp_path / "i.json").read_text())
    block = load_model(model).network.block
    assert answer["parameters"] == sum(p.numel() for p in block.parameters())
    assert answer["receptive_field"] == 17
    assert "receptive field 75 x 75 pixels" in lle("info", "photo-quarter").stdout
    assert answer["card"]["data"] == "none"
    devices = {d["name"]: d for d in answer["devices"]}
    assert devices["cpu"]["available"] and all(d["why"] for d in devices.values())
    assert str(answer["parameters"]) in done.stdout


def test_train_writes_a_model_that_enhance_takes(photo, tmp_path):
    for name, gain in (("low", 0.1), ("high", 1.0)):
        (tmp_path / name).mkdir()
        for i in range(3):
            pixels = (rng.random((30, 40, 3)) * 255 * gain).astype(np.uint8)
            write_image(tmp_path / name / f"{i}.png", pixels, rgb=True)
    settings = {"batch": 2, "crop": 16, "validate_every": 4, "network": {"stages": 2}}
    (tmp_path / "run.yaml").write_text(yaml.safe_dump(settings))
    folders = ("--low", tmp_path / "low", "--reference", tmp_path / "high")
    trained, run = tmp_path / "new.safetensors", tmp_path / "run"
    rest = ("--config", tmp_path / "run.yaml", "--steps", "6", "--resume", run)
    done = lle(
        "train", *folders, "-o", trained, *rest, "--data", "random noise", "--licence", "none"
    )
    assert done.returncode == 0, done.stderr
    card = load_model(trained).card
    assert card["data"] == "random noise" and card["settings"]["steps"] == 6
    assert lle("enhance", photo, "-o", tmp_path / "o.png", "--model", trained).returncode == 0
    (tmp_path / "masks").mkdir()
    mask = np.ones((30, 40), np.uint8)
    mask[:, 20:] = 2
    write_image(tmp_path / "masks" / "1.tif", mask, rgb=False)
    annotated = ("--masks", tmp_path / "masks", "--config", tmp_path / "run.yaml", "--steps", "4")
    done = lle("train", *folders, "-o", tmp_path / "part.safetensors", *annotated)
    assert done.returncode == 0, done.stderr
    assert load_model(tmp_path / "part.safetensors").card["held_out_pairs"] == ["1"]
    line = fails("train", *folders, "-o", tmp_path / "x.pt", *rest)
    assert ".safetensors" in line
    (tmp_path / "run.yaml").write_text("leraning_rate: 3")
    line = fails("train", *folders, "-o", trained, *rest)
    assert "no training setting leraning_rate" in line


def test_train_on_dark_images_alone(tmp_path, monkeypatch):
    (tmp_path / "dark").mkdir()
    for i in range(3):
        pixels = (rng.random((30, 40, 3)) * 40).astype(np.uint8)
        write_image(tmp_path / "dark" / f"{i}.png", pixels, rgb=True)
    settings = {"batch": 2, "crop": 16, "paper": {"weights": {"perceptual": 0}}}
    (tmp_path / "run.yaml").write_text(yaml.safe_dump(settings))
    trained, run = tmp_path / "new.safetensors", tmp_path / "run"
    rest = ("--images", tmp_path / "dark", "-o", trained, "--objective", "paper")
    assert "VGG16" in fails("train", *rest)
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "no weights here"))
    assert "add --yes to download" in fails("train", *rest, "--vgg", "official")
    done = lle("train", *rest, "--config", tmp_path / "run.yaml", "--epochs", "3", "--resume", run)
    assert done.returncode == 0, done.stderr
    card = load_model(trained).card
    assert card["objective"] == "paper" and card["steps"] == 3  # of 2 images in batches of 2
    again = lle("train", *rest, "--resume", run)  # its settings are in its folder
    assert again.returncode == 0, again.stderr
    assert load_model(trained).card["settings"]["epochs"] == 3


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (("--images", "a", "--low", "b"), "or --images alone"),
        (("--low", "b"), "Give --low and --reference"),
        (("--images", "a", "--steps", "3", "--minutes", "1"), "Give only one of"),
        (("--images", "gone", "--config", "list.yaml"), "holds no settings"),
        (("--images", "gone", "--config", "torn.yaml"), "is not YAML"),
        (("--images", "gone"), "There is no folder gone"),
    ],
)
def test_train_refuses(tmp_path, monkeypatch, options, sentence):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "list.yaml").write_text("- 1")
    (tmp_path / "torn.yaml").write_text("a: [")
    assert sentence in fails("train", "-o", "m.safetensors", *options)


def test_help_names_every_command():
    done = lle("--help")
    assert done.returncode == 0
    for command in ("enhance", "restore", "train", "evaluate", "info"):
        assert command in done.stdout


def test_train_on_noisy_images_alone(tmp_path):
    rng = np.random.default_rng(0)
    write_image(tmp_path / "noisy.tif", rng.poisson(40, (80, 96)).astype(np.uint16), rgb=False)
    out = tmp_path / "own.safetensors"
    rest = ("--objective", "noisy", "-o", out, "--steps", "3")
    done = lle("train", tmp_path / "noisy.tif", *rest)
    assert done.returncode == 0 and "non-local means" in done.stdout
    assert "Only 3 steps: inconclusive" in done.stdout and "hidden" in done.stderr
    card = load_model(out).card
    assert "hidden" in card["learned_from"] and set(card["compared"]) > {"blur 2", "after"}
    assert "are for --objective noisy" in fails("train", tmp_path / "noisy.tif", "-o", out)
