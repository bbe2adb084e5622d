"""The figure of all stages, read again."""

from xml.etree import ElementTree

import numpy as np
from helpers.inspecting import run, settle
from napari.layers._source import layer_source
from PIL import Image

from napari_lle.model.io.files import write_image
from napari_lle.widgets.shared.pictures import Appearance, as_displayed
from napari_lle.widgets.stages import figure as _figure
from napari_lle.widgets.stages import saving as _saving


def shown(viewer, make, qtbot, stack):
    viewer.add_image(stack, name="cells", contrast_limits=(0, 900))
    viewer.dims.set_point(0, 2)
    widget = make(viewer)
    widget.form.kinds["E"].value = True
    run(qtbot, widget)
    return widget


def test_a_png_shows_each_stage_as_it_is_displayed(qtbot, viewer, make, stack, tmp_path):
    widget = shown(viewer, make, qtbot, stack)
    widget.save_figure(tmp_path / "stages.png")
    settle(qtbot, widget)
    assert widget.form.status.value == "Saved stages.png."
    drawn = np.asarray(Image.open(tmp_path / "stages.png"))
    layer = widget.showing.layers.layers["L"]
    scale, cell = _figure.PNG_DENSITY, _figure.CELL_SIDE
    height = round(cell * 40 / 50)
    expected = as_displayed(widget.finding.picture("L", 3), Appearance.of(layer))[20, 25]
    left = (
        _figure.FIGURE_MARGIN + _figure.GUTTER + cell + _figure.CELL_GAP
    )  # the input is before it
    below = (
        _figure.FIGURE_MARGIN + 2 * _figure.TEXT_LINE
    )  # of the drawing: the last row above the bars
    bottom = drawn.shape[0] // scale - below - _figure.FIGURE_MARGIN // 2 - _figure.CELL_GAP
    row = np.arange(bottom - height, bottom)
    rows = drawn[scale * row, scale * (left + int(25.5 / 50 * cell))]
    assert (np.abs(rows / 255 - expected).max(axis=1) < 0.01).any()
    assert (drawn[0] == 255).all()


def test_an_svg_names_what_it_shows(qtbot, viewer, make, stack, tmp_path):
    widget = shown(viewer, make, qtbot, stack)
    widget.save_figure(tmp_path / "stages.svg")
    settle(qtbot, widget)
    tree = ElementTree.parse(tmp_path / "stages.svg")
    words = " ".join("".join(each.itertext()) for each in tree.iter() if "text" in each.tag)
    for word in ("cells, plane 2", "input", "L: illumination", "E: auxiliary", "stage 3"):
        assert word in words
    pictures = [each for each in tree.iter() if each.tag.endswith("image")]
    assert len(pictures) == 1 + 3 * 3 + 4  # input, L, R and E of three stages, and their bars


def test_a_figure_is_whole_or_absent(qtbot, viewer, make, stack, tmp_path, monkeypatch):
    widget = shown(viewer, make, qtbot, stack)
    for name in ("stages.gif", "gone/stages.png"):
        widget.save_figure(tmp_path / name)
        settle(qtbot, widget)
        assert "choose" in widget.form.status.value or "cannot be" in widget.form.status.value
    taken = tmp_path / "taken.png"
    taken.touch()
    monkeypatch.setattr(_saving, "show_file_dialog", lambda **_: tmp_path / "taken")
    widget.form.figure.native.click()
    assert "taken.png is there already" in widget.form.status.value
    assert list(tmp_path.iterdir()) == [taken] and not taken.stat().st_size


def test_a_figure_spares_the_files_of_layers(qtbot, viewer, make, stack, tmp_path):
    file = tmp_path / "cells.png"
    write_image(file, stack[0], rgb=False)
    before = file.read_bytes()
    with layer_source(path=str(file)):
        viewer.add_image(stack[0], name="cells")
    widget = make(viewer)
    run(qtbot, widget)
    widget.save_figure(file)
    settle(qtbot, widget)
    assert "is the input itself" in widget.form.status.value and file.read_bytes() == before
