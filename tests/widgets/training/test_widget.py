import re

import numpy as np
import pytest
from helpers.turns import Shares, Turns
from napari.components import ViewerModel
from napari.utils._proxies import PublicOnlyProxy
from qtpy.QtWidgets import QApplication
from skimage import data as pictures
from skimage.transform import resize

from napari_lle.model.data.project import CONFIG
from napari_lle.model.network.checkpoint import load_model
from napari_lle.widgets.enhance.widget import EnhanceWidget
from napari_lle.widgets.training import close_guard as _leaving
from napari_lle.widgets.training import pairs as _pairs
from napari_lle.widgets.training import runs as _runs
from napari_lle.widgets.training import widget as _train
from napari_lle.widgets.training.preview import PreviewLayer
from napari_lle.widgets.training.runner import HeldOutPreview
from napari_lle.widgets.training.step_bar import CHECK, PAIRS, TRAIN, VERDICT
from napari_lle.widgets.training.widget import TrainWidget

pytestmark = pytest.mark.usefixtures("own_runs")


@pytest.fixture(scope="module")
def scene():
    bright = (resize(pictures.coffee(), (80, 96), anti_aliasing=True) * 255).astype(np.uint8)
    return bright // 8, bright


@pytest.fixture
def viewer(scene):
    viewer = ViewerModel()
    for name, image in zip(("dark", "bright"), scene, strict=True):
        viewer.add_image(image, name=name, rgb=True, scale=(0.5, 0.5), units=("um", "um"))
    return viewer


@pytest.fixture
def make(keep, model_file):
    """Build a widget with quick settings for a viewer."""

    def build(viewer):
        widget = keep(TrainWidget(viewer))
        widget.form.model.use(str(model_file))
        widget.form.minutes.value = 0.05
        for name, value in (("batch", 2), ("crop", 24), ("validate_every", 2)):
            widget.form.advanced[name].value = value
        return widget

    return build


def idle(qtbot, widget):
    qtbot.waitUntil(lambda: not widget.job.running)


def add_pair(qtbot, widget, viewer, low="dark", reference="bright"):
    form = widget.form
    form.low.value = viewer.layers[low]
    form.reference.value = viewer.layers[reference] if reference else None
    form.add.native.click()
    idle(qtbot, widget)


def offers_resume(widget):
    return not widget.form.resume.native.isHidden()


def long(widget):
    """A run that does not end by itself while a test looks at it."""
    widget.form.minutes.value = 60
    widget.form.train.native.click()


def test_a_pair_is_trained_on_and_its_model_offered_everywhere(qtbot, viewer, make, tmp_path):
    enhance = EnhanceWidget(viewer)
    widget = make(viewer)
    add_pair(qtbot, widget, viewer)
    (card,) = widget.form.cards.shown
    assert card.name == "dark" and card.verdict == "good" and "80 x 96" in card.text
    widget.form.train.native.click()
    assert widget.training and widget.form.stop.enabled and not widget.form.train.enabled
    idle(qtbot, widget)
    assert [row[0] for row in widget.form.verdict.scores.rows] == [
        "input",
        "automatic gamma",
        "best curve",
        "blur 1",
        "blur 2",
        "non-local means",
        "before",
        "after",
    ]
    assert re.match(
        "It |Only ", widget.form.verdict.sentence.value
    )  # as many steps as the machine allows
    assert widget.plots.rows and {"loss", "psnr", "ssim"} <= set(widget.plots.rows[-1])
    assert widget.form.steps.currentIndex() == VERDICT
    swipe = widget.form.verdict.swipe
    assert swipe.left.choices == ("input", "before", "after", "reference")
    assert (swipe.left.value, swipe.right.value) == ("before", "after")
    compared = viewer.layers["[compare] dark"]
    np.testing.assert_allclose(compared.extent.step, viewer.layers["dark"].extent.step)
    preview = viewer.layers["[training] dark"]
    assert preview.units == viewer.layers["dark"].units
    np.testing.assert_allclose(preview.extent.step, viewer.layers["dark"].extent.step)
    widget.save(str(tmp_path / "mine"))
    file = tmp_path / "mine.safetensors"
    assert load_model(file).card["compared"]["input"]["psnr"] > 0
    assert str(file) in enhance.form.model.widget.choices
    kept = file.read_bytes()
    widget.save(str(tmp_path / "mine"))  # the dialog asked about another name
    assert "is there already" in widget.form.status.value and file.read_bytes() == kept
    widget.save(str(tmp_path / "mine.v2"))
    assert (tmp_path / "mine.v2.safetensors").exists()
    widget.form.verdict.command.native.click()
    assert "--config" in QApplication.clipboard().text()
    assert not offers_resume(widget)
    (folder,) = _runs.runs_folder().iterdir()
    assert folder.name.endswith("_dark") and (folder / CONFIG).exists()  # to be told apart
    enhance.release()


def test_selected_layers_are_ordered_by_brightness(qtbot, viewer, make):
    widget = make(viewer)
    viewer.layers.selection = {viewer.layers["bright"]}
    widget.form.add_selected.native.click()
    assert "Select two" in widget.form.status.value
    viewer.layers.selection = set(viewer.layers)
    viewer.layers.move(0, 2)  # the dark one comes second
    widget.form.add_selected.native.click()
    idle(qtbot, widget)
    (entry,) = widget.pairs.entries
    assert entry.draft.name == "dark" and entry.draft.low.mean() < entry.draft.reference.mean()


def test_a_shifted_pair_is_refused_until_it_is_fixed(qtbot, viewer, make, scene):
    viewer.add_image(np.roll(scene[1], 5, axis=0), name="moved", rgb=True)
    widget = make(viewer)
    add_pair(qtbot, widget, viewer, reference="moved")
    assert "pixels off" in widget.form.cards.shown[0].verdict
    widget.form.train.native.click()
    idle(qtbot, widget)
    assert "Fix or remove" in widget.form.status.value and widget.form.train.enabled
    assert not list(_runs.runs_folder().glob("*"))
    widget.form.fix.native.click()
    idle(qtbot, widget)
    told = "Reference moved by -5 rows and +0 columns; the 75 x 96 pixels that both have are used."
    assert widget.form.cards.shown[0].verdict == widget.form.status.value == told
    widget.form.fix.native.click()
    assert "nothing to fix" in widget.form.status.value
    widget.form.remove.native.click()
    assert not widget.pairs.entries
    widget.form.train.native.click()
    idle(qtbot, widget)
    assert "Add a pair" in widget.form.status.value


def test_a_noisy_offset_image_and_its_clean_reference_are_never_turned_round_unasked(
    qtbot, viewer, make
):
    rng = np.random.default_rng(0)
    clean = 900 * resize(pictures.coins() / 255, (96, 128), anti_aliasing=True)
    viewer.add_image((clean + rng.normal(0, 150, clean.shape) + 2000).astype("u2"), name="noisy")
    viewer.add_image(clean.astype("u2"), name="clean")
    widget = make(viewer)
    viewer.layers.selection = {viewer.layers["noisy"], viewer.layers["clean"]}
    widget.form.add_selected.native.click()
    idle(qtbot, widget)
    (entry,) = widget.pairs.entries
    assert entry.draft.name == "noisy" and "less noisy" in widget.form.status.value
    add_pair(qtbot, widget, viewer, "clean", "noisy")
    card = widget.form.cards.shown[1]
    assert "were the two swapped?" in card.verdict
    widget.form.cards.widget.native.setCurrentRow(1)
    widget.form.fix.native.click()
    assert "nothing was changed" in widget.form.status.value
    assert widget.pairs.entries[1].draft.low.mean() < 1000
    widget.form.swap.native.click()
    idle(qtbot, widget)
    assert widget.pairs.entries[1].draft.low.mean() > 2000
    assert widget.form.cards.shown[1].verdict == "Swapped, as asked."


def test_the_split_of_a_fixed_pair_lies_where_its_pixels_are(qtbot, viewer, make, scene):
    viewer.add_image(scene[1][6:, 9:], name="part", rgb=True)
    widget = make(viewer)
    add_pair(qtbot, widget, viewer, reference="part")
    widget.form.swap.native.click()
    assert "press Fix first" in widget.form.status.value
    widget.form.fix.native.click()
    idle(qtbot, widget)
    assert widget.pairs.entries[0].draft.corner == (6, 9)
    widget.form.split.native.click()
    idle(qtbot, widget)
    split = viewer.layers["dark split"].data
    assert split.shape == (80, 96) and not split[:6].any() and not split[:, :9].any()
    assert {1, 2} <= set(np.unique(split))


def test_annotation_and_split_are_shown_and_used(qtbot, viewer, make):
    widget = make(viewer)
    widget.form.low.value = viewer.layers["dark"]
    widget.form.draw.native.click()
    qtbot.waitUntil(lambda: not widget.pairs.drawing.running)
    labels = viewer.layers["dark annotation"]
    assert widget.form.annotation.value is labels and labels.mode == "paint"
    add_pair(qtbot, widget, viewer)
    labels.data[:, :40], labels.data[:, 60:] = 1, 2  # painted after the pair was added
    widget.form.split.native.click()
    idle(qtbot, widget)
    split = viewer.layers["dark split"].data
    assert (
        (split[:, :40] == 1).all() and (split[:, 40:60] == 0).all() and (split[:, 60:] == 2).all()
    )
    assert [str(u) for u in viewer.layers.extent.units] == ["micrometer"] * 2
    labels.data[:] = 0
    widget.form.train.native.click()
    idle(qtbot, widget)
    assert "nothing to train on" in widget.form.status.value


def test_folders_of_pairs(qtbot, viewer, make, scene, tmp_path):
    from napari_lle.model.io.files import write_image

    for kind, image in zip(("low", "high"), scene, strict=True):
        (tmp_path / kind).mkdir()
        for i in range(2):
            write_image(tmp_path / kind / f"{i}.png", image, rgb=True)
    widget = make(viewer)
    widget.pairs.add_folders(str(tmp_path / "low"), str(tmp_path / "high"))
    idle(qtbot, widget)
    assert [card.name for card in widget.form.cards.shown] == ["0", "1"]
    widget.pairs.add_folders(str(tmp_path / "low"), str(tmp_path))
    idle(qtbot, widget)
    assert "holds no images" in widget.form.status.value and widget.form.add.enabled


def test_the_steps_open_as_they_are_reached(qtbot, viewer, make, scene):
    viewer.add_image(scene[1][:-5], name="lower", rgb=True)
    widget = make(viewer)
    steps = widget.form.steps
    assert [steps.tabText(i) for i in range(4)] == ["1 Pairs", "2 Check", "3 Train", "4 Verdict"]
    assert steps.currentIndex() == PAIRS
    add_pair(qtbot, widget, viewer)
    add_pair(qtbot, widget, viewer, reference="lower")
    assert steps.currentIndex() == CHECK and steps.tabText(CHECK) == "2 Check: fix 1"
    assert widget.form.cards.chosen == 1 and widget.form.cards.shown[1].kind == "wrong"
    shown = [not page.native.isHidden() for page in widget.form.pages]
    assert shown == [False, True, False, False] and widget.plots.fold.isHidden()
    widget.form.fix.native.click()
    idle(qtbot, widget)
    assert steps.tabText(CHECK) == "2 Check (2)"
    assert [p.shape[2] for p in widget.form.cards.shown[1].pictures] == [3, 3]
    long(widget)
    assert steps.currentIndex() == TRAIN
    widget.cancel()
    idle(qtbot, widget)


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


def test_annotations_are_only_read_where_they_can_be(qtbot, viewer, make):
    widget = make(viewer)
    add_pair(qtbot, widget, viewer, reference=None)
    assert widget.form.objective.value == "self"
    assert widget.form.cards.shown[0].verdict == "dark image alone"
    widget.form.split.native.click()
    assert "split by image" in widget.form.status.value


def test_the_preview_gives_the_selection_back(qtbot, viewer):
    """Also through the proxy of the viewer that napari hands to plugins."""
    shown = PreviewLayer(PublicOnlyProxy(viewer))
    dark = viewer.layers["dark"]
    viewer.layers.selection.active = dark
    image = np.zeros((8, 9, 3), np.uint8)
    shown.show(HeldOutPreview("dark", (0, 8), (0, 9), image), [])
    assert viewer.layers.selection.active.name == "[training] dark"
    qtbot.waitUntil(lambda: viewer.layers.selection.active is dark)
    shown.show(HeldOutPreview("other", (0, 8), (0, 9), image), [])
    viewer.layers.selection.active = viewer.layers["bright"]  # the user was faster
    qtbot.wait(100)
    assert viewer.layers.selection.active is viewer.layers["bright"]


def test_a_noisy_grey_layer_alone_is_learned_from_by_its_noise(qtbot, viewer, make):
    widget = make(viewer)
    viewer.add_image(np.random.default_rng(0).poisson(50, (80, 96)).astype(np.uint16), name="grey")
    add_pair(qtbot, widget, viewer, "grey", None)
    assert widget.form.objective.value == "noisy"
    widget.form.model.use("auto")
    widget.form.train.native.click()
    idle(qtbot, widget)
    assert [row[0] for row in widget.form.verdict.scores.rows][-1] == "after"
    assert not any(row[2] for row in widget.form.verdict.scores.rows)
    assert "Spots of" in widget.form.verdict.sentence.value


def test_the_objective_follows_the_pairs_and_the_start_is_left_to_them(qtbot, viewer, keep):
    widget = keep(TrainWidget(viewer))
    assert widget.form.model.value == "auto" and widget.form.request().base == "auto"
    clean = np.random.default_rng(0).random((80, 96)) * 900
    viewer.add_image(clean.astype(np.uint16), name="clean")
    viewer.add_image(np.random.default_rng(1).poisson(clean).astype(np.uint16), name="noisy")
    add_pair(qtbot, widget, viewer, "noisy", None)
    assert widget.form.objective.value == "noisy"
    widget.form.model.use("linear")
    add_pair(qtbot, widget, viewer, "noisy", "clean")
    assert widget.form.objective.value == "paired" and widget.form.model.value == "linear"
