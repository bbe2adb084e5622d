"""A monkey has the window for a while, and what it may break is seen."""

import threading
from types import SimpleNamespace

import numpy as np
from monkey import drive
from monkey_acts import Monkey, settle
from monkey_watch import Watch, held
from napari.layers import Image
from qtpy.QtCore import QTimer

from napari_lle.widgets.enhance.results import Shown
from napari_lle.widgets.shared.image_choice import ImageChoice
from napari_lle.widgets.training import close_guard

ACTIONS = 40
RESTS = (0, 10, 40, 150)  # ms


def test_nothing_breaks_whatever_is_done(tmp_path, make_napari_viewer):
    watch, figures = drive(0, ACTIONS, tmp_path, make=make_napari_viewer, rests=RESTS)
    assert not watch.faults, "\n\n".join(watch.faults)
    assert figures["actions"] == ACTIONS and figures["jobs"] > 3


def test_a_window_is_closed_although_a_run_is_to_go_on(make_napari_viewer, monkeypatch):
    monkeypatch.setattr(close_guard, "ask", lambda _: False)
    monkey = Monkey(0, titles=("Train on layer pairs",), make=make_napari_viewer)
    monkey.panels[0]._leaving.watch()
    viewer = monkey.viewer
    with Watch() as watch:
        monkey.close()
        settle(least=300)
        watch.look_after(viewer)
    assert not watch.faults


def fail(*_):
    raise ValueError("it broke")


def test_exceptions_of_slots_and_threads_are_seen(qtbot):
    with Watch() as watch:
        QTimer.singleShot(0, fail)
        thread = threading.Thread(target=fail)
        thread.start()
        qtbot.waitUntil(lambda: len(watch.faults) == 2)
        thread.join()
    assert all("ValueError" in fault and "it broke" in fault for fault in watch.faults)


def test_layers_that_are_gone_and_listeners_are_seen(viewer):
    layer, other = (viewer.add_image(np.ones((4, 5)), name=name) for name in ("a", "b"))
    box = SimpleNamespace(choices=(), value=other, reset_choices=lambda: None)
    panel = Shown(layer, None, None), ImageChoice(viewer, box), lambda: layer
    assert {found.name for _, found in held(panel)} == {"a", "b"}
    viewer.layers.remove(layer)
    form = SimpleNamespace(progress=SimpleNamespace(visible=True))
    with Watch() as watch:
        choice = ImageChoice(viewer, box)
        choice.form = form
        choice.kept = Image(np.ones((4, 5)), name="c")
        watch.look([choice], viewer)
        watch.look_after(viewer)
    assert [fault.split(" ")[0] for fault in watch.faults] == [
        "ImageChoice.kept",
        "ImageChoice",
        "ImageChoice",
    ]
    assert "holds “c”, which is gone" in watch.faults[0] and "a run" in watch.faults[1]
    assert "still listens" in watch.faults[2]
