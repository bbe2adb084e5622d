"""The command line: ``napari-lle enhance | restore | stages | train | evaluate | info``.

Torch is imported only by the command that needs it. Whatever is wrong with the input is one line
on standard error and exit code 2.
"""

from __future__ import annotations

import json
import shlex
import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from ._batch import enhance_file, expand, find_targets, restore_file, run_all
from ._console import drain, print_scores, print_suite, reported

app = typer.Typer(
    name="napari-lle",
    help="Enhance dark images, restore them exactly, and train on your own pairs.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)

Model = Annotated[str, typer.Option(help="A bundled model or a .safetensors file.")]
Device = Annotated[str, typer.Option(help="auto, cpu, cuda or mps.")]


@app.command()
def enhance(
    inputs: Annotated[
        list[Path], typer.Argument(metavar="IN...", help="Image files, folders, patterns.")
    ],
    output: Annotated[
        Path, typer.Option("-o", "--output", help="A file, or a folder for several inputs.")
    ],
    model: Annotated[
        str,
        typer.Option(help="auto, a bundled model or a file; with :global after it, one curve."),
    ] = "auto",
    strength: Annotated[float, typer.Option(help="0 leaves the image as it is, 1 is all.")] = 1.0,
    black: Annotated[
        float | None, typer.Option(help="Input value that becomes 0; found when not given.")
    ] = None,
    white: Annotated[
        float | None, typer.Option(help="Input value that becomes 1; found when not given.")
    ] = None,
    channels: Annotated[
        str, typer.Option(help="auto, joint (one illumination for all colours) or per (colour).")
    ] = "auto",
    device: Device = "auto",
    tile: Annotated[
        int | None, typer.Option(help="Longest tile side in pixels; never changes the result.")
    ] = None,
    dtype: Annotated[
        str | None,
        typer.Option(help="same (as the input) or float32; float32 with --illumination."),
    ] = None,
    illumination: Annotated[
        Path | None,
        typer.Option(help="Also write the illumination (.tif, .fits, .zarr): restore needs both."),
    ] = None,
) -> None:
    """Enhance image files."""
    with reported():
        dtype = dtype or ("float32" if illumination else "same")
        if dtype not in ("same", "float32"):
            raise ValueError(f"--dtype is same or float32, not {dtype!r}.")
        if not 0 <= strength <= 1:
            raise ValueError(f"--strength is a number from 0 to 1, not {strength:g}.")
        sources = expand(inputs)
        one = len(inputs) == 1 and sources == inputs
        targets = find_targets(sources, output, one=one)
        if illumination and not one:
            raise ValueError("--illumination names one file: give one input at a time.")
        options = {
            "model": model,
            "black": black,
            "white": white,
            "channels": channels,
            "device": device,
            "tile": "auto" if tile is None else tile,
        }
    run_all(
        list(zip(sources, targets, strict=True)),
        lambda source, target: enhance_file(source, target, illumination, dtype, strength, options),
    )


@app.command()
def restore(
    reflectance: Annotated[Path, typer.Argument(help="float32 file written by enhance.")],
    illumination: Annotated[Path, typer.Argument(help="Written with --illumination.")],
    output: Annotated[Path, typer.Option("-o", "--output", help="The image file to write.")],
) -> None:
    """Multiply reflectance and illumination: the original values again, bit for bit."""
    with reported():
        typer.echo(restore_file(reflectance, illumination, output))


@app.command()
def calibrate(
    source: Annotated[Path, typer.Argument(metavar="IN", help="An image file.")],
    output: Annotated[Path, typer.Option("-o", "--output", help="The image file to write.")],
    dark: Annotated[Path | None, typer.Option(help="Dark frame, or a stack of them.")] = None,
    flat: Annotated[Path | None, typer.Option(help="Flat field, or a stack of them.")] = None,
    undo: Annotated[
        str | None, typer.Option(metavar="DTYPE", help="The way back, to e.g. uint16.")
    ] = None,
) -> None:
    """Subtract a dark frame and divide by a flat field, before enhance; --undo after restore."""
    with reported():
        from .model.calibration import Calibration
        from .model.files import read_image, write_image

        if dark is None and flat is None:
            raise ValueError("Give --dark or --flat, or both.")
        picture = read_image(source)
        if picture.rgb:
            raise ValueError(f"{source} holds colours: dark and flat are for single channels.")
        frames = (None if path is None else read_image(path).pixels for path in (dark, flat))
        calibration = Calibration.of_frames(undo or picture.pixels.dtype, *frames)
        pixels = (calibration.undo if undo else calibration.apply)(picture.pixels)
        write_image(output, pixels, rgb=False)
        typer.echo(f"{output}: {pixels.dtype}, {' x '.join(map(str, pixels.shape))}")


@app.command()
def evaluate(
    low: Annotated[Path | None, typer.Option(help="Folder of dark images.")] = None,
    reference: Annotated[
        Path | None, typer.Option(help="Folder of references, matched by stem.")
    ] = None,
    model: Annotated[
        str | None, typer.Option(help="A bundled model or a .safetensors file.")
    ] = None,
    device: Device = "auto",
    suite: Annotated[
        str | None,
        typer.Option(help="linear: trust on simulated linear data; needs no folders."),
    ] = None,
    json_file: Annotated[
        Path | None, typer.Option("--json", help="Also write the figures here.")
    ] = None,
    sheet: Annotated[
        Path | None, typer.Option(help="Also draw the best, median and worst case here (.png).")
    ] = None,
    per_image: Annotated[
        bool, typer.Option(help="Also list the model's figures by image.")
    ] = False,
) -> None:
    """Score a model on pairs, or by a suite, beside what needs no network."""
    from .model.atomic import atomic_path
    from .model.files import check_format

    if suite is not None:
        _evaluate_suite(suite, model or "linear", device, json_file, (low, reference, sheet))
        return
    with reported():
        if low is None or reference is None:
            raise ValueError("Give --low and --reference, or --suite linear.")
        model = model or "photo"
        if sheet:
            check_format(sheet, "uint8")
        from .model.evaluation import evaluate_steps, telling_cases
        from .model.sheet import contact_sheet

        steps = evaluate_steps(low, reference, model, device=device)
        report = drain(steps, "evaluate", lambda p: f"{p.done}/{p.total} pairs")
        if json_file:
            with atomic_path(json_file) as temporary:
                temporary.write_text(json.dumps(report, indent=1) + "\n")
        if sheet:
            cases = telling_cases(report, low, reference, model, device=device)
            with atomic_path(sheet) as temporary:
                contact_sheet(cases).save(temporary)
    typer.echo(f"{report['n']} pairs, 8-bit outputs, RGB; gt: scaled to the reference's mean")
    rows = [{**report, "name": report["model"]}]
    rows += [
        {**scores, "name": name, "parameters": 0} for name, scores in report["baselines"].items()
    ]
    print_scores(rows)
    typer.echo(f"constant is S / (S + {report['baselines']['constant']['c']:g})")
    if per_image:
        print_scores([{**row, "parameters": report["parameters"]} for row in report["per_image"]])


def _evaluate_suite(
    suite: str, model: str, device: str, json_file: Path | None, others: tuple[Any, ...]
) -> None:
    from .model.atomic import atomic_path

    with reported():
        if suite != "linear":
            raise ValueError(f"--suite is linear, not {suite!r}.")
        if any(others):
            raise ValueError("--suite goes without --low, --reference and --sheet.")
        from .model.linear_suite import linear_suite_steps  # slow: only once all is well

        steps = linear_suite_steps(model, device=device)
        report = drain(steps, "evaluate", lambda p: f"{p.done}/{p.total} parts")
        if json_file:
            with atomic_path(json_file) as temporary:
                temporary.write_text(json.dumps(report, indent=1) + "\n")
    typer.echo(f"{report['model']} ({report['digest']}) on simulated linear data")
    print_suite(report)


@app.command()
def info(
    model: Annotated[str, typer.Argument(help="A bundled model or a .safetensors file.")] = "photo",
    json_file: Annotated[
        Path | None, typer.Option("--json", help="Also write the answer here.")
    ] = None,
) -> None:
    """Tell about a model and the devices of this machine."""
    from .model.atomic import atomic_path
    from .model.bundled import bundled_models
    from .model.checkpoint import load_model
    from .model.devices import devices

    with reported():
        loaded = load_model(model)
        answer = {
            "name": loaded.name,
            "digest": loaded.digest,
            "parameters": loaded.network.inference_parameters(),
            "receptive_field": 2 * loaded.network.radius + 1,
            "network": loaded.network.config.to_dict(),
            "card": loaded.card,
            "devices": devices(),
            "bundled": bundled_models(),
        }
        if json_file:
            with atomic_path(json_file) as temporary:
                temporary.write_text(json.dumps(answer, indent=1) + "\n")
    field = answer["receptive_field"]
    typer.echo(f"{loaded.name} ({loaded.digest}): {answer['parameters']} parameters at inference,")
    typer.echo(f"receptive field {field} x {field} pixels")
    for key, value in loaded.card.items():
        if not isinstance(value, list | dict):
            typer.echo(f"  {key}: {value}")
    for key, value in loaded.card.get("held_out", {}).items():
        typer.echo(f"  held-out {key}: {value}")
    for device in devices():
        typer.echo(f"{device['name']}: {'' if device['available'] else 'no, '}{device['why']}")
    typer.echo(f"bundled models: {', '.join(bundled_models())}")


@app.command()
def stages(
    source: Annotated[Path, typer.Argument(metavar="IN", help="An image file.")],
    output: Annotated[Path, typer.Option("-o", "--output", help="The folder to write to.")],
    model: Annotated[
        str, typer.Option(help="auto, a bundled model or a .safetensors file.")
    ] = "auto",
    count: Annotated[
        int | None, typer.Option(help="Stages to run; as many as in training when not given.")
    ] = None,
    black: Annotated[float | None, typer.Option(help="Input value that becomes 0.")] = None,
    white: Annotated[float | None, typer.Option(help="Input value that becomes 1.")] = None,
    channels: Annotated[str, typer.Option(help="auto, joint or per.")] = "auto",
    device: Device = "auto",
) -> None:
    """Write what every stage of the network sees and makes."""
    from .model.files import read_image
    from .model.stagefiles import write_stages

    with reported():
        picture = read_image(source)
        from .model.look import stages as look  # slow: only once all is well

        found = look(
            picture.pixels,
            model,
            count=count,
            black=black,
            white=white,
            channels=channels,
            device=device,
            rgb=picture.rgb,
        )
        steps = write_stages(found, output)
        report = drain(steps, source.name, lambda p: f"{p.done}/{p.total} tiles")
    if not found.trained:
        typer.echo(f"{found.model.name} has no trained auxiliary block: E is 0.")
    for row in report["stages"]:
        typer.echo(
            f"stage {row['stage']}: |L - L1| max {row['max_difference']:.3g}, "
            f"mean {row['mean_difference']:.3g}; receptive field {row['receptive_field']}"
        )
    typer.echo(f"{len(report['files'])} files in {output}")


@app.command()
def train(
    output: Annotated[Path, typer.Option("-o", "--output", help="The model to write.")],
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
        str | None, typer.Option(help="paired (from references) or paper (from dark images).")
    ] = None,
    epochs: Annotated[float | None, typer.Option(help="Passes over the images.")] = None,
    steps: Annotated[int | None, typer.Option(help="Optimizer steps.")] = None,
    minutes: Annotated[float | None, typer.Option(help="Time to take.")] = None,
    base: Annotated[
        str | None, typer.Option(help="Go on from this model: a bundled one or a file.")
    ] = None,
    vgg: Annotated[
        str | None,
        typer.Option(help="VGG16's weights for eq. 7: a file, or official to download them."),
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", help="Download without asking again.")] = False,
    config: Annotated[Path | None, typer.Option(help="YAML file of training settings.")] = None,
    resume: Annotated[
        Path | None, typer.Option(help="Folder of the run; goes on there if it has begun.")
    ] = None,
    device: Device = "auto",
    data: Annotated[str, typer.Option(help="What the images are, for the training card.")] = "",
    licence: Annotated[str, typer.Option(help="Their terms, for the training card.")] = "",
    checkpoint_seconds: Annotated[float, typer.Option(hidden=True)] = 60.0,
) -> None:
    """Train a model on pairs of dark images and references, or on dark images alone."""
    from .model.bundled import SUFFIX

    with reported():
        if output.suffix != SUFFIX or not output.parent.is_dir():
            raise ValueError(f"{output}: a model is a {SUFFIX} file in an existing folder.")
        if config is None and resume and (resume / "settings.yaml").is_file():
            config = resume / "settings.yaml"
        given = {"low": low, "reference": reference, "masks": masks, "images": images}
        from .model.project import read_config, read_data

        values, folders = read_config(config) if config else ({}, {})
        folders = {k: v for k, v in given.items() if v is not None} or folders
        kinds = set(folders)
        if kinds not in ({"low", "reference"}, {"low", "reference", "masks"}, {"images"}):
            raise ValueError("Give --low and --reference, with --masks or not, or --images alone.")
        _override(values, objective, base, vgg, epochs=epochs, steps=steps, minutes=minutes)

        from .model.checkpoint import save_model  # slow: only once all is well
        from .model.training import read_settings
        from .model.training import train as run

        settings = read_settings(values)
        if settings.objective == "paper" and settings.paper.weights["perceptual"]:
            _fetch_vgg(settings.paper.vgg, yes)
        pairs, held_out = read_data(folders)
        events = run(
            pairs,
            settings,
            run=resume,
            device=device,
            held_out=held_out,
            checkpoint_seconds=checkpoint_seconds,
        )
        network, card = drain(events, "train", lambda e: f"step {e.step}, loss {e.loss:.3f}")
        command = shlex.join(["napari-lle", *sys.argv[1:]])
        card = {"data": data, "licence": licence, "command": command, **card}
        save_model(output, network, card)
    best, figures = card["held_out"], ("held_out_loss", "psnr", "ssim", "agreement_max")
    scores = ", ".join(f"{name} {best[name]:.4g}" for name in figures if name in best)
    typer.echo(f"{output}: step {best['step']}, held out: {scores}")


def _fetch_vgg(vgg: str | None, yes: bool) -> None:
    """Download VGG16's weights where the settings ask for them, with consent."""
    from .model.vgg import ADDRESS, MEGABYTES, OFFICIAL, download, official_path

    if vgg != OFFICIAL or official_path().exists():
        return
    question = f"Download VGG16's weights ({MEGABYTES} MB) from {ADDRESS}?"
    if not yes and not (sys.stdin.isatty() and typer.confirm(question)):
        raise ValueError("VGG16's weights are not here: say --yes to download them.")
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
        raise ValueError("Give one of --epochs, --steps and --minutes.")
    if given:
        for name in ("epochs", "minutes"):
            values.pop(name, None)
        values.update(given)


if __name__ == "__main__":
    app(prog_name="napari-lle")
