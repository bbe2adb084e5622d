"""The command line: ``napari-lle enhance | restore | train | evaluate | info``.

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

from ._console import drain, print_scores, reported

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
    inputs: Annotated[list[Path], typer.Argument(metavar="IN...", help="Image files.")],
    output: Annotated[
        Path, typer.Option("-o", "--output", help="A file, or a folder for several inputs.")
    ],
    model: Annotated[
        str, typer.Option(help="auto, a bundled model or a .safetensors file.")
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
        typer.Option(help="Also write the illumination (.tif): restore needs both."),
    ] = None,
) -> None:
    """Enhance image files."""
    with reported():
        dtype = dtype or ("float32" if illumination else "same")
        if dtype not in ("same", "float32"):
            raise ValueError(f"--dtype is same or float32, not {dtype!r}.")
        if not 0 <= strength <= 1:
            raise ValueError(f"--strength is a number from 0 to 1, not {strength:g}.")
        targets = _targets(inputs, output)
        if illumination and len(inputs) > 1:
            raise ValueError("--illumination names one file: give one input at a time.")
        options = {
            "model": model,
            "black": black,
            "white": white,
            "channels": channels,
            "device": device,
            "tile": "auto" if tile is None else tile,
        }
        for source, target in zip(inputs, targets, strict=True):
            _enhance_file(source, target, illumination, dtype, strength, options)
            typer.echo(f"{source} -> {target}")


def _enhance_file(
    source: Path,
    target: Path,
    illumination: Path | None,
    dtype: str,
    strength: float,
    options: dict[str, Any],
) -> None:
    from .model.files import check_format, read_image, write_image

    picture = read_image(source)
    axes = picture.pixels.ndim - picture.rgb
    # Before the work, not after it.
    check_format(target, picture.pixels.dtype if dtype == "same" else "float32", axes)
    if illumination:
        check_format(illumination, "float64", axes)

    from .model.estimate import in_input_dtype  # slow: only once all is well
    from .model.inference import estimate_steps

    steps = estimate_steps(picture.pixels, rgb=picture.rgb, **options)
    estimate = drain(steps, source.name, lambda p: f"{p.done}/{p.total} tiles")
    result = estimate.result(strength)
    pixels = in_input_dtype(result) if dtype == "same" else result.reflectance
    write_image(target, pixels, rgb=picture.rgb, record=result.record)
    if illumination:
        light = result.illumination
        coloured = picture.rgb and light.ndim == picture.pixels.ndim
        write_image(illumination, light, rgb=coloured, record=result.record)


def _targets(inputs: list[Path], output: Path) -> list[Path]:
    """One output path for each input: `output` itself, or files of the same name in a folder."""
    if len(inputs) == 1 and not output.is_dir():
        targets = [output]
    else:
        if not output.is_dir():
            raise ValueError(f"{output} is not a folder: several inputs need an existing one.")
        targets = [output / source.name for source in inputs]
    if len(set(targets)) < len(targets):
        raise ValueError("Two inputs have one name: give them one at a time.")
    for source, target in zip(inputs, targets, strict=True):
        if target.exists() and source.exists() and target.samefile(source):
            raise ValueError(f"{target} is the input itself: choose another output.")
    return targets


@app.command()
def restore(
    reflectance: Annotated[Path, typer.Argument(help="float32 .tif written by enhance.")],
    illumination: Annotated[Path, typer.Argument(help=".tif written with --illumination.")],
    output: Annotated[Path, typer.Option("-o", "--output", help="The image file to write.")],
) -> None:
    """Multiply reflectance and illumination: the original values again, bit for bit."""
    from .model.estimate import restore as multiply
    from .model.files import read_image, write_image

    with reported():
        r, light = read_image(reflectance), read_image(illumination)
        if not r.record or "levels" not in r.record:
            raise ValueError(f"{reflectance} is not of napari-lle: its levels are unknown.")
        if r.pixels.dtype != "float32":
            raise ValueError(
                f"{reflectance} holds rounded {r.pixels.dtype}: enhance with --dtype float32."
            )
        if light.record != r.record:
            raise ValueError(f"{reflectance} and {illumination} are not of one run.")
        pixels = multiply(r.pixels, light.pixels, r.record["levels"])
        write_image(output, pixels, rgb=r.rgb)
        typer.echo(f"{output}: {pixels.dtype}, {' x '.join(map(str, pixels.shape))}")


@app.command()
def evaluate(
    low: Annotated[Path, typer.Option(help="Folder of dark images.")],
    reference: Annotated[Path, typer.Option(help="Folder of references, matched by stem.")],
    model: Model = "photo",
    device: Device = "auto",
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
    """Score a model on pairs, beside what needs no network."""
    from .model.atomic import atomic_path
    from .model.files import check_format

    with reported():
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
        values = _settings(config, objective, epochs=epochs, steps=steps, minutes=minutes)
        folders = (low, reference) if images is None else (images,)
        if None in folders or (images and (low or reference)):
            raise ValueError("Give --low and --reference, or --images alone.")
        if masks and images:
            raise ValueError("--masks go with --low and --reference.")

        from .model.checkpoint import save_model  # slow: only once all is well
        from .model.data import load_images, load_masks, load_pairs
        from .model.training import TrainingSettings
        from .model.training import train as run

        settings = TrainingSettings.from_dict(values)
        pairs = load_images(images) if images else load_pairs(*map(str, folders))
        pairs, held_out = load_masks(masks, pairs) if masks else (pairs, [])
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


@app.command()
def warmup(
    models: Annotated[
        list[str] | None, typer.Argument(help="Bundled models or .safetensors files; all bundled.")
    ] = None,
) -> None:
    """Compile the fast kernels of this machine once; needs the extra `fast`."""
    from .model.kernels import warm_up

    with reported():
        typer.echo("Compiling: some seconds for each kernel, once on this machine.")
        for what, seconds in warm_up(models):
            typer.echo(f"{what}: {seconds:.1f} s")


def _settings(config: Path | None, objective: str | None, **lengths: float | None) -> Any:
    """Settings of a YAML file with what the command line says in their place."""
    import yaml

    try:
        values = yaml.safe_load(config.read_text()) if config else {}
    except yaml.YAMLError as error:
        raise ValueError(f"{config} is not YAML: {error}") from None
    if not isinstance(values, dict):
        raise ValueError(f"{config} holds no settings: write lines of `name: value`.")
    if objective:
        values["objective"] = objective
    given = {name: value for name, value in lengths.items() if value is not None}
    if len(given) > 1:
        raise ValueError("Give one of --epochs, --steps and --minutes.")
    if given:
        values = {k: v for k, v in values.items() if k not in ("epochs", "minutes")} | given
    return values


if __name__ == "__main__":
    app(prog_name="napari-lle")
