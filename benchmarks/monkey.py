"""Whether anything breaks when a monkey has the window: chance drives a viewer and the widgets.

    xvfb-run -a -s "-screen 0 1280x800x24" python benchmarks/monkey.py

Layers are added, deleted, renamed, hidden, reordered and given other values, dimensions and views
changed, and every control of the three widgets pressed, moved and typed into, with runs under way
or not; docks and windows are closed at any moment. Each seed has a process of its own. Exits with 1
where there was an exception in a slot, a thread or napari, a thread or a listener that outlived its
window, a layer that is gone and still held, or a crash.

What a seed does follows from the seed, but not when: jobs take as long as the machine has it.
"""

from __future__ import annotations

import faulthandler
import json
import os
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path
from typing import Annotated, Any
from unittest.mock import patch

import typer
from monkey_acts import DIALOGS, TITLES, Monkey, settle
from monkey_watch import Watch
from qtpy.QtCore import QSettings

A_WINDOW = 100  # actions until it is closed and another one opened
A_LOOK = 20  # actions until the monkey waits, and what is held is looked at
LAST = 12  # actions that are told with a fault


def drive(seed: int, actions: int, folder: Path, **more: Any) -> tuple[Watch, dict[str, int]]:
    """Let the monkey of a seed act, and find what went wrong; `more` is for the monkey."""
    with Watch() as watch, ExitStack() as stack:
        for patched in away_from_the_user(folder, seed):
            stack.enter_context(patched)
        monkey = Monkey(seed, **more)
        for number in range(1, actions + 1):
            one_act(monkey, watch)
            if number % A_WINDOW == 0 or number == actions:
                close(monkey, watch)
                if number < actions:
                    reopen(monkey, watch)
            elif number % A_LOOK == 0:
                look(monkey, watch)
    return watch, {"actions": actions, "jobs": watch.jobs, "layers": monkey.added}


def one_act(monkey: Monkey, watch: Watch) -> None:
    known = len(watch.faults)
    try:
        monkey.act()
        print(monkey.said[-1], file=sys.stderr, flush=True)  # should it be the last one
        monkey.rest()
    except Exception as error:
        watch.note("in an action", error)
    for i in range(known, len(watch.faults)):
        watch.faults[i] += "\nafter: " + "; ".join(monkey.said[-LAST:])


def look(monkey: Monkey, watch: Watch) -> None:
    """Let all that is under way end, and look at what is left."""
    known = len(watch.faults)
    monkey.stop()
    if not settle(lambda: not watch.busy and not monkey.working, least=700):
        watch.faults.append("a job does not end")
    watch.look(monkey.panels, monkey.viewer)
    for i in range(known, len(watch.faults)):
        watch.faults[i] += "\nafter: " + "; ".join(monkey.said[-A_LOOK:])


def close(monkey: Monkey, watch: Watch) -> None:
    """Close the window with whatever is under way, and look at what is left."""
    viewer = monkey.viewer
    try:
        monkey.close()
    except Exception as error:
        watch.note("on closing", error)
        viewer.window.close()
    if not settle(lambda: not watch.busy, least=300):
        watch.faults.append("a job outlives its window")
    watch.look_after(viewer)


def reopen(monkey: Monkey, watch: Watch) -> None:
    try:
        monkey.open()
    except Exception as error:
        watch.note("on opening", error)


def away_from_the_user(folder: Path, seed: int) -> list[Any]:
    """Files, settings and runs go to a folder; questions are answered by chance."""
    from random import Random

    from napari_lle.widgets.training import runs

    chance = Random(seed)
    form, scope = QSettings.Format.IniFormat, QSettings.Scope.UserScope
    QSettings.setPath(form, scope, str(folder))

    def answer(mode: str = "", **_: Any) -> Any:
        name = chance.choice((None, "a.png", "b.tif", "c.safetensors"))
        return None if name is None else folder if mode == "d" else folder / name

    widgets = "napari_lle.widgets"
    asked = [f"{widgets}.{module}.show_file_dialog" for module in DIALOGS]
    return [
        *(patch(name, answer) for name in asked),
        patch(f"{widgets}.training.close_guard.ask", lambda _: chance.random() < 0.7),
        patch.object(runs, "runs_folder", lambda: folder / "runs"),
    ]


def main(
    seeds: Annotated[int, typer.Option(help="How many, from 0 on.")] = 10,
    actions: Annotated[int, typer.Option(help="Of each.")] = 500,
    alone: Annotated[bool, typer.Option(help="napari, without the widgets.")] = False,
    only: Annotated[int | None, typer.Option(help="One seed, in this process.")] = None,
) -> None:
    if only is not None:
        run_here(only, actions, alone)
        return
    bad = 0
    typer.echo("seed  actions  jobs  layers  seconds  faults  of napari alone  crashed")
    for seed in range(seeds):
        found = run_apart(seed, actions, alone)
        own = [fault for fault in found["faults"] if not fault.startswith("of napari alone")]
        bad += len(own) + found["crashed"]
        others = len(found["faults"]) - len(own)
        typer.echo(
            f"{seed:4} {found['actions']:8} {found['jobs']:5} {found['layers']:7} "
            f"{found['seconds']:8.0f} {len(own):7} {others:16} {found['crashed']:8}"
        )
        for fault in found["faults"]:
            typer.echo(fault, err=True)
    raise typer.Exit(int(bad > 0))


def run_here(seed: int, actions: int, alone: bool) -> None:
    """The last line tells what was found."""
    faulthandler.enable()
    with tempfile.TemporaryDirectory() as folder:
        watch, figures = drive(seed, actions, Path(folder), titles=() if alone else TITLES)
    print(json.dumps({**figures, "faults": watch.faults}))


def run_apart(seed: int, actions: int, alone: bool) -> dict[str, Any]:
    """What a seed finds in a process of its own, with napari's settings as they come."""
    start = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        settings = {"NAPARI_CONFIG": str(Path(folder) / "settings.yaml")}
        arguments = ["--only", str(seed), "--actions", str(actions), *["--alone"] * alone]
        answer = subprocess.run(
            [sys.executable, __file__, *arguments],
            env=os.environ | settings,
            capture_output=True,
            text=True,
        )
    found = {"actions": 0, "jobs": 0, "layers": 0, "faults": [answer.stderr[-3000:]]}
    if answer.returncode == 0:
        found = json.loads(answer.stdout.splitlines()[-1])
    seconds = time.monotonic() - start
    return {**found, "crashed": int(answer.returncode != 0), "seconds": seconds}


if __name__ == "__main__":
    typer.run(main)
