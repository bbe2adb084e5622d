"""Parts of a form that are folded until they are wanted, and stay as they were left."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from typing import Any

from magicgui.widgets import Container
from qtpy.QtCore import QSettings
from qtpy.QtGui import QIcon
from qtpy.QtWidgets import QWidget
from superqt import QCollapsible

SHUT, OPENED = "▸", "▾"
ANY = (1 << 24) - 1  # Qt's word for no limit


class Fold(QCollapsible):  # type: ignore[misc]
    """Rows under a title that is clicked to show and to hide them, remembered from day to day.

    Parameters
    ----------
    title : str
    tooltip : str
        What is found in it.
    rows : sequence of Widget
        Of magicgui, top to bottom.
    key : str
        Under which it is remembered; empty if it is not.
    *more : QWidget
        What comes below and is no widget of magicgui.
    """

    def __init__(
        self, title: str, tooltip: str, rows: Sequence[Any], key: str, *more: QWidget
    ) -> None:
        # Icons would be painted once, before the colours of the theme are known.
        super().__init__(f"{SHUT} {title}", expandedIcon=QIcon(), collapsedIcon=QIcon())
        self._title, self._key = title, key
        self.layout().setContentsMargins(0, 0, 0, 0)
        self.toggleButton().setStyleSheet(
            "QPushButton, QPushButton:checked { text-align: left; padding: 4px; "
            "background-color: transparent; font-weight: bold; }"
        )
        self.toggleButton().setToolTip(tooltip)
        self._rows = Container(widgets=rows, labels=False)  # kept: its native part goes with it
        self._rows.margins = (0, 0, 0, 0)
        self.addWidget(self._rows.native)
        for part in more:
            self.addWidget(part)
        self.setDuration(0)
        self.content().hide()
        self.toggled.connect(self._show)
        if key and remembered().value(key, False, type=bool):
            self.expand(animate=False)

    def eventFilter(self, *_: Any) -> bool:
        """Leave heights to the layout: what is folded is hidden, not squeezed to none."""
        return False

    def _show(self, open_: bool) -> None:
        """Take what is folded out of the way of the tabulator key, too."""
        with suppress(RuntimeError):  # Qt has deleted it
            self.setText(f"{OPENED if open_ else SHUT} {self._title}")
            self.content().setVisible(open_)
            self.content().setMaximumHeight(ANY)
            if self._key:
                remembered().setValue(self._key, open_)


def remembered() -> QSettings:
    """What the widgets keep from day to day for the user of this machine."""
    form, scope = QSettings.Format.IniFormat, QSettings.Scope.UserScope
    return QSettings(form, scope, "napari-lle", "widgets")
