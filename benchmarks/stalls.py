"""Whether the window stalls while the widgets work, and how soon Cancel ends a run.

    xvfb-run -a -s "-screen 0 1600x1200x24" python benchmarks/stalls.py

Of each action it prints the longest time for which the window did not answer by our own doing,
beside what is allowed: `STALL`, or twice what napari itself needs for a layer of each kind. Exits
with 1 where an action takes longer. On a busy machine all of it says little.

A timer ticks in the window's thread. A gap between two ticks is ours as far as threads of this
process computed in it, be it in the window's thread or in one that kept it waiting for Python's
lock; the time for which other programs had the processor is nobody's stall. On Linux the kernel
tells for how long a thread that was ready had to wait for a processor; elsewhere nothing is
subtracted.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import napari
import numpy as np
import typer
from napari.layers import Image
from qtpy.QtCore import QTimer
from stopwatch import TICK, settle
from window_sessions import own_runs, scene

from napari_lle import samples
from napari_lle.widgets.enhance.widget import EnhanceWidget
from napari_lle.widgets.stages.widget import StagesWidget
from napari_lle.widgets.training.annotations import annotation_layer
from napari_lle.widgets.training.widget import TrainWidget

STALL = 0.1  # seconds that the window may not answer
CANCEL = 1.0  # seconds until a run has ended


class Row(NamedTuple):
    """An action, and the seconds that it took and may take."""

    action: str
    found: float
    allowed: float


def clocks() -> tuple[float, float, float]:
    """Seconds: of the wall, of all of the process, and ready to run but without a processor."""
    file = Path(f"/proc/self/task/{threading.get_native_id()}/schedstat")
    waited = int(file.read_text().split()[1]) / 1e9 if file.exists() else 0.0
    return time.monotonic(), time.process_time(), waited


def gap(act: Callable[[], Any], until: Callable[[], bool] = lambda: True) -> float:
    """Do something and wait; the longest gap between ticks that was ours."""
    ticks = [clocks()]
    timer = QTimer()
    timer.timeout.connect(lambda: ticks.append(clocks()))
    timer.start(TICK)
    QTimer.singleShot(0, act)
    settle(lambda: len(ticks) > 3 and until(), least=0)
    ended = len(ticks)
    settle(lambda: len(ticks) > ended + 3, least=0)  # what is drawn after it
    timer.stop()
    ticks.append(clocks())
    wall, computed, waited = np.diff(ticks, axis=0).T
    return float(np.minimum(wall - waited, computed).max())


def allowed(viewer: Any, *makers: Callable[[], Any]) -> float:
    """What napari needs for a layer of each kind and to draw them anew, twice, or `STALL`.

    Twice, for a run does both at once, and what else the machine does slows down either.
    """
    longest, made = [gap(lambda: None)], []
    for make in makers:
        for _ in range(2):  # the first one compiles shaders
            layer = make()
            added = partial(viewer.layers.__contains__, layer)
            found = gap(partial(viewer.add_layer, layer), added)
            viewer.layers.remove(layer)
        viewer.add_layer(layer)
        made.append(layer)
        longest.append(found)
    first = made[0]
    longest += [gap(partial(setattr, first, "data", first.data.copy())) for _ in range(5)]
    for layer in made:
        viewer.layers.remove(layer)
    return max(STALL, 2 * max(longest))


def docked(kind: type, layers: list[Any]) -> tuple[Any, Any]:
    """A viewer on the screen that holds layers and a widget."""
    viewer = napari.Viewer(show=True)
    for layer in layers:
        viewer.add_layer(layer)
    widget = kind(viewer)
    viewer.window.add_dock_widget(widget)
    settle()
    return viewer, widget


def cells() -> Any:
    data, options, _ = samples.cells_layers()[0]
    return Image(data, **options)


def enhancing() -> Iterator[Row]:
    layer = cells()
    viewer, widget = docked(EnhanceWidget, [layer])
    most = allowed(viewer, lambda: Image(layer.data.astype(np.float32), scale=layer.scale))
    done = lambda: widget.job is not None and not widget.job.running  # noqa: E731
    yield Row("Enhance: run", gap(widget.form.run.native.click, done), most)
    widget.form.run.native.click()
    settle(lambda: widget.form.progress.value > 0 or done(), least=0)
    start = time.monotonic()
    widget.form.cancel.native.click()
    settle(done, least=0)
    yield Row("Enhance: cancel", time.monotonic() - start, CANCEL)
    widget.release()
    viewer.close()


def inspecting() -> Iterator[Row]:
    layer = cells()
    viewer, widget = docked(StagesWidget, [layer])
    most = allowed(viewer, lambda: Image(layer.data[:1], scale=layer.scale))
    viewer.layers.selection.active = layer
    viewer.dims.set_current_step(0, 5)
    form = widget.form
    form.count.value = 12

    def idle() -> bool:
        return widget.job is None or not (widget.job.running or widget.working)

    def at(plane: int) -> bool:
        return widget.finding is not None and widget.finding.region.plane == (plane,) and idle()

    follow = partial(viewer.dims.set_current_step, 0, 8)
    yield Row("Stage inspector: inspect", gap(form.run.native.click, lambda: at(5)), most)
    yield Row("Stage inspector: step", gap(partial(setattr, form.stage, "value", 3), idle), most)
    yield Row("Stage inspector: follow", gap(follow, lambda: at(8)), most)
    for row in range(4, 9):
        place = layer.data_to_world((8, row, 4))
        move = partial(setattr, viewer.cursor, "position", place)
        shown = lambda row=row: f"row {row}, " in widget.form.plots.place  # noqa: E731
        yield Row("Stage inspector: cursor", gap(move, shown), most)
    widget.release()
    viewer.close()


def training() -> Iterator[Row]:
    bright = scene((96, 80))
    dark = Image(bright // 8, name="dark", rgb=True)
    viewer, widget = docked(TrainWidget, [dark, Image(bright, name="bright", rgb=True)])
    most = allowed(viewer, lambda: Image(bright, rgb=True), lambda: annotation_layer(dark))
    form, rows = widget.form, widget.form.plots
    form.advanced["validate_every"].value = 5
    form.low.value, form.reference.value = dark, viewer.layers["bright"]
    form.minutes.value = 60
    idle = lambda: not widget.job.running  # noqa: E731
    for name, act, until in (
        ("add", form.add.native.click, idle),
        ("split", form.split.native.click, idle),
        ("begin", form.train.native.click, lambda: form.progress.value > 0),
        ("train", lambda: None, lambda: len(rows.rows) > 3),
        ("pause", form.pause.native.click, lambda: form.status.value == "Paused."),
        ("continue", form.pause.native.click, lambda: len(rows.rows) > 4),
        ("stop", form.stop.native.click, idle),
    ):
        yield Row(f"Training: {name}", gap(act, until), most)
    widget.release()
    viewer.close()


def main() -> None:
    worst = 0.0
    for session in (enhancing, inspecting, training):
        rows = own_rows(session)
        for row in rows:
            worst = max(worst, row.found / row.allowed)
            typer.echo(f"{row.action:<28}{row.found:8.3f} s of {row.allowed:.3f} s")
    raise typer.Exit(int(worst > 1))


def own_rows(session: Callable[[], Iterator[Row]]) -> list[Row]:
    """What a session finds; its trainings leave no runs behind."""
    with own_runs():
        return list(session())


if __name__ == "__main__":
    typer.run(main)
