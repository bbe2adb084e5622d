"""Whether a panel is in sight, or behind the tab of another one."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import Any

from qtpy.QtCore import QTimer
from qtpy.QtWidgets import QDockWidget


def tell_sight(dock: QDockWidget, changed: Callable[[bool], Any]) -> None:
    """Tell whether a dock is in sight whenever that changes: a turn later, in a window that stays.

    Parameters
    ----------
    dock : QDockWidget
    changed : callable
        Takes whether it is seen.
    """

    def look(seen: bool) -> None:
        with suppress(RuntimeError):  # Qt has deleted it
            if dock.window().isVisible():
                changed(seen)

    dock.visibilityChanged.connect(lambda seen: QTimer.singleShot(0, lambda: look(seen)))
