"""What the stage inspector leaves behind: nothing, one layer after the other."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

from qtpy.QtCore import QTimer

LEAVING_PAUSE = 15  # ms between two: see `StageLayers.clear`


def take_away(viewer: Any, layers: list[Any], canvas: Any) -> None:
    """Remove layers one by one, also when the widget that added them is gone.

    Parameters
    ----------
    viewer : napari.components.ViewerModel
    layers : list of Layer
    canvas : QOpenGLWidget or None
        Whose context their textures are in, see `RemoveInCanvas`.
    """
    if not layers:
        return
    first, *others = layers
    with suppress(RuntimeError):  # the window is closed
        if first in viewer.layers:
            if canvas is not None:
                canvas.makeCurrent()
            viewer.layers.remove(first)
        QTimer.singleShot(LEAVING_PAUSE, lambda: take_away(viewer, others, canvas))
