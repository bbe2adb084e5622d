"""What is done in a real window to measure how long a user waits, one session a process."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from stopwatch import Timing, longest_gap, measure, settle

SIZES = ((600, 400), (1920, 1080))  # columns, rows
AGAIN = 5  # repeats of what can be repeated in one process
WINDOW = (1600, 1200)


class Session:
    """A viewer with an image of a size, and what was measured in it."""

    def __init__(self, size: tuple[int, int]) -> None:
        import napari

        self.name = "{}x{}".format(*size)
        self.rows: list[tuple[str, str, Timing]] = []
        self.bright = scene(size)
        self.dark = self.bright // 8
        self.viewer = napari.Viewer(show=True)
        self.viewer.window.resize(*WINDOW)
        self.canvas = self.viewer.window._qt_viewer.canvas.native
        settle()

    def time(
        self,
        action: str,
        act: Callable[[], Any],
        until: Callable[[], bool],
        surface: Callable[[], Any] | None = None,
    ) -> None:
        """Measure once; the canvas is looked at if nothing else is."""
        timing = measure(act, until, surface or (lambda: self.canvas))
        self.rows.append((action, self.name, timing))

    def open(self, title: str, preview: bool = False) -> Any:
        """A widget, by the plugin menu; until it is drawn, or its preview is."""
        opened: list[Any] = []
        self.time(
            f"{title}: plugin menu to the {'first preview' if preview else 'widget drawn'}",
            lambda: opened.append(self.viewer.window.add_plugin_dock_widget("napari-lle", title)),
            lambda: bool(opened) and not (preview and opened[0][1].preview.layer is None),
            lambda: self.canvas if preview else opened[0][1].native,
        )
        settle()
        return opened[0][1]

    def add_dark(self) -> Any:
        """The image, unmeasured."""
        layer = self.viewer.add_image(self.dark, name="dark", rgb=True)
        settle()
        return layer


def scene(size: tuple[int, int]) -> np.ndarray:
    """Patches of colour under a light that falls off, (Y, X, 3) uint8."""
    columns, rows = size
    rng = np.random.default_rng(0)
    patches = rng.random((rows // 20 + 1, columns // 20 + 1, 3))
    pixels = patches.repeat(20, axis=0).repeat(20, axis=1)[:rows, :columns]
    light = np.linspace(0.2, 1, columns)[:, None]
    noise = rng.normal(0, 0.02, pixels.shape)
    return (255 * np.clip(pixels * light + noise, 0, 1)).astype(np.uint8)


def napari_session(session: Session) -> None:
    """What napari alone needs for layers of this size."""
    viewer = session.viewer
    gap = longest_gap(1.0)
    session.rows.append(("napari alone: nothing, for a second", "", Timing(1.0, gap)))
    result = session.bright.astype(np.float32) / 255
    for action, pixels in (
        ("napari alone: the first layer, uint8", session.dark),
        ("napari alone: the second, float32", result),
        ("napari alone: the third, float32", result.copy()),
    ):
        count = len(viewer.layers)
        session.time(
            action,
            lambda pixels=pixels: viewer.add_image(pixels, rgb=True),
            lambda count=count: len(viewer.layers) > count,
        )
        settle()
    for _ in range(AGAIN):
        layer, pixels = viewer.layers[-1], viewer.layers[-1].data.copy()
        session.time(
            "napari alone: other values for a layer, float32",
            lambda layer=layer, pixels=pixels: setattr(layer, "data", pixels),
            lambda layer=layer, pixels=pixels: layer.data is pixels,
        )


def enhance_session(session: Session) -> None:
    session.add_dark()
    widget = session.open("Enhance", preview=True)
    time_preview(session, widget)
    time_results(session, widget)
    widget.release()


def time_preview(session: Session, widget: Any) -> None:
    from napari_lle.model import kernels

    box, preview = widget.form.preview, widget.preview
    shown = lambda: preview.layer is not None  # noqa: E731
    background = kernels._background  # compiles what is not on disk
    settle(lambda: background is None or background.poll() is not None)
    for _ in range(AGAIN):
        box.native.click()
        settle(lambda: preview.layer is None)
        session.time("Enhance: preview on, again", box.native.click, shown)
        settle(lambda: not preview.busy)
    time_strength(session, widget, "preview", preview.layer)
    box.native.click()
    settle()


def time_results(session: Session, widget: Any) -> None:
    layers = session.viewer.layers
    for i in range(AGAIN):
        session.time(
            f"Enhance: run to the result layer, {'again' if i else 'after a preview'}",
            widget.form.run.native.click,
            lambda: widget.live is not None,
        )
        settle(lambda: not widget.job.running)
        if i < AGAIN - 1:
            layers.remove(widget.live.layer)
            settle()
    time_strength(session, widget, "result", widget.live.layer)


def time_strength(session: Session, widget: Any, what: str, layer: Any) -> None:
    for strength in np.linspace(0.9, 0.1, AGAIN):
        before = layer.data
        session.time(
            f"Enhance: strength moved to the new picture of the {what}",
            lambda strength=strength: setattr(widget.form.strength, "value", float(strength)),
            lambda before=before: layer.data is not before,
        )
        settle()
    widget.form.strength.value = 1.0
    settle()


def inspector_session(session: Session) -> None:
    layer = session.add_dark()
    widget = session.open("Stage inspector")
    shown, run = widget.showing.layers, widget.form.run.native.click
    idle = lambda: not widget.job.running and not widget.working  # noqa: E731
    whole = lambda: set(widget.form.wanted()) <= set(shown.layers)  # noqa: E731
    name = "Stage inspector: Inspect to the first of its layers"
    session.time(f"{name}, first", run, lambda: bool(shown.layers))
    for action, until in (
        (f"{name}, again", lambda: bool(shown.layers)),
        ("Stage inspector: Inspect to the last of its layers, again", whole),
    ):
        for _ in range(AGAIN):
            settle(idle)
            take_away(shown)
            session.time(action, run, until)
    settle(idle)
    time_stages(session, widget, idle)
    time_cursor(session, widget, layer)
    widget.release()


def take_away(shown: Any) -> None:
    """All layers of the inspector, one by one: napari 0.9 may crash in the next drawing when it
    loses several layers in one turn (napari #7345)."""
    for key in list(shown.layers):
        shown._take(key)
        settle(least=0.2)


def time_stages(session: Session, widget: Any, idle: Callable[[], bool]) -> None:
    from napari_lle.widgets.stages.inspector import KINDS

    shown = [layer for key, layer in widget.showing.layers.layers.items() if key in KINDS]
    stages = (2, 3, 1, 2, 3, 1)
    for which, enough in (("the first", any), ("the last", all)):
        for stage in stages[:AGAIN]:
            before = [layer.data for layer in shown]
            session.time(
                f"Stage inspector: stage moved to the new picture of {which} layer",
                lambda stage=stage: setattr(widget.form.stage, "value", stage),
                lambda before=before, enough=enough: enough(
                    layer.data is not old for layer, old in zip(shown, before, strict=True)
                ),
            )
            settle(idle)
        widget.form.stage.value = 1
        settle(idle)


def time_cursor(session: Session, widget: Any, layer: Any) -> None:
    middle = len(session.dark) // 2  # of a large plane, the middle is what is inspected
    for row in range(middle, middle + AGAIN):
        session.time(
            "Stage inspector: cursor moved to the profile",
            lambda row=row: setattr(
                session.viewer.cursor, "position", layer.data_to_world((row, middle))
            ),
            lambda row=row: f"row {row}, " in widget.form.plots.place,
            lambda: widget.form.plots.profile.viewport(),
        )
        settle()


def training_session(session: Session) -> None:
    viewer = session.viewer
    session.add_dark()
    viewer.add_image(session.bright, name="bright", rgb=True)
    settle()
    with own_runs():
        widget = session.open("Train on layer pairs")
        time_pairs(session, widget)
        time_training(session, widget)
        widget.cancel()
        settle(lambda: not widget.job.running)
        widget.release()


@contextmanager
def own_runs() -> Any:
    """Keep the runs of a session away from those of the user."""
    from napari_lle.widgets.training import runs as _runs

    with tempfile.TemporaryDirectory() as folder:
        _runs.runs_folder = lambda: Path(folder)
        yield


def time_pairs(session: Session, widget: Any) -> None:
    form, entries = widget.form, widget.pairs.entries
    form.low.value = session.viewer.layers["dark"]
    form.reference.value = session.viewer.layers["bright"]
    for i in range(AGAIN):
        session.time(
            f"Training: Add pair to its card in the list, {'again' if i else 'first'}",
            form.add.native.click,
            lambda: bool(entries),
            lambda: form.cards.widget.native.viewport(),
        )
        settle(lambda: not widget.job.running)
        if i < AGAIN - 1:
            form.remove.native.click()
            settle()


def time_training(session: Session, widget: Any) -> None:
    layers, form = session.viewer.layers, widget.form
    form.minutes.value = 60  # it shall not end by itself
    for i in range(2):
        session.time(
            f"Training: Train to the first preview, {'again' if i else 'first'}",
            form.train.native.click,
            lambda: "[training] dark" in layers,
        )
        preview = layers["[training] dark"]
        before = preview.data
        session.time(
            "Training: while it trains, one preview to the next",
            lambda: None,
            lambda preview=preview, before=before: preview.data is not before,
        )
        form.stop.native.click()
        settle(lambda: not widget.job.running)
        layers.remove(preview)
        settle()


SESSIONS = {
    "napari": (napari_session, SIZES),
    "enhance": (enhance_session, SIZES),
    "inspector": (inspector_session, SIZES[:1]),
    "training": (training_session, SIZES[:1]),
}
