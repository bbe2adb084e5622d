"""``napari-lle train``: a model from folders of images, or from a file of settings."""

from __future__ import annotations

import os
import shlex
import sys
from math import isnan
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import typer

from . import options as o
from .console import complain, drain, reported, say
from .stopping import until_interrupted
from .training_task import TrainingPlaces, TrainingTask, find_task

if TYPE_CHECKING:
    from ..model.data.pairs import Pair
    from ..model.network.network import Network
    from ..model.training.settings import TrainingSettings


def train(
    output: o.NewModel,
    noisy: o.NoisyImages = None,
    low: o.LowFolder = None,
    reference: o.ReferenceFolder = None,
    images: o.DarkFolder = None,
    masks: o.MaskFolder = None,
    objective: o.ObjectiveChoice = None,
    epochs: o.Epochs = None,
    steps: o.StepCount = None,
    minutes: o.Minutes = None,
    base: o.BaseModel = None,
    vgg: o.VggWeights = None,
    yes: o.Consent = False,
    config: o.SettingsFile = None,
    resume: o.RunFolder = None,
    device: o.DeviceChoice = "auto",
    data: o.DataNote = "",
    licence: o.LicenceNote = "",
    checkpoint_seconds: o.CheckpointSeconds = 60.0,
) -> None:
    """Train a model on pairs of dark images and references, or on dark images alone."""
    folders = {"low": low, "reference": reference, "masks": masks, "images": images}
    lengths = {"epochs": epochs, "steps": steps, "minutes": minutes}
    asked = {"objective": objective, "base": base, "vgg": vgg, **lengths}
    # Of the processes that torchrun starts, one speaks, and one on each machine of what is wrong.
    speaks = os.environ.get("RANK", "0") == "0"
    with reported(quiet=os.environ.get("LOCAL_RANK", "0") != "0"):
        task = find_task(TrainingPlaces(output, resume, config), folders, list(noisy or []), asked)

        from ..model.network.checkpoint import save_model  # slow: only once all is well
        from ..model.training.loop import read_settings

        settings = read_settings(task.values)
        if settings.objective == "paper" and settings.paper.weights["perceptual"]:
            _fetch_vgg(settings.paper.vgg, yes)
        material = _read_material(task, speaks=speaks)
        how = {"run": resume, "device": device, "checkpoint_seconds": checkpoint_seconds}
        network, card = _learn(material, settings, how, quiet=not speaks)
        if not speaks:
            return
        told = {"data": data, "licence": licence}
        # At once, whatever becomes of the comparison.
        save_model(output, network, _training_card(card, material, [], **told))
        compared, text = _judge(material, settings, network, card["steps"])
        card = _training_card(card, material, compared, **told)
        save_model(output, network, card)
    _tell_scores(output, card, compared, text)


class Material(NamedTuple):
    """What is trained on, what is judged by, and what the user was told of it."""

    pairs: list[Pair]
    held_out: list[Pair]
    told: str


def _read_material(task: TrainingTask, *, speaks: bool) -> Material:
    """Read the images; say what of them is left out, and what is doubtful."""
    from ..model.data.folder_check import check_folders_steps
    from ..model.data.folders import left_out, only_first
    from ..model.data.loading import load_series
    from ..model.data.project import read_data

    values, folders, named = task
    told, without = [], []
    if "low" in folders:
        missing = left_out(*(folders[k] for k in ("low", "reference", "masks") if k in folders))
        common = values.get("levels") == "common"
        steps = check_folders_steps(folders["low"], folders["reference"], brightness=not common)
        check = drain(steps, "check", lambda p: f"{p.done} of {p.total}", quiet=not speaks)
        told, without = [missing, *check.sentences()], check.unusable
    elif named:
        told = only_first(named)
    for sentence in filter(None, told if speaks else ()):
        complain(sentence)
    pairs, held_out = (load_series(named), []) if named else read_data(folders, values, without)
    return Material(pairs, held_out, " ".join(filter(None, told)))


def _learn(
    material: Material, settings: TrainingSettings, how: dict[str, Any], *, quiet: bool
) -> tuple[Network, dict[str, Any]]:
    """Train behind a progress bar, with other processes where there are any."""
    from ..model.training.distributed import joined
    from ..model.training.loop import STOP
    from ..model.training.loop import train as run

    events = run(material.pairs, settings, held_out=material.held_out, **how)
    with joined(how["device"]):
        return drain(
            until_interrupted(events, STOP),
            "train",
            lambda e: f"step {e.step}, loss {e.loss:.3f}",
            quiet=quiet,
        )


def _judge(
    material: Material, settings: TrainingSettings, network: Network, done: int
) -> tuple[list[Any], str]:
    """Compare with what costs nothing; the scores, and what they say in words."""
    from ..model.training.verdict import verdict_steps

    judging = verdict_steps(network, settings, material.pairs, material.held_out, done)
    return drain(judging, "compare", lambda p: f"{p.done} of {p.total}")


def _training_card(
    trained: dict[str, Any], material: Material, compared: list[Any], **told: str
) -> dict[str, Any]:
    """The training card: what the user tells, the command, and how it went."""
    table = {score.name: score.figures() for score in compared}
    card = {**told, "command": shlex.join(["napari-lle", *sys.argv[1:]]), **trained}
    card |= {"compared": table} if table else {}
    return card | ({"left_out": material.told} if material.told else {})


def _fetch_vgg(vgg: str | None, yes: bool) -> None:
    """Download VGG16's weights where the settings ask for them, with consent."""
    from ..model.losses.vgg import MEGABYTES, OFFICIAL, WEIGHTS_ADDRESS, download, official_path

    if vgg != OFFICIAL or official_path().exists():
        return
    question = f"Download VGG16's weights ({MEGABYTES} MB) from {WEIGHTS_ADDRESS}?"
    if not yes and not (sys.stdin.isatty() and typer.confirm(question)):
        raise ValueError("VGG16's weights are not on this machine: add --yes to download them.")
    download()


def _tell_scores(output: Path, card: dict[str, Any], compared: list[Any], text: str) -> None:
    """Print how good the model is, beside what costs nothing."""
    best, figures = card["held_out"], ("held_out_loss", "psnr", "ssim", "agreement_max")
    scores = ", ".join(f"{name} {best[name]:.4g}" for name in figures if name in best)
    say(f"{output}: step {best['step']}, validation: {scores}")
    for score in compared:
        ssim = "" if isnan(score.ssim) else f"  SSIM {score.ssim:.3f}"
        say(f"  {score.name:<16}{score.psnr:6.2f} dB{ssim}")
    say(text)
    if "warning" in card:
        complain(card["warning"])
        raise typer.Exit(2)
