"""Names of layers, which a list of a narrow window cuts: seen whole where they are looked for."""

from __future__ import annotations

from typing import Any

from qtpy.QtCore import QEvent, QObject
from qtpy.QtWidgets import QComboBox, QStyle, QStyleOptionComboBox, QToolTip

WIDEST = 600  # pixels of an open list
NAME_MARGIN = 24  # of its entries


class WholeNames(QObject):  # type: ignore[misc]
    """Opens lists as wide as their names, and begins their tooltips with a name that is cut."""

    def eventFilter(self, control: QComboBox, event: Any) -> bool:
        """Measure before a list is opened, and answer for the tooltip of a cut name."""
        kind = event.type()
        if kind in (QEvent.Type.Enter, QEvent.Type.FocusIn):
            names = [control.itemText(i) for i in range(control.count())]
            longest = max(map(control.fontMetrics().horizontalAdvance, names), default=0)
            control.view().setMinimumWidth(min(longest + NAME_MARGIN, WIDEST))
        if kind != QEvent.Type.ToolTip or not is_cut(control):
            return False
        QToolTip.showText(event.globalPos(), f"{control.currentText()}\n{control.toolTip()}")
        return True


def is_cut(control: QComboBox) -> bool:
    """Whether the chosen name has no room in a closed list."""
    option = QStyleOptionComboBox()
    option.initFrom(control)
    part = QStyle.SubControl.SC_ComboBoxEditField
    room = control.style().subControlRect(QStyle.ComplexControl.CC_ComboBox, option, part, control)
    return bool(control.fontMetrics().horizontalAdvance(control.currentText()) > room.width())
