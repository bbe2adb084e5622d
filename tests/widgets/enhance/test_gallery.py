"""Pictures of what each model makes of the visible part, and choosing by them."""

import numpy as np
import pytest
from qtpy.QtCore import QPoint, Qt
from qtpy.QtGui import QFontMetrics

from napari_lle.model.network.bundled import FORMULAS, bundled_models
from napari_lle.widgets.enhance.gallery import VALUE, ModelPictures
from napari_lle.widgets.enhance.widget import EnhanceWidget


@pytest.fixture
def opened(qtbot, viewer, make, rng):
    """A widget whose pictures have been made."""
    image = (100 + rng.gamma(2, 300, (40, 60))).astype(np.uint16)
    viewer.add_image(image, name="cells", colormap="green")
    widget = make(viewer)
    widget.form.model.use("linear")
    widget.form.folds["Compare"].expand(animate=False)
    qtbot.waitUntil(lambda: done(widget))
    return widget


def done(widget):
    gallery, pictures = widget.gallery, widget.form.compare.models
    made = gallery.job is not None and not gallery.job.running and not gallery._todo
    return made and pictures.count() > 0


def test_there_is_a_picture_for_each_model_in_the_layer_s_colours(opened):
    pictures = opened.form.compare.models
    names = [pictures.item(i).text() for i in range(pictures.count())]
    assert names[: len(bundled_models())] == bundled_models()
    assert {f"stretch:{name}" for name in FORMULAS} <= set(names)
    seen = {}
    for i, name in enumerate(names):
        image = pictures.item(i).icon().pixmap(72, 72).toImage()
        assert not image.isNull(), name
        middle = image.pixelColor(image.width() // 2, image.height() // 2)
        assert middle.red() == middle.blue() == 0 < middle.green(), name
        seen[name] = image
    assert seen["linear"] != seen["photo"]
    (taken,) = pictures.selectedItems()
    assert taken.text() == "linear"


def test_a_click_takes_the_model(qtbot, opened):
    pictures = opened.form.compare.models
    pictures.resize(260, pictures.height())
    (item,) = pictures.findItems("science", Qt.MatchFlag.MatchExactly)
    spot = pictures.visualItemRect(item).center()
    qtbot.mouseClick(pictures.viewport(), Qt.MouseButton.LeftButton, pos=QPoint(spot))
    assert opened.form.model.value == "science" == item.data(VALUE)
    assert opened.form.line.value.startswith("science")


def test_nothing_is_computed_while_the_fold_is_shut(qtbot, viewer, make, photo):
    viewer.add_image(photo, rgb=True)
    widget = make(viewer)
    widget.form.strength.value = 0.5
    assert not widget.gallery._later._timer.isActive()
    assert widget.gallery.job is None


def test_pictures_make_the_list_as_high_as_its_rows(qtbot):
    pictures = ModelPictures()
    qtbot.addWidget(pictures)
    pictures.show()
    pictures.resize(260, 100)
    pictures.name([(f"model {i}", str(i)) for i in range(7)])
    rows = {pictures.visualItemRect(pictures.item(i)).top() for i in range(7)}
    assert len(rows) == 3
    lowest = max(pictures.visualItemRect(pictures.item(i)).bottom() for i in range(7))
    assert lowest <= pictures.height()
    widest = max(pictures.visualItemRect(pictures.item(i)).right() for i in range(7))
    assert widest <= pictures.viewport().width()


def test_no_name_is_cut(qtbot, opened):
    pictures = opened.form.compare.models
    for width in (250, 300, 420):
        pictures.resize(width, pictures.height())
        for i in range(pictures.count()):
            item = pictures.item(i)
            needed = QFontMetrics(item.font()).horizontalAdvance(item.text())
            assert pictures.visualItemRect(item).width() >= needed + 4, item.text()
        assert pictures.horizontalScrollBar().maximum() == 0


def test_a_fold_that_was_left_open_has_its_pictures(qtbot, viewer, opened):
    again = EnhanceWidget(viewer)  # nothing is chosen in it
    qtbot.addWidget(again.native)
    assert again.form.folds["Compare"].isExpanded()
    qtbot.waitUntil(lambda: done(again), timeout=30_000)
    pictures = again.form.compare.models
    assert not any(pictures.item(i).icon().isNull() for i in range(pictures.count()))
    again.release()
