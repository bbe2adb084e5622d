"""Whether a panel is in sight, or behind the tab of another one."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import Any

from qtpy.QtCore import QEvent, QObject, QTimer
from qtpy.QtWidgets import QWidget


class Sight(QObject):  # type: ignore[misc]
    """Tells when a widget of a window that is there comes into sight, and when it goes.

    Parameters
    ----------
    widget : QWidget
    changed : callable
        Takes whether it is seen; called in the next turn, and not while the window closes.
    """

    def __init__(self, widget: QWidget, changed: Callable[[bool], Any]) -> None:
        super().__init__()
        self._widget, self._changed = widget, changed
        widget.installEventFilter(self)

    def eventFilter(self, _: QObject, event: Any) -> bool:
        """Look again soon."""
        if event.type() in (QEvent.Type.Show, QEvent.Type.Hide) and not event.spontaneous():
            QTimer.singleShot(0, self._look)
        return False

    def _look(self) -> None:
        with suppress(RuntimeError):  # Qt has deleted it
            if self._widget.window().isVisible():
                self._changed(self._widget.isVisible())
