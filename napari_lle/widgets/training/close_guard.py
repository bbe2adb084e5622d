"""A question before a window closes on a run."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import Any

from qtpy.QtCore import QEvent, QObject
from qtpy.QtWidgets import QMessageBox, QWidget


class Leaving(QObject):  # type: ignore[misc]
    """Ask before a window or dock that holds a widget is closed.

    Parameters
    ----------
    widget : QWidget
    stop : callable
        Called where the user says yes.
    """

    def __init__(self, widget: QWidget, stop: Callable[[], None]) -> None:
        super().__init__()
        self._widget, self._stop = widget, stop
        self._watched: list[QWidget] = []

    def watch(self) -> None:
        """Ask from now on."""
        parent = self._widget.parentWidget()
        while parent is not None:
            parent.installEventFilter(self)
            self._watched.append(parent)
            parent = parent.parentWidget()

    def release(self) -> None:
        """Ask no more."""
        for holder in self._watched:
            with suppress(RuntimeError):  # it is gone already
                holder.removeEventFilter(self)
        self._watched = []

    def eventFilter(self, _: QObject, event: Any) -> bool:
        """Swallow the closing where the user says no."""
        if event.type() != QEvent.Type.Close:
            return False
        if not ask(self._widget):
            event.ignore()
            return True
        self.release()
        self._stop()
        return False


def ask(parent: QWidget) -> bool:
    """Whether to close although a network is being trained."""
    answer = QMessageBox.question(
        parent,
        "Training",
        "A network is being trained. Close, and stop the training? It can be resumed.",
    )
    return bool(answer == QMessageBox.StandardButton.Yes)
