"""``napari-lle train``: a model from folders of images, or from a file of settings."""

from __future__ import annotations

import os
import shlex
import sys
from math import isnan
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple

import typer

from .console import Device, complain, drain, reported, say
from .stopping import until_interrupted

if TYPE_CHECKING:
    from ..model.data.pairs import Pair

# Folders that go together.
KINDS = ({"low", "reference"}, {"low", "reference", "masks"}, {"images"})


def train(
    output: Annotated[Path, typer.Option("-o", "--output", help="The model file to write.")],
    noisy: Annotated[
        list[Path] | None,
        typer.Argument(metavar="[IMAGES]...", help="Noisy grey images or stacks, for noisy."),
    ] = None,
    low: Annotated[Path | None, typer.Option(help="Folder of dark images.")] = None,
    reference: Annotated[
        Path | None, typer.Option(help="Folder of references, matched by stem.")
    ] = None,
    images: Annotated[
        Path | None, typer.Option(help="Folder of dark images without references.")
    ] = None,
    masks: Annotated[
        Path | None,
        typer.Option(help="Folder of annotations: 0 ignore, 1 train, 2 validate; TIFF or PNG."),
    ] = None,
    objective: Annotated[
        str | None,
        typer.Option(
            help="paired (from references), paper (from dark images) or noisy (from noisy images)."
        ),
    ] = None,
    epochs: Annotated[float | None, typer.Option(help="Passes over the images.")] = None,
    steps: Annotated[int | None, typer.Option(help="Optimizer steps.")] = None,
    minutes: Annotated[float | None, typer.Option(help="Training time in minutes.")] = None,
    base: Annotated[
        str | None, typer.Option(help="Start from this model, a bundled one or a file.")
    ] = None,
    vgg: Annotated[
        str | None,
        typer.Option(help="VGG16's weights for eq. 7: a file, or official to download them."),
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", help="Download without asking.")] = False,
    config: Annotated[Path | None, typer.Option(help="YAML file of training settings.")] = None,
    resume: Annotated[
        Path | None,
        typer.Option(help="Folder of the run; a run that has begun there is continued."),
    ] = None,
    device: Device = "auto",
    data: Annotated[
        str, typer.Option(help="Description of the images, for the training card.")
    ] = "",
    licence: Annotated[
        str, typer.Option(help="Licence of the images, for the training card.")
    ] = "",
    checkpoint_seconds: Annotated[float, typer.Option(hidden=True)] = 60.0,
) -> None:
    """Train a model on pairs of dark images and references, or on dark images alone."""
    # Of the processes that torchrun starts, one speaks, and one on each machine of what is wrong.
    first = os.environ.get("RANK", "0") == "0"
    lengths = {"epochs": epochs, "steps": steps, "minutes": minutes}
    with reported(quiet=os.environ.get("LOCAL_RANK", "0") != "0"):
        _check_name(output)
        if config is None and resume and (resume / "settings.yaml").is_file():
            config = resume / "settings.yaml"
        given = {"low": low, "reference": reference, "masks": masks, "images": images}
        from ..model.data.project import read_config

        values, folders = read_config(config) if config else ({}, {})
        folders = {k: v for k, v in given.items() if v is not None} or folders
        _override(values, objective, base, vgg, **lengths)
        named = list(noisy or [])
        _check_kinds(folders, named, values)
        _check_vgg(vgg, values)
        own = [Path(vgg)] if vgg and Path(vgg).is_file() else []
        _check_outputs(output, resume, config, folders, values.get("base"), [*named, *own])
        if config is None:
            values = _suited(values, folders)

        from ..model.network.checkpoint import save_model  # slow: only once all is well
        from ..model.training.distributed import joined
        from ..model.training.loop import STOP, read_settings
        from ..model.training.loop import train as run

        settings = read_settings(values)
        if settings.objective == "paper" and settings.paper.weights["perceptual"]:
            _fetch_vgg(settings.paper.vgg, yes)
        material = _read(folders, named, values, speaks=first)
        pairs, held_out = material.pairs, material.held_out
        events = run(
            pairs,
            settings,
            run=resume,
            device=device,
            held_out=held_out,
            checkpoint_seconds=checkpoint_seconds,
        )
        with joined(device):
            network, card = drain(
                until_interrupted(events, STOP),
                "train",
                lambda e: f"step {e.step}, loss {e.loss:.3f}",
                quiet=not first,
            )
        if not first:
            return
        from ..model.training.verdict import verdict_steps

        judging = verdict_steps(network, settings, pairs, held_out)
        compared, text = drain(judging, "compare", lambda p: f"{p.done} of {p.total}")
        table = {score.name: score.figures() for score in compared}
        card = {**card, "compared": table} if table else card
        card = {**card, "left_out": material.told} if material.told else card
        command = shlex.join(["napari-lle", *sys.argv[1:]])
        card = {"data": data, "licence": licence, "command": command, **card}
        save_model(output, network, card)
    _tell(output, card, compared, text)


class Material(NamedTuple):
    """What is trained on, what is judged by, and what the user was told of it."""

    pairs: list[Pair]
    held_out: list[Pair]
    told: str


def _read(
    folders: dict[str, Path], named: list[Path], values: dict[str, Any], *, speaks: bool
) -> Material:
    """Read the images; say what of them is left out, and what is doubtful."""
    from ..model.data.folder_check import check_folders_steps
    from ..model.data.folders import left_out, only_first
    from ..model.data.loading import load_series
    from ..model.data.project import read_data

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


def _tell(output: Path, card: dict[str, Any], compared: list[Any], text: str) -> None:
    """Print how good the model is, beside what costs nothing."""
    best, figures = card["held_out"], ("held_out_loss", "psnr", "ssim", "agreement_max")
    scores = ", ".join(f"{name} {best[name]:.4g}" for name in figures if name in best)
    say(f"{output}: step {best['step']}, held out: {scores}")
    for score in compared:
        ssim = "" if isnan(score.ssim) else f"  SSIM {score.ssim:.3f}"
        say(f"  {score.name:<16}{score.psnr:6.2f} dB{ssim}")
    say(text)
    if "warning" in card:
        complain(card["warning"])
        raise typer.Exit(2)


def _check_name(output: Path) -> None:
    from ..model.network.bundled import SUFFIX

    if output.suffix != SUFFIX:
        raise ValueError(f"{output}: the name of a model file must end in {SUFFIX}.")


def _check_vgg(vgg: str | None, values: dict[str, Any]) -> None:
    """Refuse weights that would not be looked at."""
    if vgg and values.get("objective") != "paper":
        raise ValueError("--vgg is for --objective paper: leave it out, or choose that.")


def _check_kinds(folders: dict[str, Path], named: list[Path], values: dict[str, Any]) -> None:
    """Refuse folders and names that do not go together."""
    if named:
        if folders or values.get("objective") != "noisy":
            raise ValueError("Images by name are for --objective noisy, without folders.")
    elif set(folders) not in KINDS:
        raise ValueError("Give --low and --reference, optionally with --masks, or --images alone.")


def _check_outputs(
    output: Path,
    run: Path | None,
    config: Path | None,
    folders: dict[str, Path],
    base: str | None,
    named: list[Path],
) -> None:
    """Refuse a model or a run that would replace what it is made from."""
    from ..model.io.listing import list_images
    from ..model.io.outputs import check_files, check_outputs
    from ..model.network.bundled import own_file

    images = [image for folder in folders.values() for image in list_images(folder)] + named
    read = [*images, *own_file(base)]
    settings = [config] if config else []
    check_files([output], [*read, *settings])
    if run:
        from ..model.training.logbook import FILES, STATE

        # A run that has begun goes on with the settings in its folder: they are both.
        read += [] if (run / STATE).exists() else settings
        check_outputs([output, *(run / name for name in FILES)], read)


def _suited(values: dict[str, Any], folders: dict[str, Path]) -> dict[str, Any]:
    """Settings that suit grey data of one's own, where nothing else is asked for."""
    from ..model.data.folders import image_files
    from ..model.io.files import read_image
    from ..model.training.settings import FROM_SCIENCE, SCIENCE

    objective, base = values.get("objective", "paired"), values.get("base")
    if objective == "paired" and "low" in folders and base in (None, FROM_SCIENCE["base"]):
        first = next(iter(image_files(folders["low"]).values()))
        if read_image(first).rgb:
            return values
    elif objective != "noisy":
        return values
    suited = {k: v for k, v in SCIENCE.items() if not (k == "network" and base)}
    if base == FROM_SCIENCE["base"]:
        suited = FROM_SCIENCE
    length = {} if {"steps", "epochs", "minutes"} & set(values) else {"minutes": 1.0}
    return {**suited, **length, **values}


def _fetch_vgg(vgg: str | None, yes: bool) -> None:
    """Download VGG16's weights where the settings ask for them, with consent."""
    from ..model.losses.vgg import ADDRESS, MEGABYTES, OFFICIAL, download, official_path

    if vgg != OFFICIAL or official_path().exists():
        return
    question = f"Download VGG16's weights ({MEGABYTES} MB) from {ADDRESS}?"
    if not yes and not (sys.stdin.isatty() and typer.confirm(question)):
        raise ValueError("VGG16's weights are not on this machine: add --yes to download them.")
    download()


def _override(
    values: dict[str, Any],
    objective: str | None,
    base: str | None,
    vgg: str | None,
    **lengths: float | None,
) -> None:
    """Put what the command line says in the place of what a file of settings says."""
    if objective:
        values["objective"] = objective
    if base:
        values["base"] = base
    if vgg:
        values["paper"] = {**(values.get("paper") or {}), "vgg": vgg}
    given = {name: value for name, value in lengths.items() if value is not None}
    if len(given) > 1:
        raise ValueError("Give only one of --epochs, --steps and --minutes.")
    if given:
        for name in ("epochs", "minutes"):
            values.pop(name, None)
        values.update(given)
