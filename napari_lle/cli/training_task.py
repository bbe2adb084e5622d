"""What the command `train` is asked for: settings and images, from options and from a file."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

# Folders that go together.
FOLDER_SETS = ({"low", "reference"}, {"low", "reference", "masks"}, {"images"})


class TrainingPlaces(NamedTuple):
    """The model to be written, the folder of the run, and the file of settings."""

    output: Path
    run: Path | None
    config: Path | None


class TrainingTask(NamedTuple):
    """Settings as plain values, folders by what they hold, and images by name."""

    values: dict[str, Any]
    folders: dict[str, Path]
    named: list[Path]


def find_task(
    places: TrainingPlaces,
    folders: Mapping[str, Path | None],
    named: list[Path],
    asked: Mapping[str, Any],
) -> TrainingTask:
    """Put together what the options and a file of settings say, before anything is written.

    Parameters
    ----------
    places : TrainingPlaces
        A run that has begun goes on with the settings in its folder.
    folders : mapping of str to Path or None
        Those given as options; they stand in the place of those in the file.
    named : list of Path
        Noisy images.
    asked : mapping
        Options that stand in the place of settings; None where they were not given.

    Raises
    ------
    ValueError
        If they do not go together, or an output would replace what is read.
    """
    from ..model.data.project import read_config

    output, run, config = places
    _check_name(output)
    if config is None and run and (run / "settings.yaml").is_file():
        config = run / "settings.yaml"
    values, written = read_config(config) if config else ({}, {})
    given = {k: v for k, v in folders.items() if v is not None} or written
    _override(values, **asked)
    _check_kinds(given, named, values)
    vgg = asked["vgg"]
    _check_vgg(vgg, values)
    own = [Path(vgg)] if vgg and Path(vgg).is_file() else []
    images = [*named, *own]
    _check_outputs(TrainingPlaces(output, run, config), given, values.get("base"), images)
    return TrainingTask(values if config else _grey_settings(values, given), given, named)


def _check_name(output: Path) -> None:
    from ..model.network.bundled import MODEL_SUFFIX

    if output.suffix != MODEL_SUFFIX:
        raise ValueError(f"{output}: the name of a model file must end in {MODEL_SUFFIX}.")


def _check_vgg(vgg: str | None, values: dict[str, Any]) -> None:
    """Refuse weights that would not be looked at."""
    if vgg and values.get("objective") != "paper":
        raise ValueError("--vgg is for --objective paper: leave it out, or choose that.")


def _check_kinds(folders: dict[str, Path], named: list[Path], values: dict[str, Any]) -> None:
    """Refuse folders and names that do not go together."""
    if named:
        if folders or values.get("objective") != "noisy":
            raise ValueError("Images by name are for --objective noisy, without folders.")
    elif set(folders) not in FOLDER_SETS:
        raise ValueError("Give --low and --reference, optionally with --masks, or --images alone.")


def _check_outputs(
    places: TrainingPlaces, folders: dict[str, Path], base: str | None, named: list[Path]
) -> None:
    """Refuse a model or a run that would replace what it is made from."""
    from ..model.io.listing import list_images
    from ..model.io.outputs import check_files, check_outputs
    from ..model.network.bundled import own_file

    output, run, config = places
    images = [image for folder in folders.values() for image in list_images(folder)] + named
    read = [*images, *own_file(base)]
    settings = [config] if config else []
    check_files([output], [*read, *settings])
    if run:
        from ..model.training.logbook import FILES, STATE

        # A run that has begun goes on with the settings in its folder: they are both.
        read += [] if (run / STATE).exists() else settings
        check_outputs([output, *(run / name for name in FILES)], read)


def _grey_settings(values: dict[str, Any], folders: dict[str, Path]) -> dict[str, Any]:
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
