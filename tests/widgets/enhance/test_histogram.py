"""The histogram: drawn where the values are, dragged, and always in sight."""

import numpy as np
import pytest
from qtpy.QtCore import QPoint, Qt
from qtpy.QtGui import QColor, QImage

from napari_lle.model.preprocessing.levels import find_levels
from napari_lle.widgets.enhance.histogram import BAR, LEVEL_COLOURS, Histogram


@pytest.fixture
def histogram(qtbot):
    view = Histogram()
    qtbot.addWidget(view)
    view.resize(260, view.height())
    view.recolour("#f0f1f2")
    return view


def columns(view, colour):
    """Where a colour is painted in the lower half, without the handles."""
    image = QImage(view.size(), QImage.Format.Format_RGB32)  # screens may have fewer bits
    view.render(image)
    wanted = QColor(colour).rgb()
    rows = range(image.height() // 2, image.height())
    return [x for x in range(image.width()) if any(image.pixel(x, y) == wanted for y in rows)]


def drag(qtbot, view, start, end):
    middle = view.height() // 2
    qtbot.mousePress(view, Qt.MouseButton.LeftButton, pos=QPoint(int(start), middle))
    qtbot.mouseMove(view, QPoint(int(end), middle))
    qtbot.mouseRelease(view, Qt.MouseButton.LeftButton, pos=QPoint(int(end), middle))


def test_bars_and_levels_lie_at_their_values(histogram):
    histogram.show_values(np.r_[np.full(500, 20.0), np.full(5, 60.0)], 10, 90)
    heights = histogram.heights()
    tall, short, empty = (heights[int(histogram.place_of(v) / BAR)] for v in (20, 60, 75))
    assert tall == 1 and 0 < short < tall and empty == 0
    for level, value in (("black", 10), ("white", 90)):
        found = columns(histogram, LEVEL_COLOURS[level])
        assert found and np.abs(np.subtract(found, histogram.place_of(value))).max() <= 2


def test_values_beyond_are_counted_at_the_ends(histogram):
    histogram.show_values(np.array([-1e9, 1e9]), 10, 90)
    assert histogram.heights()[[0, -1]].all() and not histogram.heights()[1:-1].any()


def test_a_level_is_dragged_but_not_beyond_the_other(qtbot, histogram):
    told = []
    histogram.dragged.connect(lambda *each: told.append(each))
    histogram.show_values(np.arange(100.0), 10, 90)
    black, target = histogram.place_of(10), histogram.place_of(50)
    drag(qtbot, histogram, black, target)
    level, value = told[-1]
    assert level == "black" and value == pytest.approx(50, abs=1)
    drag(qtbot, histogram, histogram.place_of(value), histogram.width() + 40)
    assert value < told[-1][1] < 90
    told.clear()
    drag(qtbot, histogram, histogram.width() / 2, 5)  # between both: nothing is grasped
    assert not told


def test_dragging_sets_the_level_and_a_double_click_lets_it_be_found(qtbot, viewer, widget, rng):
    viewer.add_image(rng.poisson(300, (60, 80)).astype(np.uint16), name="cells")
    view = widget.form.levels.histogram
    view.resize(260, view.height())
    qtbot.waitUntil(lambda: widget.levels.found is not None)
    found = widget.levels.in_force()
    drag(qtbot, view, view.place_of(found[1]), view.place_of(sum(found) / 2))
    assert float(widget.form.levels.white.value) == pytest.approx(sum(found) / 2, abs=2)
    assert widget.form.levels.black.value == ""
    qtbot.mouseDClick(view, Qt.MouseButton.LeftButton)
    assert widget.form.levels.white.value == "" and widget.levels.in_force() == found


def test_levels_are_found_without_a_run_or_a_click(qtbot, viewer, widget, rng):
    image = rng.poisson(300, (60, 80)).astype(np.uint16)
    layer = viewer.add_image(image, name="cells")
    expected = find_levels(image)
    text = f"auto ({expected.black:.6g})"
    qtbot.waitUntil(lambda: widget.form.levels.black.native.placeholderText() == text)
    assert f"({expected.white:.6g})" in widget.form.levels.white.native.placeholderText()
    assert len(viewer.layers) == 1
    layer.data = image * 2
    twice = f"auto ({2 * expected.black:.6g})"
    qtbot.waitUntil(lambda: widget.form.levels.black.native.placeholderText() == twice)


def test_another_layer_has_its_own_levels(qtbot, viewer, widget, rng):
    for name, mean in (("one", 300), ("two", 900)):
        viewer.add_image(rng.poisson(mean, (60, 80)).astype(np.uint16), name=name)
    widget.form.image.value = viewer.layers["one"]
    qtbot.waitUntil(lambda: widget.levels.found is not None)
    widget.form.image.value = viewer.layers["two"]
    assert widget.levels.found is None
    assert widget.form.levels.black.native.placeholderText() == "auto"
    qtbot.waitUntil(lambda: widget.levels.found is not None)
    assert widget.levels.found.levels.black > 600
