"""``napari-lle evaluate``: what a model is worth, beside what costs nothing."""

from __future__ import annotations

from collections.abc import Generator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from . import options as o
from .console import complain, drain, print_scores, print_suite, reported, say
from .json_files import write_json

if TYPE_CHECKING:
    from ..model.progress import Progress

SUITES = {  # the model that is meant where none is named, and what it is measured on
    "linear": ("linear", "simulated linear data"),
    "photographs": ("photo", "photographs under difficult light"),
}


def evaluate(
    low: o.LowFolder = None,
    reference: o.ReferenceFolder = None,
    noisy: o.NoisyFolder = None,
    clean: o.CleanFolder = None,
    model: o.JudgedModel = None,
    device: o.DeviceChoice = "auto",
    suite: o.Suite = None,
    metrics: o.MetricNames = "all",
    json_file: o.JsonFile = None,
    sheet: o.SheetFile = None,
    per_image: o.PerImage = False,
) -> None:
    """Score a model on image pairs or by a test suite, beside methods without a network."""
    if suite is not None:
        foreign = any((low, reference, noisy, clean, sheet))
        _evaluate_suite(suite, model, device, json_file, foreign)
    elif noisy or clean:
        foreign = any((low, reference, sheet, per_image))
        _evaluate_noisy(noisy, clean, model or "auto", device, json_file, foreign)
    else:
        with reported():
            if low is None or reference is None:
                raise ValueError("Give --low and --reference, --noisy and --clean, or --suite.")
            model = model or "photo"
            _check_pairs(low, reference, model, json_file, sheet)
            report = _score_pairs(low, reference, model, device, metrics, sheet is not None)
            write_json(json_file, report)
            if sheet:
                _draw_sheet(sheet, report, low, reference, model, device)
        _print_pairs(report, per_image)


def _check_pairs(
    low: Path, reference: Path, model: str, json_file: Path | None, sheet: Path | None
) -> None:
    """Refuse files that cannot be written, or would replace what is read."""
    from ..model.io.files import check_format
    from ..model.io.listing import list_images
    from ..model.io.outputs import check_files
    from ..model.network.bundled import own_file

    if sheet:
        check_format(sheet, "uint8")
    inputs = (*list_images(low), *list_images(reference), *own_file(model))
    check_files((json_file, sheet), inputs)


def _score_pairs(
    low: Path, reference: Path, model: str, device: str, metrics: str, ordered: bool
) -> dict[str, Any]:
    """The figures that are asked for, and those that order the cases of a sheet."""
    from ..model.evaluation.metrics import METRICS
    from ..model.evaluation.photographs import evaluate_steps

    wanted = METRICS if metrics == "all" else tuple(metrics.replace(" ", "").split(","))
    wanted = (*wanted, "ssim") if ordered else wanted
    steps = evaluate_steps(low, reference, model, device=device, metrics=wanted)
    return drain(steps, "evaluate", lambda p: f"{p.done}/{p.total} pairs")


def _draw_sheet(
    sheet: Path, report: dict[str, Any], low: Path, reference: Path, model: str, device: str
) -> None:
    from ..model.evaluation.contact_sheet import contact_sheet
    from ..model.evaluation.photographs import telling_cases
    from ..model.io.atomic import atomic_path
    from ..model.io.raster import save_picture

    cases = telling_cases(report, low, reference, model, device=device)
    with atomic_path(sheet) as temporary:
        save_picture(contact_sheet(cases), temporary)


def _print_pairs(report: dict[str, Any], per_image: bool) -> None:
    """The model's figures beside those of methods without a network."""
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
    suite: str, model: str | None, device: str, json_file: Path | None, foreign: bool
) -> None:
    from ..model.io.outputs import check_files
    from ..model.network.bundled import own_file

    with reported():
        if suite not in SUITES:
            raise ValueError(f"--suite must be {' or '.join(SUITES)}, not {suite!r}.")
        if foreign:
            raise ValueError("--suite cannot be combined with folders or --sheet.")
        usual, described = SUITES[suite]
        model = model or usual
        check_files((json_file,), own_file(model))
        report = drain(_suite_steps(suite, model, device), "evaluate", _parts_done)
        write_json(json_file, report)
    say(f"{report['model']} ({report['digest']}) on {described}")
    print_suite(report)


def _suite_steps(suite: str, model: str, device: str) -> Generator[Progress, None, dict[str, Any]]:
    """Slow to import: only once all is well."""
    if suite == "linear":
        from ..model.evaluation.linear_suite import linear_suite_steps

        return linear_suite_steps(model, device=device)
    from ..model.evaluation.photograph_suite import photograph_suite_steps

    return photograph_suite_steps(model, device=device)


def _parts_done(progress: Progress) -> str:
    return f"{progress.done}/{progress.total} parts"


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
        from ..model.evaluation.noisy_pairs import PAIR_FIGURES, noisy_pairs_steps

        steps = noisy_pairs_steps(noisy, clean, [model], device=device)
        report = drain(steps, "evaluate", lambda p: f"{p.done}/{p.total} pairs")
        write_json(json_file, report)
    _complain_of(report)
    say(f"{report['n']} pairs, each result under its best rising curve to the stretched average")
    say(f"{'name':<20}{'params':>8}" + "".join(f"{title:>9}" for title in PAIR_FIGURES.values()))
    for name, row in report["methods"].items():
        figures = f"{row['psnr']:>9.2f}{row['ssim']:>9.3f}{row['cnr']:>9.2f}"
        say(f"{name:<20}{row['parameters']:>8}{figures}")


def _complain_of(report: dict[str, Any]) -> None:
    """Name what was not evaluated."""
    if report["left_out"]:
        complain(report["left_out"])
