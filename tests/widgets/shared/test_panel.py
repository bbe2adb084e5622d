"""The widgets in a real window of a small screen: by numbers."""

import numpy as np
import pytest
from qtpy.QtCore import QEvent, QPoint, QPointF, Qt
from qtpy.QtGui import QFocusEvent, QHelpEvent, QWheelEvent
from qtpy.QtWidgets import QAbstractScrollArea, QApplication, QDockWidget, QToolTip, QWidget

from napari_lle.widgets.shared.panel import share_place
from napari_lle.widgets.shared.whole_names import is_cut
from napari_lle.widgets.training.cards import Card
from napari_lle.widgets.training.step_bar import CHECK_STEP

NAMES = ("Enhance", "Stage inspector", "Train on layer pairs")
WIDTH, HEIGHT = 1280, 800
NARROW = 300
LONG = "a layer whose name is much longer than any list of a narrow window could show at once"

pytestmark = pytest.mark.usefixtures("own_runs")


@pytest.fixture
def window(make_napari_viewer):
    """A viewer of 1280 x 800 pixels with an image of a long name."""
    viewer = make_napari_viewer(show=True)
    viewer.window.resize(WIDTH, HEIGHT)
    viewer.add_image(np.arange(64 * 64, dtype=np.uint16).reshape(64, 64), name=LONG)
    return viewer


@pytest.fixture
def opening(qtbot, window, keep):
    """Open a widget as from the menu: to build all three takes seconds, and few tests need them."""

    def build(name):
        dock, widget = window.window.add_plugin_dock_widget("napari-lle", name)
        qtbot.waitUntil(keep(widget).area.isVisible)
        return dock, widget

    return build


@pytest.fixture
def enhance(opening):
    return opening(NAMES[0])


@pytest.fixture
def training(opening):
    return opening(NAMES[2])


@pytest.fixture
def opened(qtbot, window, opening):
    found = [opening(name) for name in NAMES]
    others = window.window._qt_window.tabifiedDockWidgets
    qtbot.waitUntil(lambda: len(others(found[0][0])) == 2)
    return found


def narrowed(qtbot, window, dock):
    """Give the dock the least width that it takes, at most the one that is promised to do."""
    dock.raise_()
    window.window._qt_window.resizeDocks([dock], [1], Qt.Orientation.Horizontal)
    least = dock.minimumSizeHint().width()
    qtbot.waitUntil(lambda: dock.width() == least <= NARROW and dock.widget().isVisible())
    QApplication.processEvents()


def wheel(widget):
    """Turn the mouse wheel over a widget; whether it took it, or left it to what it lies in."""
    middle = QPointF(widget.rect().center())
    event = QWheelEvent(
        middle,
        QPointF(widget.mapToGlobal(middle.toPoint())),
        QPoint(),
        QPoint(0, -120),
        Qt.MouseButton.NoButton,
        Qt.KeyboardModifier.NoModifier,
        Qt.ScrollPhase.NoScrollPhase,
        False,
    )
    QApplication.sendEvent(widget, event)
    return event.isAccepted()


def test_the_docks_of_three_widgets(window, opened):
    """They leave the window as large as it was, and docks where they are put."""
    frame = window.window._qt_window
    assert (frame.width(), frame.height()) == (WIDTH, HEIGHT)
    assert frame.minimumSizeHint().height() <= HEIGHT
    for dock, _ in opened:
        least = dock.minimumSizeHint()
        assert least.width() <= NARROW and least.height() <= 200
    assert not opened[2][0].visibleRegion().isEmpty()  # the latest is the one in front
    other = QDockWidget("other", frame)
    frame.addDockWidget(Qt.DockWidgetArea.RightDockWidgetArea, other)
    assert not frame.tabifiedDockWidgets(other)
    dock = opened[0][0]
    frame.addDockWidget(Qt.DockWidgetArea.LeftDockWidgetArea, dock)
    QApplication.processEvents()
    assert opened[1][0] not in frame.tabifiedDockWidgets(dock)
    share_place(dock)  # no other panel is on that side
    assert opened[1][0] not in frame.tabifiedDockWidgets(dock)


def test_everything_is_seen_at_300_pixels_or_scrolled_down_to(qtbot, window, opened):
    for dock, widget in opened:
        # The bar takes of the width, and on a low screen it is there.
        widget.area.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOn)
        narrowed(qtbot, window, dock)
        for fold in getattr(widget.form, "folds", {}).values():
            fold.expand(animate=False)
        widget.form.status.value = f"Added {LONG}. {LONG.capitalize()}."
        for _ in opened_steps(widget):
            QApplication.processEvents()
            assert widget.area.horizontalScrollBar().maximum() == 0
            content = widget.body.native
            assert content.height() >= content.minimumSizeHint().height()
            shown = [
                w for w in content.findChildren(QWidget) if w.isVisible() and not inner(w, content)
            ]
            assert len(shown) > 8
            edges = [w.mapTo(content, QPoint(w.width(), 0)).x() for w in shown]
            assert max(edges) <= widget.area.viewport().width() < NARROW


def opened_steps(widget):
    """Open one step after the other, where a widget has steps."""
    if not hasattr(widget.form, "steps"):
        yield
        return
    for step in range(widget.form.steps.count()):
        widget.form.steps.setCurrentIndex(step)
        yield


def test_every_step_of_a_training_fits_without_scrolling(training):
    _, widget = training
    for fold in widget.form.folds.values():
        fold.collapse(animate=False)
    for step in range(4):
        widget.form.steps.setCurrentIndex(step)
        QApplication.processEvents()
        assert widget.area.verticalScrollBar().maximum() == 0


def inner(control, content):
    """Whether it is a part of something that scrolls by itself."""
    parent = control.parentWidget()
    while parent is not content and not isinstance(parent, QAbstractScrollArea):
        parent = parent.parentWidget()
    return parent is not content


def test_the_tabulator_key_goes_as_one_reads(qtbot, window, opened):
    for dock, widget in opened:
        dock.raise_()
        content = widget.body.native
        qtbot.waitUntil(content.isVisible)
        for fold in getattr(widget.form, "folds", {}).values():
            fold.collapse(animate=False)
        QApplication.processEvents()
        chain, step = [], content.nextInFocusChain()
        while step is not content:
            chain.append(step)
            step = step.nextInFocusChain()
        tab = Qt.FocusPolicy.TabFocus
        seen = [w for w in chain if w.isVisible() and w.focusPolicy() & tab and within(w, content)]
        places = [w.mapTo(content, w.rect().center()) for w in seen]
        rows = [(round(p.y() / 12), p.x()) for p in places]
        assert len(rows) > 5 and rows == sorted(rows)


def within(control, content):
    return content.isAncestorOf(control) and not inner(control, content)


def test_the_wheel_scrolls_and_changes_nothing_by_the_way(qtbot, window, enhance):
    _, widget = enhance
    frame = window.window._qt_window
    frame.resize(WIDTH, 500)
    for fold in widget.form.folds.values():
        fold.expand(animate=False)
    bar = widget.area.verticalScrollBar()
    qtbot.waitUntil(lambda: bar.maximum() > 0 and widget.area.isVisible())
    channels, strength = widget.form.channels, widget.form.strength
    frame.setFocus()
    before = channels.value, strength.value
    assert not any(wheel(control.native) for control in (channels, strength))
    assert (channels.value, strength.value) == before
    assert wheel(widget.area.viewport()) and bar.value() > 0
    channels.native.hasFocus = lambda: True  # without a window manager nothing has
    assert wheel(channels.native) and channels.value != before[0]


def test_the_complaint_about_a_pair_is_seen_at_300_pixels(qtbot, window, training):
    dock, widget = training
    widget.form.steps.setCurrentIndex(CHECK_STEP)
    narrowed(qtbot, window, dock)
    complaint = "The reference lies 5.0 pixels off: press Fix to move it, or remove the pair."
    cards, view = widget.form.cards, widget.form.cards.widget.native
    pictures = (np.zeros((50, 72, 3), np.uint8),) * 2
    figures = ("80 x 96 pixels", "+2.9 EV, shift 5.0 px")
    cards.show([Card("night", figures, complaint, "wrong", pictures)])
    item = view.item(0)
    assert complaint in item.text()
    room = view.visualItemRect(item)
    assert 0 < room.width() <= view.viewport().width() <= NARROW
    lines = (room.height() - 50) // view.fontMetrics().lineSpacing()
    words = view.fontMetrics().horizontalAdvance(complaint)
    assert lines >= 4 + words / view.viewport().width()  # so many lines hold all of it
    assert view.horizontalScrollBar().maximum() == 0
    window.add_image(np.zeros((4, 4)))  # napari resets all choices
    assert view.count() == 1 and cards.chosen == 0 and complaint in view.item(0).text()
    cards.show([Card("night", ("80 x 96 pixels",), "good")])
    assert view.count() == 1 and "good" in view.item(0).text() and cards.chosen == 0
    cards.show([])
    assert view.count() == 0 and cards.chosen == -1


def test_widgets_opened_in_one_turn_share_one_place(qtbot, window, keep):
    docks = []
    for name in NAMES:  # as a script does, without a turn of the event loop between
        dock, widget = window.window.add_plugin_dock_widget("napari-lle", name)
        keep(widget)
        docks.append(dock)
    others = window.window._qt_window.tabifiedDockWidgets
    qtbot.waitUntil(lambda: all(len(others(dock)) == 2 for dock in docks))


def test_a_long_name_is_read_in_the_open_list_and_in_the_tooltip(qtbot, window, enhance):
    dock, widget = enhance
    narrowed(qtbot, window, dock)
    image = widget.form.image.native
    assert is_cut(image) and not is_cut(widget.form.channels.native)
    middle = image.rect().center()
    QApplication.sendEvent(image, QFocusEvent(QEvent.Type.FocusIn))
    assert image.view().minimumWidth() > image.width()
    QApplication.sendEvent(
        image, QHelpEvent(QEvent.Type.ToolTip, middle, image.mapToGlobal(middle))
    )
    assert QToolTip.text().startswith(f"{LONG}\n") and widget.form.image.tooltip in QToolTip.text()
    QToolTip.hideText()


def test_messages_of_two_lines_move_nothing_and_long_ones_give_their_room_back(
    qtbot, window, enhance
):
    dock, widget = enhance
    narrowed(qtbot, window, dock)
    fold = widget.form.folds["Levels"]

    def place(message):
        widget._say(message)
        QApplication.processEvents()
        return fold.mapTo(widget.native, QPoint()).y()

    short = place("One line.")
    assert place("Two lines are what this one takes here.") == short
    assert place(LONG * 3) > short
    assert place("") == short
    above = widget.form.levels.histogram.mapTo(widget.native, QPoint()).y()
    place(LONG * 3)
    assert widget.form.levels.histogram.mapTo(widget.native, QPoint()).y() == above


def test_nothing_is_previewed_from_behind_another_tab(qtbot, window, opened):
    (dock, widget), (front, _) = opened[:2]
    dock.raise_()
    widget.form.preview.value = True
    qtbot.waitUntil(lambda: widget.preview.on)
    front.raise_()
    qtbot.waitUntil(lambda: not widget.preview.on)
    assert widget.form.preview.value and widget.preview.layer is None
    dock.raise_()
    qtbot.waitUntil(lambda: widget.preview.on)
    widget.form.preview.value = False
    front.raise_()
    dock.raise_()
    qtbot.wait(50)
    assert not widget.preview.on
