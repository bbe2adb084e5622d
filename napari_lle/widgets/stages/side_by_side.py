"""Layers beside each other with captions, and all others out of the way for as long.

Works on a viewer model, too, without a window.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ..shared.covering import grid_of
from .captions import Captions

CAPTION_HEIGHT = 26  # pixels above an image for its caption
GRID_SETTINGS: dict[str, Any] = {"stride": -1, "shape": (-1, -1), "spacing": 0, "enabled": True}
FILLED = 0.95  # of a cell, as napari fits
CELLS_IN_LINE = 3  # cells that lie in one row or column, none of them empty


class SideBySide:
    """Napari's grid, held for some layers; afterwards everything is as it was.

    Parameters
    ----------
    viewer : napari.components.ViewerModel
    widget : QWidget
        Docked in its window, if it has one.
    """

    def __init__(self, viewer: Any, widget: Any) -> None:
        self._viewer = viewer
        self._before: dict[str, Any] | None = None  # how the grid was
        self._view: tuple[Any, float] = (0, 0), 1.0  # middle and zoom, as they were
        self._arranged: set[Any] = set()
        self._hidden: list[Any] = []  # what is to be seen again, the uppermost first
        self.captions = Captions(viewer, widget)

    @property
    def on(self) -> bool:
        """Whether the grid is held."""
        return self._before is not None

    def begin(self) -> None:
        """Take the grid, with the uppermost layer first."""
        grid = grid_of(self._viewer)
        if self._before is None:
            self._before = {
                name: getattr(grid, name) for name in GRID_SETTINGS if hasattr(grid, name)
            }
            camera = camera_of(self._viewer)
            self._view = camera.center, camera.zoom
            for name in self._before:
                setattr(grid, name, GRID_SETTINGS[name])

    def arrange(self, words: list[tuple[Any, str]], extent: tuple[float, float]) -> None:
        """Hide all but layers with a caption, and give these cells that suit height and width."""
        layers = [layer for layer, _ in words]
        for layer in reversed(self._viewer.layers):  # what covers others before them
            if layer not in layers and layer.visible:
                self._hidden.append(layer)
                layer.visible = False
        if set(layers) != self._arranged:  # else the user may have zoomed in
            self._arranged = set(layers)
            for layer in layers:  # which may have given way to others
                layer.visible = True
            self._fit(layers, extent)
        self.captions.show(words, grid_of(self._viewer).shape)

    def _fit(self, layers: list[Any], extent: tuple[float, float]) -> None:
        """Show all images as large as they can be below their captions, whatever lies elsewhere."""
        canvas = np.array(canvas_of(self._viewer))
        shape = grid_shape(len(layers), extent, tuple(canvas))
        grid_of(self._viewer).shape = shape
        self._viewer.reset_view()
        world = self._viewer.layers.get_extent(layers).world[:, -2:]
        cell, size = canvas / shape, np.maximum(np.ptp(world, axis=0), 1e-9)
        below = cell[0] - 2 * CAPTION_HEIGHT
        camera = camera_of(self._viewer)
        camera.center = (*camera.center[:-2], *world.mean(axis=0))
        zooms = [FILLED * min(cell / size), below / size[0]]
        camera.zoom = float(min(zoom for zoom in zooms if zoom > 0))

    def forget(self, layer: Any) -> None:
        """Let go of a layer that is gone."""
        self._hidden = [each for each in self._hidden if each is not layer]
        self._arranged.discard(layer)

    def end(self) -> None:
        """Give the grid back, and show what was hidden."""
        self.captions.end()
        if self._before is None:
            return
        for name, value in self._before.items():
            setattr(grid_of(self._viewer), name, value)
        camera = camera_of(self._viewer)
        camera.center, camera.zoom = self._view
        self._before, self._arranged = None, set()
        for layer in reversed(self._hidden):
            if layer in self._viewer.layers:
                layer.visible = True
        self._hidden = []


def grid_shape(
    count: int, extent: tuple[float, float], canvas: tuple[float, float]
) -> tuple[int, int]:
    """Rows and columns of so many equal cells in which an image is shown largest.

    Parameters
    ----------
    count : int
    extent, canvas : (height, width)
        Of the image, and of what there is room for.
    """
    rows = (1, count) if count <= CELLS_IN_LINE else range(1, count + 1)
    shapes = [(n, -(-count // n)) for n in rows]
    zooms = [min(canvas[i] / shape[i] / extent[i] for i in (0, 1)) for shape in shapes]
    return shapes[int(np.argmax(zooms))]


def camera_of(viewer: Any) -> Any:
    """The viewer's camera; napari 0.9 moved it."""
    return getattr(viewer, "scene", viewer).camera


def canvas_of(viewer: Any) -> tuple[float, float]:
    """Height and width of the canvas."""
    if hasattr(viewer, "canvas"):
        height, width = viewer.canvas.size
    else:
        height, width = viewer._canvas_size  # before napari 0.9
    return float(height), float(width)
