"""What is done at an event of a viewer's list of layers, until the viewer is let go of."""

from __future__ import annotations

from contextlib import suppress
from typing import Any


class AtLayerEvent:
    """Does something to the window that a widget is in whenever an event happens.

    Parameters
    ----------
    event : EventEmitter
        Of a viewer's layers.
    widget : QWidget
        In the viewer's window.
    """

    def __init__(self, event: Any, widget: Any) -> None:
        self._event, self._widget = event, widget
        event.connect(self._happened)

    def act(self, window: Any) -> None:
        """What is done to the window."""
        raise NotImplementedError

    def release(self) -> None:
        """Let go of the viewer."""
        with suppress(ValueError):
            self._event.disconnect(self._happened)

    def _happened(self, *_: Any) -> None:
        with suppress(RuntimeError):  # the widget is gone
            self.act(self._widget.window())
