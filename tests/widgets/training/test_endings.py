"""How a run of the Training widget ends, pauses and goes on, and what the window does meanwhile."""

import re

import pytest
from helpers.training import add_pair, idle
from helpers.turns import Shares, Turns

from napari_lle.widgets.training import close_guard as _leaving
from napari_lle.widgets.training import pairs as _pairs
from napari_lle.widgets.training import runs as _runs
from napari_lle.widgets.training import widget as _train
from napari_lle.widgets.training.widget import TrainWidget

pytestmark = pytest.mark.usefixtures("own_runs")


def offers_resume(widget):
    return not widget.form.resume.native.isHidden()


def long(widget):
    """A run that does not end by itself while a test looks at it."""
    widget.form.minutes.value = 60
    widget.form.train.native.click()


def test_pause_stop_and_resume(qtbot, viewer, make):
    widget = make(viewer)
    add_pair(qtbot, widget, viewer)
    long(widget)
    qtbot.waitUntil(lambda: widget.form.progress.value > 2)
    widget.form.pause.native.click()
    assert widget.form.pause.text == "Continue"
    qtbot.waitUntil(lambda: widget.form.status.value == "Paused.")
    step = widget.form.progress.value
    qtbot.wait(500)
    assert widget.form.progress.value == step
    widget.cancel()
    idle(qtbot, widget)
    assert offers_resume(widget)
    told = re.search(r"step (\d+) of", widget.form.resume.text)
    assert int(told[1]) in (step, step + 1)  # the bar shows most steps, not every one
    widget.form.resume.native.click()
    qtbot.waitUntil(lambda: widget.form.progress.value > step + 2)
    widget.form.stop.native.click()
    idle(qtbot, widget)
    assert len(widget.form.verdict.scores.rows) == 8 and widget.form.verdict.save.enabled
    assert not widget.form.verdict.scores.widget.native.isHidden()


def test_a_second_stop_leaves_no_empty_table(qtbot, viewer, make):
    widget = make(viewer)
    add_pair(qtbot, widget, viewer)
    widget.show()
    long(widget)
    qtbot.waitUntil(lambda: widget.form.progress.value > 2)
    for _ in range(2):
        widget.form.stop.native.click()
    idle(qtbot, widget)
    verdict = widget.form.verdict
    assert verdict.sentence.value.startswith("Not compared") and verdict.save.enabled
    assert verdict.scores.widget.native.isHidden()
    assert widget.form.status.value == "The run has ended."


def test_a_new_widget_resumes_what_a_closed_one_began(qtbot, viewer, make):
    widget = make(viewer)
    add_pair(qtbot, widget, viewer)
    long(widget)
    qtbot.waitUntil(lambda: widget.form.progress.value > 2)
    widget.release()
    idle(qtbot, widget)
    again = make(viewer)
    assert offers_resume(again)
    again.form.resume.native.click()
    qtbot.waitUntil(lambda: again.form.progress.value > 3)
    again.form.stop.native.click()
    idle(qtbot, again)
    assert again.form.verdict.scores.rows


def test_closing_asks_while_training_only(qtbot, make_napari_viewer, make, scene, monkeypatch):
    viewer = make_napari_viewer()
    for name, image in zip(("dark", "bright"), scene, strict=True):
        viewer.add_image(image, name=name, rgb=True)
    widget = make(viewer)
    dock = viewer.window.add_dock_widget(widget)
    asked = []
    monkeypatch.setattr(_leaving, "ask", lambda parent: bool(asked.append(parent)))
    add_pair(qtbot, widget, viewer)
    long(widget)
    qtbot.waitUntil(lambda: widget.form.progress.value > 1)
    assert not dock.close() and len(asked) == 1 and widget.training
    assert not viewer.window._qt_window.close() and widget.training
    monkeypatch.setattr(_leaving, "ask", lambda parent: True)
    dock.close()
    idle(qtbot, widget)
    assert _runs.unfinished()


def test_the_window_turns_while_training(qtbot, viewer, make, monkeypatch):
    turns = Turns()
    for module, name in ((_pairs, "read_steps"), (_pairs, "split_steps"), (_train, "start_steps")):
        monkeypatch.setattr(module, name, turns.watched(getattr(module, name)))
    shares = Shares(viewer)
    monkeypatch.setattr(TrainWidget, "_progress", shares.counted(TrainWidget._progress))
    widget = make(viewer)
    form, plots = widget.form, widget.plots
    plots.add = shares.noted(plots.add, "plots")
    add_pair(qtbot, widget, viewer)
    form.split.native.click()
    idle(qtbot, widget)
    long(widget)
    qtbot.waitUntil(lambda: len(plots.rows) > 1)
    form.pause.native.click()
    qtbot.waitUntil(lambda: form.status.value == "Paused.")
    seen = len(plots.rows)
    form.pause.native.click()
    qtbot.waitUntil(lambda: len(plots.rows) > seen)
    form.stop.native.click()
    idle(qtbot, widget)
    assert {"[training] dark", "dark split"} <= {layer.name for layer in viewer.layers}
    assert turns.apart()
    # The plots have a turn of their own, and so has the layer of the preview.
    assert max(map(len, shares.calls)) == 1
    assert {word for call in shares.calls for word in call} == {"plots"}


def test_an_annotation_does_not_come_to_a_window_that_is_gone(qtbot, viewer, make):
    widget = make(viewer)
    before = list(viewer.layers)
    widget.form.draw.native.click()
    assert widget.pairs.drawing.running
    widget.release()
    qtbot.waitUntil(lambda: not widget.pairs.drawing.running)
    qtbot.wait(50)  # for what it would have told
    assert list(viewer.layers) == before
