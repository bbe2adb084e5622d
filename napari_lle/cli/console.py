"""How the command line speaks: progress bars, tables, and errors of one line."""

from __future__ import annotations

import os
import sys
import threading
import traceback
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager, suppress
from dis import opmap
from typing import Any, TypeVar

import typer

from ..model.progress import Steps

T = TypeVar("T")
_ended = threading.Event()  # by Ctrl-C: what threads drain is to end
_batch_bars: Any = None  # bars of a batch
TRACEBACK = "NAPARI_LLE_TRACEBACK"  # set in the environment, faults are shown as Python sees them


def say(line: str, *, error: bool = False) -> None:
    """Print a line; where nobody can read it, the work goes on all the same."""
    stream = sys.stderr if error else sys.stdout
    try:
        typer.echo(line, err=error)
    except (OSError, UnicodeError):
        with suppress(OSError, ValueError):  # a closed pipe would complain again at the end
            os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


def complain(sentence: str) -> None:
    """Print what is wrong on standard error."""
    say(f"napari-lle: {sentence}", error=True)


@contextmanager
def reported(about: str = "", quiet: bool = False) -> Iterator[None]:
    """Turn what went wrong into one line, which names `about`, and exit code 2.

    A `quiet` process leaves the line to another that says the same.
    """
    try:
        yield
    except (typer.Exit, typer.Abort):
        raise
    except Exception as error:
        if os.environ.get(TRACEBACK):
            traceback.print_exception(error)
        message = sentence(error)
        if about not in message:
            message = f"{about}: {message}"
        if not quiet:
            complain(message)
        raise typer.Exit(2) from None


def sentence(error: Exception) -> str:
    """What a user is told of an error: what we wrote for them, what the system says, or sorry."""
    from ..model.io.reasons import reason

    if hasattr(error, "format_message"):  # options that cannot be read
        return f"{error.format_message().rstrip('.')}: see napari-lle --help."
    if _meant(error):
        return _one_line(error)
    if isinstance(error, MemoryError):
        return "There is not enough memory: use smaller images or write to a .zarr."
    if isinstance(error, OSError):
        return f"{error.filename or 'The work was stopped'}: {reason(error)}."
    return (
        f"{type(error).__name__} occurred, which is a bug in napari-lle: set {TRACEBACK}=1, run it "
        "again and report what it prints."
    )


def _meant(error: BaseException) -> bool:
    """Whether a `raise` of this package made the error: its text is then meant for users."""
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    if trace is None or not trace.tb_frame.f_globals.get("__name__", "").startswith("napari_lle"):
        return False
    return trace.tb_frame.f_code.co_code[trace.tb_lasti] == opmap["RAISE_VARARGS"]


def _one_line(error: BaseException) -> str:
    return " ".join(str(error).split()) or type(error).__name__


def drain(
    steps: Generator[Any, None, T],
    label: str,
    text: Callable[[Any], str] = str,
    quiet: bool = False,
) -> T:
    """Run a generator of progress to its end behind a progress bar; return what it returns."""
    with _bars_for(quiet) as bars:
        task = bars.add_task(label, text="")
        run = Steps(steps)
        try:
            for step in run:
                if _ended.is_set():
                    raise KeyboardInterrupt
                bars.update(task, completed=step[0], total=step[1], text=text(step))
                if step.note:
                    bars.console.print(step.note, markup=False, highlight=False)
        finally:
            bars.remove_task(task)
        return run.answer


def end_drains() -> None:
    """Let all that threads drain end at its next step."""
    _ended.set()


@contextmanager
def shared_bars(files: int) -> Iterator[Callable[[], None]]:
    """Show the bars of all that is drained inside with one for the files; offer to advance it."""
    global _batch_bars
    if files < 2:
        yield lambda: None
        return
    with _bars(quiet=False) as _batch_bars:
        task = _batch_bars.add_task("files", total=files, text="")
        try:
            yield lambda: _batch_bars.advance(task)
        finally:
            _batch_bars = None
            _ended.clear()


@contextmanager
def _bars_for(quiet: bool) -> Iterator[Any]:
    """The bars that are shown already, or new ones."""
    if _batch_bars is not None:
        yield _batch_bars
        return
    with _bars(quiet) as bars:
        yield bars


def _bars(quiet: bool) -> Any:
    """Progress bars on standard error, which go when they end."""
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (
        TextColumn("{task.description}", markup=False),  # file names may hold brackets
        BarColumn(),
        TextColumn("{task.fields[text]}"),
    )
    console = Console(stderr=True, quiet=quiet)
    silent = not console.is_terminal  # else each bar leaves an empty line in a log
    return Progress(
        *columns,
        TimeRemainingColumn(),
        console=console,
        transient=True,
        disable=silent,
        redirect_stdout=sys.stdout.isatty(),  # else what is piped would end on the screen
    )


def say_which(source: Any, picture: Any) -> None:
    """Say that a file holds more images than the one that was read, and how to take another."""
    if picture.images > 1:
        which = f"image {picture.number} of {picture.images}"
        say(f"{source}: {which}: choose with --image N", error=True)


def print_scores(rows: list[dict[str, Any]]) -> None:
    """Print methods or images, one a line, under the names of their figures; at least one row."""
    columns = {
        "PSNR": ("psnr", 2),
        "SSIM": ("ssim", 3),
        "PSNR gt": ("psnr_gt_mean", 2),
        "SSIM gt": ("ssim_gt_mean", 3),
        "LOE %": ("loe", 1),
        "noise": ("noise_gain", 2),
        "cast": ("cast", 1),
        "sharp": ("sharpness", 2),
    }
    columns = {title: column for title, column in columns.items() if column[0] in rows[0]}
    say(f"{'name':<14}{'params':>8}" + "".join(f"{title:>9}" for title in columns))
    for row in rows:
        cells = (f"{row[key]:>9.{digits}f}" for key, digits in columns.values())
        say(f"{row['name']:<14}{row['parameters']:>8}{''.join(cells)}")


def print_suite(report: dict[str, Any]) -> None:
    """Print the checks of a suite with goals and verdicts, then methods beside each other."""
    width = max(len(check["name"]) for check in report["checks"])
    say(f"{'check':<{width}}{'value':>11}  {'goal':<9}verdict")
    for check in report["checks"]:
        line = f"{check['name']:<{width}}{check['value']:>11.3g}  {check['goal']:<9}"
        beside = ", ".join(f"{k} {v:.3g}" for k, v in check.get("beside", {}).items())
        say(f"{line}{check['verdict']:<9}{beside}".rstrip())
    if "methods" in report:
        _print_methods(report)
    say(f"{report['failed']} of the checks failed" if report["failed"] else "no check failed")


def _print_methods(report: dict[str, Any]) -> None:
    """Print the figures of each method, and in what one without a network is better."""
    figures = list(next(iter(report["methods"].values())))
    say(f"\n{'method':<14}" + "".join(f"{name.replace('_', ' '):>14}" for name in figures))
    for method, scores in report["methods"].items():
        say(f"{method:<14}" + "".join(f"{scores[name]:>14.3f}" for name in figures))
    _print_exposures(report["exposures"])
    for sentence in report["better"]:
        say(sentence)


def _print_exposures(table: dict[str, dict[str, dict[str, float]]]) -> None:
    """Print PSNR and SSIM by method and number of electrons."""
    levels = list(next(iter(table.values())))
    say(f"\n{'electrons':<14}" + "".join(f"{level:>14}" for level in levels))
    for method, scores in table.items():
        cells = (f"{row['psnr']:.1f} / {row['ssim']:.3f}" for row in scores.values())
        say(f"{method:<14}" + "".join(f"{cell:>14}" for cell in cells))
