"""Several processes train as one would: `torchrun` with gloo on this machine."""

import json
import os
import socket
import subprocess
import sys
from datetime import timedelta

import numpy as np
import pytest
import torch
import yaml
from helpers.training import changed
from skimage import data as pictures
from skimage.transform import resize
from torch.distributed import run as torchrun
from typer.testing import CliRunner

from napari_lle.cli.app import app
from napari_lle.model.io.files import write_image
from napari_lle.model.network.checkpoint import load_model
from napari_lle.model.network.network import Network
from napari_lle.model.training import distributed
from napari_lle.model.training.distributed import Share, our_share
from napari_lle.model.training.objectives import Crops, make_objective
from napari_lle.model.training.settings import TrainingSettings

TINY = changed(steps=20, batch=5, validate_every=10)


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    """Four small pairs."""
    root, rng = tmp_path_factory.mktemp("pairs"), np.random.default_rng(0)
    for name in ("low", "reference"):
        (root / name).mkdir()
    for i, name in enumerate(("astronaut", "coffee", "chelsea", "astronaut")):
        reference = resize(getattr(pictures, name)(), (48, 64), anti_aliasing=True)
        low = rng.poisson(reference * 40) / 40 / 8
        for folder, image in (("low", low), ("reference", reference)):
            pixels = np.rint(255 * image.clip(0, 1)).astype(np.uint8)
            write_image(root / folder / f"{i}.png", pixels, rgb=True)
    return root


def words_of(folders, out, *options, **settings):
    """What the command line is told for a run."""
    file = out.with_suffix(".yaml")
    file.write_text(yaml.safe_dump({**TINY.to_dict(), **settings}))
    use = ("train", "--config", file, "-o", out, "--device", "cpu", *options)
    use += ("--low", folders / "low", "--reference", folders / "reference")
    return [str(word) for word in use]


def test_two_processes_make_the_run_of_one(folders, tmp_path, capfd, monkeypatch):
    """Same global batch, same crops: weights within 1e-5 after 20 steps of 5 crops, 3 + 2.

    Beyond rounding nothing differs, but sums are formed in another order.
    """
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    runs = []
    for count in (1, 2):
        out, run = tmp_path / f"{count}.safetensors", tmp_path / f"run{count}"
        words = words_of(folders, out, "--resume", run)
        # What it would do in a process of its own, without loading torch there.
        if count == 1:
            alone = CliRunner().invoke(app, words)
            assert alone.exit_code == 0, alone.output
            said = alone.stdout
        else:
            start = ("--standalone", "--nproc-per-node", "2", "-m", "napari_lle.cli")
            torchrun.main([*start, *words])  # raises where one of them fails
            said = capfd.readouterr().out
        assert said.count(str(out)) == 1  # one of them prints
        runs.append((load_model(out), json.loads((run / "summary.json").read_text())))
    (one, summary), (two, other) = runs
    for name, weight in one.network.state_dict().items():
        torch.testing.assert_close(two.network.state_dict()[name], weight, rtol=0, atol=1e-5)
    start = Network(TINY.network).state_dict()
    moved = max((one.network.state_dict()[k] - v).abs().max() for k, v in start.items())
    assert moved > 1e-2  # a thousand times what they may differ by
    assert two.card.pop("processes") == 2
    assert other["status"] == "done" and other["best"]["step"] == summary["best"]["step"]
    assert other["last"]["loss"] == pytest.approx(summary["last"]["loss"], abs=1e-5)


def test_what_ends_one_process_ends_all(folders, tmp_path, monkeypatch):
    """Started without `torchrun`: the first is this process itself, which saves time."""
    out = tmp_path / "m.safetensors"
    run = tmp_path / "run"
    words = words_of(folders, out, "--resume", run, learning_rate=0.9)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    for name, value in (("ADDR", "127.0.0.1"), ("PORT", port)):
        monkeypatch.setenv(f"MASTER_{name}", str(value))
    monkeypatch.setenv("WORLD_SIZE", "2")
    monkeypatch.setattr(distributed, "TIMEOUT", timedelta(minutes=5))  # until a hang is called one
    second = subprocess.Popen(
        [sys.executable, "-m", "napari_lle.cli", *words],
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "RANK": "1", "OMP_NUM_THREADS": "1"},
    )
    monkeypatch.setenv("RANK", "0")
    first = CliRunner().invoke(app, words)
    _, error = second.communicate(timeout=300)
    assert first.exit_code != 0
    assert (first.stderr + error).count("napari-lle: Training collapsed") == 1
    reason = json.loads((run / "summary.json").read_text())["reason"]
    assert reason == load_model(out).card["warning"]


@pytest.mark.parametrize("crops", [2, 3, 4, 7, 8])
@pytest.mark.parametrize("count", [1, 2, 3])
@pytest.mark.parametrize("objective", ["paired", "paper"])
def test_the_parts_of_a_loss_add_up(objective, crops, count):
    """Also where shares are unequal, empty, or without a crop that the later stages look at."""
    torch.manual_seed(0)
    settings = {"objective": objective, "paper": {"weights": {"perceptual": 0.0}}}
    loss = make_objective(
        TrainingSettings.from_dict({**TINY.to_dict(), **settings}), torch.device("cpu")
    )
    network = Network(TINY.network).double()
    torch.nn.init.normal_(network.auxiliary.conv2.weight, std=0.1)
    halo = network.radius
    side = 24 + 2 * halo
    shapes = (crops, 3, side, side), (crops, 3, 24, 24), (crops, 8)
    batch = [torch.rand(shape, dtype=torch.float64) for shape in shapes]

    def gradient(*shares):
        network.zero_grad()
        for share in shares:
            parts = (a[share.part] if share else a for a in batch)
            loss(network, Crops(*parts), share).backward()
        return torch.cat([p.grad.flatten() for p in network.parameters() if p.grad is not None])

    shares = [Share(crops, i, count) for i in range(min(count, crops))]
    assert sum(len(batch[0][share.part]) for share in shares) == crops
    torch.testing.assert_close(gradient(*shares), gradient(None), rtol=1e-9, atol=1e-12)


def test_a_sum_over_the_batch_is_not_shared():
    paper = {"reduction": "sum", "weights": {"perceptual": 0.0}}
    settings = TrainingSettings.from_dict({**TINY.to_dict(), "objective": "paper", "paper": paper})
    loss, network = make_objective(settings, torch.device("cpu")), Network(TINY.network)
    images = Crops(torch.rand(2, 3, 48, 48), torch.rand(2, 3, 48, 48), torch.rand(2, 8))
    assert loss(network, images, Share(2)).isfinite()
    with pytest.raises(ValueError, match="set it to mean"):
        loss(network, images, Share(4, 0, 2))


def test_a_batch_has_a_crop_for_everybody(monkeypatch):
    assert our_share(1) == Share(1, 0, 1)
    monkeypatch.setattr("napari_lle.model.training.distributed.processes", lambda: 3)
    with pytest.raises(ValueError, match="batch of 2 cannot be shared by 3"):
        our_share(2)
