"""What to do where napari's own writer refuses a result as PNG or JPEG, because it holds floats.

That writer is the one its dialog begins with, and a plugin can put none before it, see `writer`.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import Any

from napari.utils.notifications import notification_manager

from ..shared.layers import REFLECTANCE, kind

NAPARI_REFUSES = "not saved, because image data is of dtype float"  # in napari's words
PICTURE_INSTEAD = (
    "napari cannot save a result as PNG or JPEG: press Save picture…, or choose “Low-light "
    "enhancement picture as displayed” in the list of file types."
)


class RefusalHint:
    """Says what to do when napari has told that it did not save a selected result.

    Parameters
    ----------
    viewer : napari.components.ViewerModel
    say : callable
        Takes a sentence for the user.
    """

    def __init__(self, viewer: Any, say: Callable[[str], Any]) -> None:
        self._viewer, self._say = viewer, say
        notification_manager.notification_ready.connect(self._on_notification)

    def release(self) -> None:
        """Listen no more."""
        with suppress(ValueError):
            notification_manager.notification_ready.disconnect(self._on_notification)

    def _on_notification(self, event: Any) -> None:
        told = " ".join(str(getattr(event, "message", "")).split())
        selected = self._viewer.layers.selection
        if NAPARI_REFUSES in told and any(kind(layer) == REFLECTANCE for layer in selected):
            self._say(PICTURE_INSTEAD)
