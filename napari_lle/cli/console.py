"""How the command line speaks: progress bars, tables, and errors of one line."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from typing import Annotated, Any, TypeVar

import typer

T = TypeVar("T")
Model = Annotated[str, typer.Option(help="A bundled model or a .safetensors file.")]
Device = Annotated[str, typer.Option(help="auto, cpu, cuda or mps.")]


@contextmanager
def reported(about: str = "", quiet: bool = False) -> Iterator[None]:
    """Turn what a user can mend into one line, which names `about`, and exit code 2.

    A `quiet` process leaves the line to another that says the same.
    """
    try:
        yield
    except (ValueError, TypeError, MemoryError, OSError) as error:
        message = " ".join(str(error).split()) or type(error).__name__
        if about not in message:
            message = f"{about}: {message}"
        if not quiet:
            typer.echo(f"napari-lle: {message}", err=True)
        raise typer.Exit(2) from None


def drain(
    steps: Generator[Any, None, T],
    label: str,
    text: Callable[[Any], str] = str,
    quiet: bool = False,
) -> T:
    """Run a generator of progress to its end behind a progress bar; return what it returns."""
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (
        TextColumn("{task.description}", markup=False),  # file names may hold brackets
        BarColumn(),
        TextColumn("{task.fields[text]}"),
    )
    console = Console(stderr=True, quiet=quiet)
    silent = not console.is_terminal  # else each bar leaves an empty line in a log
    with Progress(
        *columns, TimeRemainingColumn(), console=console, transient=True, disable=silent
    ) as bar:
        task = bar.add_task(label, text="")
        while True:
            try:
                step = next(steps)
            except StopIteration as stop:
                result: T = stop.value
                return result
            bar.update(task, completed=step[0], total=step[1], text=text(step))
            if step.note:
                console.print(step.note, markup=False, highlight=False)


def print_scores(rows: list[dict[str, Any]]) -> None:
    """Print methods or images, one a line, under the names of their figures."""
    columns = {
        "PSNR": ("psnr", 2),
        "SSIM": ("ssim", 3),
        "PSNR gt": ("psnr_gt_mean", 2),
        "SSIM gt": ("ssim_gt_mean", 3),
        "LOE %": ("loe", 1),
        "noise": ("noise_gain", 2),
        "cast": ("cast", 1),
    }
    typer.echo(f"{'name':<14}{'params':>8}" + "".join(f"{title:>9}" for title in columns))
    for row in rows:
        cells = (f"{row[key]:>9.{digits}f}" for key, digits in columns.values())
        typer.echo(f"{row['name']:<14}{row['parameters']:>8}{''.join(cells)}")


def print_suite(report: dict[str, Any]) -> None:
    """Print the checks of a suite with goals and verdicts, then the methods beside each other."""
    width = max(len(check["name"]) for check in report["checks"])
    typer.echo(f"{'check':<{width}}{'value':>11}  {'goal':<9}verdict")
    for check in report["checks"]:
        line = f"{check['name']:<{width}}{check['value']:>11.3g}  {check['goal']:<9}"
        typer.echo(line + check["verdict"])
    figures = list(next(iter(report["methods"].values())))
    typer.echo(f"\n{'method':<14}" + "".join(f"{name.replace('_', ' '):>14}" for name in figures))
    for method, scores in report["methods"].items():
        typer.echo(f"{method:<14}" + "".join(f"{scores[name]:>14.3f}" for name in figures))
    for sentence in report["better"]:
        typer.echo(sentence)
    typer.echo(
        f"{report['failed']} of the checks failed" if report["failed"] else "no check failed"
    )
