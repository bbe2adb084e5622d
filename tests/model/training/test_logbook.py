import csv
import itertools
import json
import sys
from types import ModuleType

import numpy as np
import pytest
import yaml
from PIL import Image

from napari_lle.model.data.pairs import make_alone
from napari_lle.model.io.atomic import remove_leftovers
from napari_lle.model.network.checkpoint import load_model
from napari_lle.model.training.loop import train
from napari_lle.model.training.loss_plot import draw_curves
from napari_lle.model.training.settings import Paper, TrainingSettings

SETTINGS = TrainingSettings(
    objective="paper",
    paper=Paper({"perceptual": 0.0}),
    steps=10,
    batch=1,
    crop=16,
    validate_every=2,
)


@pytest.fixture(scope="module")
def images():
    rng = np.random.default_rng(0)
    pixels = [(rng.random((24, 30, 3)) * 60).astype(np.uint8) for _ in range(3)]
    return [make_alone(str(i), p) for i, p in enumerate(pixels)]


def rows(folder):
    with (folder / "log.csv").open() as file:
        return list(csv.DictReader(file))


def test_a_run_leaves_its_records(images, tmp_path):
    list(train(images, SETTINGS, run=tmp_path))
    assert [row["step"] for row in rows(tmp_path)] == ["2", "4", "6", "8", "10"]
    settings = yaml.safe_load((tmp_path / "settings.yaml").read_text())
    assert TrainingSettings.from_dict(settings) == SETTINGS
    summary = json.loads((tmp_path / "summary.json").read_text())
    assert (summary["status"], summary["step"], summary["steps"]) == ("done", 10, 10)
    assert summary["seconds"] > 0
    with Image.open(tmp_path / "curve.png") as picture:
        assert np.ptp(np.asarray(picture)) > 100
    card = load_model(tmp_path / "best.safetensors").card
    assert card["held_out"]["score"] == summary["best"]["score"]


@pytest.mark.parametrize("stop", [3, 4, 9])
def test_a_resumed_run_has_each_row_once(images, tmp_path, stop):
    list(train(images, SETTINGS, run=tmp_path / "whole"))
    first = train(images, SETTINGS, run=tmp_path / "halves")
    list(itertools.islice(first, stop))
    first.close()
    status = json.loads((tmp_path / "halves" / "summary.json").read_text())["status"]
    assert status == "stopped"
    list(train(images, SETTINGS, run=tmp_path / "halves"))
    assert rows(tmp_path / "halves") == rows(tmp_path / "whole")


def test_leftovers_of_a_killed_run_go_and_nothing_else(tmp_path):
    for name in (".state-ab12.pt", ".state-ab12.csv", "state.pt", ".other-x.pt"):
        (tmp_path / name).touch()
    remove_leftovers(tmp_path / "state.pt")
    assert sorted(f.name for f in tmp_path.iterdir()) == [
        ".other-x.pt",
        ".state-ab12.csv",
        "state.pt",
    ]


def test_tensorboard_is_used_where_it_is_installed(images, tmp_path, monkeypatch):
    seen = []

    class SummaryWriter:
        def __init__(self, folder, purge_step):
            seen.append((folder, purge_step))

        def add_scalar(self, name, value, step):
            seen.append((name, step))

        def close(self):
            seen.append("closed")

    module = ModuleType("torch.utils.tensorboard")
    module.SummaryWriter = SummaryWriter
    monkeypatch.setitem(sys.modules, "torch.utils.tensorboard", module)
    list(train(images, SETTINGS, run=tmp_path))
    assert seen[0] == (str(tmp_path / "tensorboard"), 1) and seen[-1] == "closed"
    assert ("held_out_loss", 10) in seen


def test_curves_take_one_row_and_values_that_are_not_finite():
    row = {"step": 5, "loss": 0.5, "held_out_loss": float("nan"), "psnr": float("inf")}
    assert draw_curves([row]).size == (720, 600)
    assert draw_curves([row, {**row, "step": 9, "psnr": 20.0}]).size == (720, 600)
