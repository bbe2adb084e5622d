"""Pairs of layers in the Training widget: checked, fixed, split and annotated."""

import numpy as np
import pytest
from helpers.training import add_pair, idle
from skimage import data as pictures
from skimage.transform import resize

from napari_lle.widgets.training import runs as _runs
from napari_lle.widgets.training.widget import TrainWidget

pytestmark = pytest.mark.usefixtures("own_runs")


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
    assert widget.form.cards.shown[0].verdict.endswith("pixels off. Press Fix.")
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
    assert widget.form.cards.shown[1].name == "noisy 1"  # the first pair has the name
    widget.form.swap.native.click()
    idle(qtbot, widget)
    assert widget.form.cards.shown[1].name == "clean"


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


def test_annotations_are_only_read_where_they_can_be(qtbot, viewer, make):
    widget = make(viewer)
    add_pair(qtbot, widget, viewer, reference=None)
    assert widget.form.objective.value == "self"
    assert widget.form.cards.shown[0].verdict == "dark image alone"
    widget.form.split.native.click()
    assert "split by image" in widget.form.status.value


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
