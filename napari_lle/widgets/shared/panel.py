"""The frame of every widget: its content scrolls, and its dock shares one place with the others."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from itertools import pairwise
from typing import Any

from magicgui.widgets import Container
from qtpy.QtCore import QEvent, QObject, Qt, QTimer
from qtpy.QtWidgets import (
    QAbstractSlider,
    QAbstractSpinBox,
    QComboBox,
    QDockWidget,
    QFrame,
    QMainWindow,
    QScrollArea,
    QWidget,
)

from .forms import FORM_WIDTH
from .whole_names import WholeNames

SHOWN_LETTERS = 5  # of a list's choices that are shown at least: layers may have long names


class Panel(Container):  # type: ignore[misc]
    """A widget that fits into any window: what has no room is scrolled to.

    magicgui's ``scrollable`` may take over when napari docks what it scrolls with, not the content
    alone, https://github.com/pyapp-kit/magicgui/issues/431.

    Parameters
    ----------
    rows : sequence of Widget
        The content, top to bottom.
    *more : QWidget
        What comes below and is no widget of magicgui.
    """

    def __init__(self, rows: Sequence[Any], *more: QWidget) -> None:
        super().__init__(labels=False)
        self.margins = (0, 0, 0, 0)
        self.body = Container(widgets=rows, labels=False)
        content = self.body.native
        for part in more:
            content.layout().addWidget(part)
        content.layout().addStretch()
        self.area = QScrollArea()
        self.area.setFrameShape(QFrame.Shape.NoFrame)
        self.area.setWidgetResizable(True)
        self.area.setWidget(content)
        self.area.setMinimumWidth(FORM_WIDTH)
        self.native.layout().addWidget(self.area)
        self.settled = False  # whether its dock has its place
        self._still, self._names = Still(), WholeNames()
        for control in content.findChildren(QWidget):
            self._fit(control)
        self.order_tabs()
        self.native_parent_changed.connect(self._settle)

    def order_tabs(self) -> None:
        """Let the tabulator key go as one reads."""
        for first, second in pairwise(in_reading_order(self.body.native)):
            QWidget.setTabOrder(first, second)

    def reset_choices(self, *_: Any) -> None:
        """Offer the layers that are there; napari asks for it."""
        self.body.reset_choices()

    def _fit(self, control: QWidget) -> None:
        if isinstance(control, QComboBox):
            policy = QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon
            control.setSizeAdjustPolicy(policy)
            control.setMinimumContentsLength(SHOWN_LETTERS)
            control.installEventFilter(self._names)
        if isinstance(control, QComboBox | QAbstractSpinBox | QAbstractSlider):
            control.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
            control.installEventFilter(self._still)

    def _settle(self, parent: Any) -> None:
        """Move a new dock when it has its place; where the user drags it later, it stays."""
        if isinstance(parent, QDockWidget):
            QTimer.singleShot(0, self._share)

    def _share(self) -> None:
        with suppress(RuntimeError):  # closed meanwhile
            dock = self.native.parent()
            if isinstance(dock, QDockWidget):
                share_place(dock)
                self.settled = True


class Still(QObject):  # type: ignore[misc]
    """Leaves the wheel to the scrolling, unless the control below the mouse was chosen before."""

    def eventFilter(self, control: QObject, event: Any) -> bool:
        """Hand the wheel on to whatever the control lies in."""
        if event.type() == QEvent.Type.Wheel and not control.hasFocus():
            event.ignore()
            return True
        return False


def in_reading_order(content: QWidget) -> list[QWidget]:
    """What the tabulator key goes to, as it is laid out: top to bottom, left to right."""
    layout = content.layout()
    if layout is None or content.focusPolicy() & Qt.FocusPolicy.TabFocus:
        return [content] if content.focusPolicy() & Qt.FocusPolicy.TabFocus else []
    parts = [layout.itemAt(i).widget() for i in range(layout.count())]
    return [each for part in parts if part is not None for each in in_reading_order(part)]


def share_place(dock: QDockWidget) -> None:
    """Lay a dock over that of another panel in the same area, as a tab."""
    window = dock.parent()
    if not isinstance(window, QMainWindow):
        return
    area = window.dockWidgetArea(dock)
    for other in window.findChildren(QDockWidget):
        panel = getattr(other.widget(), "_magic_widget", None)
        near = window.dockWidgetArea(other) == area and not other.isFloating()
        # Of several that are opened in one turn, Qt loses one that is laid over a later one.
        settled = isinstance(panel, Panel) and panel.settled
        if other is not dock and settled and near:
            window.tabifyDockWidget(other, dock)
            dock.show()
            dock.raise_()
            return
