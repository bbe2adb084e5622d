"""The Training widget from pairs to a verdict."""

import re

import numpy as np
import pytest
from helpers.training import add_pair, idle
from napari.utils._proxies import PublicOnlyProxy
from qtpy.QtWidgets import QApplication

from napari_lle.model.data.project import CONFIG
from napari_lle.model.network.checkpoint import load_model
from napari_lle.widgets.enhance.widget import EnhanceWidget
from napari_lle.widgets.training import runs as _runs
from napari_lle.widgets.training.preview import PreviewLayer
from napari_lle.widgets.training.runner import HeldOutPreview
from napari_lle.widgets.training.step_bar import CHECK_STEP, PAIRS_STEP, TRAIN_STEP, VERDICT_STEP

pytestmark = pytest.mark.usefixtures("own_runs")


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
    assert widget.form.steps.currentIndex() == VERDICT_STEP
    swipe = widget.form.verdict.swipe
    assert swipe.left.choices == ("input", "before", "after", "reference")
    assert (swipe.left.value, swipe.right.value) == ("before", "after")
    compared = viewer.layers["[compare] dark: before"]
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


def test_the_steps_open_as_they_are_reached(qtbot, viewer, make, scene):
    viewer.add_image(scene[1][:-5], name="lower", rgb=True)
    widget = make(viewer)
    steps = widget.form.steps
    assert [steps.tabText(i) for i in range(4)] == ["1 Pairs", "2 Check", "3 Train", "4 Verdict"]
    assert steps.currentIndex() == PAIRS_STEP
    add_pair(qtbot, widget, viewer)
    add_pair(qtbot, widget, viewer, reference="lower")
    assert steps.currentIndex() == CHECK_STEP and steps.tabText(CHECK_STEP) == "2 Check: fix 1"
    assert widget.form.cards.chosen == 1 and widget.form.cards.shown[1].kind == "wrong"
    shown = [not page.native.isHidden() for page in widget.form.pages]
    assert shown == [False, True, False, False] and widget.plots.fold.isHidden()
    widget.form.fix.native.click()
    idle(qtbot, widget)
    assert steps.tabText(CHECK_STEP) == "2 Check (2)"
    assert [p.shape[2] for p in widget.form.cards.shown[1].pictures] == [3, 3]
    long(widget)
    assert steps.currentIndex() == TRAIN_STEP
    widget.cancel()
    idle(qtbot, widget)


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
