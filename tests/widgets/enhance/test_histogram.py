import numpy as np

from napari_lle.model.preprocessing.levels import find_levels
from napari_lle.widgets.enhance.histogram import (
    BAR,
    BLACK,
    SIZE,
    WHITE,
    draw_histogram,
    place_of,
    shown_range,
)


def columns(picture, colour):
    found = (np.asarray(picture) == colour).all(axis=-1)
    return np.flatnonzero(found.any(axis=0))


def test_bars_and_levels_lie_at_their_values():
    values = np.r_[np.full(500, 20.0), np.full(5, 60.0)]
    picture = draw_histogram(values, 10, 90)
    low, high = shown_range(10, 90)
    assert picture.size == SIZE
    bars = columns(picture, BAR)
    for value in (20, 60):
        assert np.abs(bars - place_of(value, low, high)).min() <= 2
    assert not np.any(np.abs(bars - place_of(75, low, high)) < 10)
    tall, short = (
        (np.asarray(picture)[:, int(place_of(value, low, high)) // 2 * 2, 3] > 0).sum()
        for value in (20, 60)
    )
    assert tall > short > 0
    assert np.abs(columns(picture, BLACK) - place_of(10, low, high)).max() <= 2
    assert np.abs(columns(picture, WHITE) - place_of(90, low, high)).max() <= 2


def test_values_beyond_are_counted_at_the_ends():
    picture = draw_histogram(np.array([-1e9, 1e9]), 10, 90)
    bars = columns(picture, BAR)
    assert bars.min() <= 1 and bars.max() >= SIZE[0] - 2


def test_find_shows_the_levels_without_a_run(qtbot, viewer, widget, rng):
    image = rng.poisson(300, (60, 80)).astype(np.uint16)
    viewer.add_image(image, name="cells")
    assert widget.form.black.native.placeholderText() == "auto"
    widget.form.find.native.click()
    expected = find_levels(image)
    text = f"auto ({expected.black:.6g})"
    qtbot.waitUntil(lambda: widget.form.black.native.placeholderText() == text)
    assert f"({expected.white:.6g})" in widget.form.white.native.placeholderText()
    assert len(viewer.layers) == 1
    first = widget.form.histogram.native.pixmap().toImage()
    assert first.width() == SIZE[0]
    widget.form.white.value = str(2 * expected.white)
    assert widget.form.histogram.native.pixmap().toImage() != first


def test_another_layer_starts_without_levels(qtbot, viewer, widget, rng):
    for name in ("one", "two"):
        viewer.add_image(rng.poisson(300, (60, 80)).astype(np.uint16), name=name)
    widget.form.image.value = viewer.layers["one"]
    widget.form.find.native.click()
    qtbot.waitUntil(lambda: "(" in widget.form.black.native.placeholderText())
    widget.form.image.value = viewer.layers["two"]
    assert widget.form.black.native.placeholderText() == "auto"
    assert widget.form.histogram.native.isHidden()
