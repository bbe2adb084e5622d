"""``napari-lle evaluate``, ``info`` and ``warmup``: what a model is worth, and made ready."""

from __future__ import annotations

import json
from math import isfinite
from pathlib import Path
from typing import Annotated, Any

import typer

from .console import Device, complain, drain, print_scores, print_suite, reported, say


def evaluate(
    low: Annotated[Path | None, typer.Option(help="Folder of dark images.")] = None,
    reference: Annotated[
        Path | None, typer.Option(help="Folder of references, matched by stem.")
    ] = None,
    noisy: Annotated[
        Path | None, typer.Option(help="Folder of noisy frames: how clear are they made?")
    ] = None,
    clean: Annotated[
        Path | None, typer.Option(help="Folder of averages of many, matched by stem.")
    ] = None,
    model: Annotated[
        str | None, typer.Option(help="A bundled model or a .safetensors file.")
    ] = None,
    device: Device = "auto",
    suite: Annotated[
        str | None,
        typer.Option(help="linear: checks on simulated linear data; needs no folders."),
    ] = None,
    metrics: Annotated[
        str, typer.Option(help="Compute only these, for instance psnr,ssim.")
    ] = "all",
    json_file: Annotated[
        Path | None, typer.Option("--json", help="Also write the figures to this file.")
    ] = None,
    sheet: Annotated[
        Path | None,
        typer.Option(help="Also draw the best, median and worst image to this file (.png)."),
    ] = None,
    per_image: Annotated[
        bool, typer.Option(help="Also list the model's figures for each image.")
    ] = False,
) -> None:
    """Score a model on image pairs or by a test suite, beside methods without a network."""
    from ..model.io.atomic import atomic_path
    from ..model.io.files import check_format
    from ..model.io.listing import list_images
    from ..model.io.outputs import check_files
    from ..model.io.raster import save_picture
    from ..model.network.bundled import own_file

    if suite is not None:
        foreign = any((low, reference, noisy, clean, sheet))
        _evaluate_suite(suite, model or "linear", device, json_file, foreign)
        return
    if noisy or clean:
        foreign = any((low, reference, sheet, per_image))
        _evaluate_noisy(noisy, clean, model or "auto", device, json_file, foreign)
        return
    with reported():
        if low is None or reference is None:
            raise ValueError("Give --low and --reference, --noisy and --clean, or --suite linear.")
        model = model or "photo"
        if sheet:
            check_format(sheet, "uint8")
        inputs = (*list_images(low), *list_images(reference), *own_file(model))
        check_files((json_file, sheet), inputs)
        from ..model.evaluation.contact_sheet import contact_sheet
        from ..model.evaluation.metrics import METRICS
        from ..model.evaluation.photographs import evaluate_steps, telling_cases

        wanted = METRICS if metrics == "all" else tuple(metrics.replace(" ", "").split(","))
        wanted = (*wanted, "ssim") if sheet else wanted  # which orders the cases
        steps = evaluate_steps(low, reference, model, device=device, metrics=wanted)
        report = drain(steps, "evaluate", lambda p: f"{p.done}/{p.total} pairs")
        _write_json(json_file, report)
        if sheet:
            cases = telling_cases(report, low, reference, model, device=device)
            with atomic_path(sheet) as temporary:
                save_picture(contact_sheet(cases), temporary)
    _complain_of(report)
    say(f"{report['n']} pairs, 8-bit outputs, RGB; gt: scaled to the reference's mean")
    rows = [{**report, "name": report["model"]}]
    rows += [
        {**scores, "name": name, "parameters": 0} for name, scores in report["baselines"].items()
    ]
    print_scores(rows)
    say(f"constant is S / (S + {report['baselines']['constant']['c']:g})")
    if per_image:
        print_scores([{**row, "parameters": report["parameters"]} for row in report["per_image"]])


def _evaluate_suite(
    suite: str, model: str, device: str, json_file: Path | None, foreign: bool
) -> None:
    from ..model.io.outputs import check_files
    from ..model.network.bundled import own_file

    with reported():
        if suite != "linear":
            raise ValueError(f"--suite must be linear, not {suite!r}.")
        if foreign:
            raise ValueError("--suite cannot be combined with folders or --sheet.")
        check_files((json_file,), own_file(model))
        from ..model.evaluation.linear_suite import (
            linear_suite_steps,  # slow: only once all is well
        )

        steps = linear_suite_steps(model, device=device)
        report = drain(steps, "evaluate", lambda p: f"{p.done}/{p.total} parts")
        _write_json(json_file, report)
    say(f"{report['model']} ({report['digest']}) on simulated linear data")
    print_suite(report)


def _evaluate_noisy(
    noisy: Path | None,
    clean: Path | None,
    model: str,
    device: str,
    json_file: Path | None,
    foreign: bool,
) -> None:
    from ..model.io.listing import list_images
    from ..model.io.outputs import check_files
    from ..model.network.bundled import own_file

    with reported():
        if not noisy or not clean:
            raise ValueError("--noisy and --clean go together: give both folders.")
        if foreign:
            raise ValueError(
                "--noisy cannot be combined with other folders, --sheet or --per-image."
            )
        inputs = (*list_images(noisy), *list_images(clean), *own_file(model))
        check_files((json_file,), inputs)
        from ..model.evaluation.noisy_pairs import FIGURES, noisy_pairs_steps

        steps = noisy_pairs_steps(noisy, clean, [model], device=device)
        report = drain(steps, "evaluate", lambda p: f"{p.done}/{p.total} pairs")
        _write_json(json_file, report)
    _complain_of(report)
    say(f"{report['n']} pairs, after the best rising curve to the stretched average")
    say(f"{'name':<20}{'params':>8}" + "".join(f"{title:>9}" for title in FIGURES.values()))
    for name, row in report["methods"].items():
        figures = f"{row['psnr']:>9.2f}{row['ssim']:>9.3f}{row['cnr']:>9.2f}"
        say(f"{name:<20}{row['parameters']:>8}{figures}")


def _complain_of(report: dict[str, Any]) -> None:
    """Name what was not evaluated."""
    if report["left_out"]:
        complain(report["left_out"])


def _write_json(file: Path | None, report: dict[str, Any]) -> None:
    from ..model.io.atomic import atomic_path

    if file:
        with atomic_path(file) as temporary:
            temporary.write_text(json.dumps(_finite(report), indent=1, allow_nan=False) + "\n")


def _finite(value: Any) -> Any:
    """A report with null for what is no number: JSON has no word for it."""
    if isinstance(value, dict):
        return {k: _finite(v) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(v) for v in value]
    return None if isinstance(value, float) and not isfinite(value) else value


def info(
    model: Annotated[str, typer.Argument(help="A bundled model or a .safetensors file.")] = "photo",
    json_file: Annotated[
        Path | None, typer.Option("--json", help="Also write the answer to this file.")
    ] = None,
) -> None:
    """Show a model's card and the devices of this machine."""
    from ..model.io.outputs import check_files
    from ..model.network.bundled import bundled_models, own_file
    from ..model.network.checkpoint import load_model
    from ..model.runtime.devices import devices

    with reported():
        check_files((json_file,), own_file(model))
        loaded = load_model(model)
        answer = {
            "name": loaded.name,
            "digest": loaded.digest,
            "parameters": loaded.network.inference_parameters(),
            "receptive_field": loaded.network.receptive_field,
            "network": loaded.network.config.to_dict(),
            "card": loaded.card,
            "devices": devices(),
            "bundled": bundled_models(),
        }
        _write_json(json_file, answer)
    field = answer["receptive_field"]
    say(f"{loaded.name} ({loaded.digest}): {answer['parameters']} parameters at inference,")
    say(f"receptive field {field} x {field} pixels")
    for key, value in loaded.card.items():
        if not isinstance(value, list | dict):
            say(f"  {key}: {value}")
    held_out = loaded.card.get("held_out")
    for key, value in held_out.items() if isinstance(held_out, dict) else ():
        say(f"  held-out {key}: {value}")
    for device in devices():
        say(f"{device['name']}: {'' if device['available'] else 'no, '}{device['why']}")
    say(f"bundled models: {', '.join(bundled_models())}")


def warmup(
    models: Annotated[
        list[str] | None,
        typer.Argument(help="Bundled models or .safetensors files; all bundled ones by default."),
    ] = None,
) -> None:
    """Compile the fast kernels for this machine, once; needs the extra `fast`."""
    from ..model.kernels import warm_up

    with reported():
        say("Compiling takes some seconds per kernel, once on this machine.")
        for what, seconds in warm_up(models):
            say(f"{what}: {seconds:.1f} s")
