"""How long a user waits in a real window for each thing that the widgets do.

    xvfb-run -a -s "-screen 0 1600x1200x24" python benchmarks/interactive.py

The display may be any. Each widget is driven in fresh processes of its own, so that the first use
of anything is a first use.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
from pathlib import Path
from platform import platform
from statistics import median
from typing import Annotated, Any

import numpy as np
import typer
from qtpy import QT_VERSION
from stopwatch import Timing
from window_sessions import SESSIONS, WINDOW, Session

TRIES = 3  # of a session that dies in a drawing
MODULES = ("enhance", "stages", "training")

ABOUT = """\
Written by `benchmarks/{script}`: napari {napari}, Qt {qt}, Python {python}, torch {torch} with
{threads} thread(s), {cores} cores, {system}; OpenGL by {opengl}; a window of {width} x {height}.
Measured after it: sgemm {gflops:.0f} GFLOP/s, copy {bandwidth:.1f} GB/s. Load {before:.1f} at the
beginning and {after:.1f} at the end: where others use the machine, too, all of it takes longer than
on an idle one.

- **ms** is the median of the time from the action to the turn of the event loop after the one in
  which the canvas (for a profile, its plot; for a pair, its table) was drawn with the changed data.
- **longest gap** is the longest, of all repeats, between two ticks of a timer of 5 ms in the
  window's thread, from the action to the third tick after the picture: for so long the window did
  not answer. It is raw: what napari, drawing and other programs take is in it. The rows of *napari
  alone*, without any widget of this plugin, tell what a layer costs by itself.
- *First* means the first time in a process in which neither torch nor a model is loaded; kernels
  lie compiled on disk. At that time a process of Enhance still checks whether they do, and takes a
  core for it.
- Images are dark RGB uint8 made of random numbers, seed 0. Of 1920x1080 the preview shows every
  second pixel in rows and columns.
- Training has its default settings: the first preview comes with the first validation, after
  {validate} steps of training.
- Sessions that died of a segmentation fault and were run again: {crashes}.
"""


def run_session(name: str, size: tuple[int, int]) -> None:
    """Measure in this process, and print what was found as a line of JSON."""
    session = Session(size)
    SESSIONS[name][0](session)
    print(json.dumps({"opengl": opengl(session.canvas), "rows": session.rows}))
    session.viewer.close()


def opengl(canvas: Any) -> str:
    from vispy.gloo import gl

    canvas.makeCurrent()
    return str(gl.glGetParameter(gl.GL_RENDERER))


def ask(arguments: list[str], folder: str) -> str:
    """The last line that another Python prints; napari has its own settings in a folder."""
    settings = {"NAPARI_CONFIG": str(Path(folder) / "settings.yaml"), "PYTHONFAULTHANDLER": "1"}
    answer = subprocess.run(
        [sys.executable, *arguments],
        env=os.environ | settings,
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    return answer.stdout.splitlines()[-1]


def ask_session(name: str, size: tuple[int, int], folder: str) -> tuple[dict[str, Any], int]:
    """What a session finds, and how often it crashed before."""
    arguments = [__file__, "--only", name, "--size", "{}x{}".format(*size)]
    for crashes in range(TRIES):
        try:
            return json.loads(ask(arguments, folder)), crashes
        except subprocess.CalledProcessError as error:
            if error.returncode != -signal.SIGSEGV:
                raise
    raise SystemExit(f"The session {name} crashed {TRIES} times.")


def imports(folder: str) -> list[tuple[str, str, Timing]]:
    """Of napari's viewer, and of each widget's module after it, each in a fresh process."""
    clock = (
        "from time import perf_counter; t = perf_counter(); import {}; print(perf_counter() - t)"
    )
    viewer = "napari.viewer"
    cases = [(f"import of {viewer}", clock.format(viewer))]
    for module in MODULES:
        name = f"napari_lle.widgets.{module}.widget"
        code = clock.format(name)
        cases += [
            (f"import of {name}", code),
            (f"import of {name} after napari's viewer", f"import {viewer}; {code}"),
        ]
    return [
        (name, "", Timing(float(ask(["-c", code], folder)), float("nan"))) for name, code in cases
    ]


def table(rows: list[tuple[str, str, Timing]]) -> str:
    """Markdown; what was measured several times is one row."""
    lines = ["| action | image | times | ms | longest gap, ms |", "|---|---|--:|--:|--:|"]
    for key in dict.fromkeys((action, image) for action, image, _ in rows):
        timings = [timing for *which, timing in rows if tuple(which) == key]
        gap = max(timing.gap for timing in timings)
        told = "" if np.isnan(gap) else f"{1000 * gap:.0f}"
        middle = 1000 * median(timing.seconds for timing in timings)
        lines.append(f"| {key[0]} | {key[1]} | {len(timings)} | {middle:.0f} | {told} |")
    return "\n".join(lines)


def about(opengl: str, load: float, crashes: int) -> str:
    import napari
    import torch
    from machine import copy_rate, sgemm_rate

    from napari_lle.widgets.training.quick_settings import QUICK

    after = os.getloadavg()[0]
    return ABOUT.format(
        script=Path(__file__).name,
        napari=napari.__version__,
        qt=QT_VERSION,
        python=sys.version.split()[0],
        torch=torch.__version__,
        threads=torch.get_num_threads(),
        cores=os.cpu_count(),
        system=platform(terse=True),
        opengl=opengl,
        width=WINDOW[0],
        height=WINDOW[1],
        gflops=sgemm_rate() / 1e9,
        bandwidth=copy_rate() / 1e9,
        before=load,
        after=after,
        validate=QUICK["validate_every"],
        crashes=crashes,
    )


def main(
    output: Annotated[Path | None, typer.Option(help="Markdown.")] = None,
    rounds: Annotated[int, typer.Option(help="Processes for each case.")] = 3,
    only: Annotated[str, typer.Option(help="One of the sessions, in this process.")] = "",
    size: str = "600x400",
) -> None:
    if only:
        columns, rows = map(int, size.split("x"))
        run_session(only, (columns, rows))
        return
    load, found, renderer, crashes = os.getloadavg()[0], [], "", 0
    compile_all = "from napari_lle.model.kernels import warm_up as w, available as a; "
    with tempfile.TemporaryDirectory() as folder:
        ask(["-c", f"{compile_all} print(list(w()) if a() else [])"], folder)
        for _ in range(rounds):
            found += imports(folder)
            for name, (_, sizes) in SESSIONS.items():
                for columns, rows in sizes:
                    answer, crashed = ask_session(name, (columns, rows), folder)
                    renderer, crashes = answer["opengl"], crashes + crashed
                    timed = [(action, image, Timing(*t)) for action, image, t in answer["rows"]]
                    typer.echo(table(timed) + "\n")
                    found += timed
    text = f"# Waiting times in the window\n\n{about(renderer, load, crashes)}\n{table(found)}\n"
    typer.echo(text)
    if output:
        output.write_text(text)


if __name__ == "__main__":
    typer.run(main)
