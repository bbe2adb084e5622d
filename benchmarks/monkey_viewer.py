"""What a monkey does to a viewer and its layers, whatever widgets there are."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

import dask.array as da
import numpy as np
from napari.layers import Image
from qtpy.QtCore import QPoint
from qtpy.QtTest import QTest

MOST_LAYERS = 12  # a monkey that only adds would fill the memory


class ViewerActs:
    """Acts on a viewer, each of which returns what was done.

    Parameters
    ----------
    seed : int

    Attributes
    ----------
    viewer : napari.Viewer
        To be set before anything is done.
    """

    viewer: Any

    def __init__(self, seed: int) -> None:
        self.chance = random.Random(seed)
        self.noise = np.random.default_rng(seed)

    def pixels(self, *shape: int) -> Any:
        dark = self.noise.gamma(2, 40, shape)
        rows = np.linspace(0.2, 1, shape[-2])[:, None]
        return (100 + dark * rows).astype(np.uint16)

    def add(self) -> str:
        if len(self.viewer.layers) >= MOST_LAYERS:
            return ""
        rows, columns = self.chance.choice(((48, 64), (90, 70), (200, 160)))
        kinds: dict[str, Callable[[], Any]] = {
            "grey": lambda: self.viewer.add_image(self.pixels(rows, columns)),
            "stack": lambda: self.viewer.add_image(self.pixels(4, rows, columns), scale=(2, 1, 1)),
            "series": lambda: self.viewer.add_image(self.pixels(2, 3, rows, columns)),
            "colour": lambda: self.viewer.add_image(self._colour(rows, columns), rgb=True),
            "channels": lambda: self.viewer.add_image(
                self.pixels(3, rows, columns), axis_labels=("c", "y", "x")
            ),
            "split": lambda: self.viewer.add_image(self.pixels(3, rows, columns), channel_axis=0),
            "additive": lambda: self.viewer.add_image(
                self.pixels(rows, columns), blending="additive", colormap="green"
            ),
            "lazy": lambda: self.viewer.add_image(
                da.from_array(self.pixels(3, rows, columns), chunks=(1, rows, columns))
            ),
            "pyramid": lambda: self.viewer.add_image(self._pyramid(), multiscale=True),
            "constant": lambda: self.viewer.add_image(np.full((rows, columns), 7.0)),
            "nothing": lambda: self.viewer.add_image(
                np.full((rows, columns), np.nan), contrast_limits=(0, 1)
            ),
            "labels": lambda: self.viewer.add_labels(np.ones((rows, columns), np.uint8)),
            "shapes": lambda: self.viewer.add_shapes([[[5, 5], [5, 30], [30, 30], [30, 5]]]),
            "points": lambda: self.viewer.add_points([[5, 5], [20, 30]]),
        }
        kind = self.chance.choice(list(kinds))
        kinds[kind]()
        return kind

    def _colour(self, rows: int, columns: int) -> Any:
        return (self.pixels(3, rows, columns) // 4).clip(0, 255).astype(np.uint8).transpose(1, 2, 0)

    def _pyramid(self) -> list[Any]:
        fine = self.pixels(400, 320)
        return [fine, fine[::2, ::2], fine[::4, ::4]]

    def _layer(self, kind: type = object) -> Any:
        layers = [layer for layer in self.viewer.layers if isinstance(layer, kind)]
        return self.chance.choice(layers) if layers else None

    def remove(self) -> str:
        layer = self._layer()
        if layer is None:
            return ""
        self.viewer.layers.remove(layer)
        return layer.name

    def remove_several(self) -> str:
        self.select()
        self.viewer.layers.remove_selected()
        return ""

    def clear(self) -> str:
        self.viewer.layers.clear()
        return ""

    def change_layer(self) -> str:
        layer = self._layer()
        if layer is None:
            return ""
        changes: dict[str, Callable[[], Any]] = {
            "name": lambda: "".join(self.chance.choices("ab c-[]“", k=5)),
            "visible": lambda: not layer.visible,
            "opacity": self.chance.random,
            "blending": lambda: self.chance.choice(("additive", "translucent", "opaque")),
            "scale": lambda: [self.chance.choice((0.5, 1, 2))] * layer.ndim,
            "translate": lambda: [self.chance.choice((0, 10))] * layer.ndim,
        }
        name = self.chance.choice(list(changes))
        setattr(layer, name, changes[name]())
        return f"{name} of {layer.name}"

    def change_data(self) -> str:
        layer = self._layer(Image)
        if layer is None or layer.multiscale or layer.rgb:
            return ""
        shape = layer.data.shape if self.chance.random() < 0.5 else (2, 30, 40)
        if len(shape) != layer.ndim:
            layer.visible = True  # hidden, it would break napari: see napari_hidden.py
        layer.data = self.pixels(*shape)
        return f"{layer.name} {shape}"

    def reorder(self) -> str:
        count = len(self.viewer.layers)
        if count > 1:
            self.viewer.layers.move(self.chance.randrange(count), self.chance.randrange(count))
        return ""

    def select(self) -> str:
        layers = list(self.viewer.layers)
        chosen = self.chance.sample(layers, self.chance.randint(0, min(3, len(layers))))
        self.viewer.layers.selection = set(chosen)
        return str([layer.name for layer in chosen])

    def change_dims(self) -> str:
        dims = self.viewer.dims
        what = self.chance.choices(("step", "ndisplay", "order"), (6, 1, 1))[0]
        if what == "step" and dims.ndim > 2:
            axis = self.chance.randrange(dims.ndim - 2)
            dims.set_current_step(axis, self.chance.randrange(max(int(dims.nsteps[axis]), 1)))
        elif what == "ndisplay":
            dims.ndisplay = 5 - dims.ndisplay
        elif what == "order":
            dims.roll()
        return what

    def look_elsewhere(self) -> str:
        camera = getattr(self.viewer, "scene", self.viewer).camera  # napari 0.9 moved it
        what = self.chance.choice(("zoom", "reset", "cursor", "grid"))
        if what == "zoom":
            camera.zoom = max(camera.zoom, 0.01) * self.chance.choice((0.5, 2, 4))
        elif what == "reset":
            self.viewer.reset_view()
        elif what == "grid":
            grid = getattr(self.viewer, "canvas", self.viewer).grid
            grid.enabled = not grid.enabled
        else:
            canvas = self.viewer.window._qt_viewer.canvas.native
            x, y = (self.chance.randrange(max(n, 1)) for n in (canvas.width(), canvas.height()))
            QTest.mouseMove(canvas, QPoint(x, y))
        return what

    def change_theme(self) -> str:
        self.viewer.theme = "light" if self.viewer.theme == "dark" else "dark"
        return str(self.viewer.theme)
