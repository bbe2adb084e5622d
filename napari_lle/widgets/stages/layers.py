"""The layers of the stage inspector: one for each kind, whose values the stage slider swaps.

Works on a viewer model, without a window. Everything slow is queued: `advance` does one piece, so
that a window can breathe between them.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import Any

import numpy as np
from napari.layers import Image, Vectors

from ..shared.image_choice import select_again
from .inspector import INPUT_KEY, KINDS, Finding
from .style import FIELD, FIELD_LOOK, caption, field_sides, layer_name, layer_options, pixel_options

LINKED = ("opacity", "interpolation2d")


class StageLayers:
    """What the inspector shows of a layer in a viewer.

    Parameters
    ----------
    viewer : napari.components.ViewerModel
    removed : callable
        Takes the key of a layer that the user deleted.

    Attributes
    ----------
    layers : dict of str to Layer
        By key: `INPUT_KEY`, a kind, one of `style.EXTRAS`, the name of a feature map, or `FIELD`.
    source : Image or None
        What they are of.
    quiet : bool
        Further layers are added hidden.
    """

    def __init__(self, viewer: Any, removed: Callable[[str], Any]) -> None:
        self._viewer = viewer
        self._removed = removed
        self._queue: dict[Any, Callable[[], Any]] = {}  # by key, or by layer to remove
        self._finding: Finding | None = None
        self.source: Image | None = None
        self._wanted: tuple[str, ...] = ()
        self._selected: list[Any] = []  # before layers were added
        self.stage, self.quiet = 1, False
        self.layers: dict[str, Any] = {}
        viewer.layers.events.removed.connect(self._on_removed)

    def release(self) -> None:
        """Let go of the viewer; the layers stay."""
        self._queue.clear()
        with suppress(ValueError):
            self._viewer.layers.events.removed.disconnect(self._on_removed)

    def advance(self) -> bool:
        """Do one queued piece of work; whether more is left."""
        if self._queue:
            self._queue.pop(next(iter(self._queue)))()
        return bool(self._queue)

    def show(self, finding: Finding, source: Image) -> None:
        """Queue another finding, in place of what is shown."""
        if self.source is not source:
            self.clear()
        self._finding, self.source = finding, source
        self.stage = min(self.stage, finding.count)
        self._update()

    def want(self, keys: tuple[str, ...]) -> None:
        """Queue which of the layers are there."""
        self._wanted = keys
        self._update()

    def step(self, stage: int) -> None:
        """Queue another stage for all layers that depend on it."""
        self.stage = stage
        for key in [k for k in self.layers if k in self._wanted]:
            if key in KINDS or key == "gain":
                self._queue[key] = lambda key=key: self._put(key)  # type: ignore[misc]
            elif key == FIELD:
                self._queue[key] = self._resize_field

    def words(self) -> list[tuple[Any, str]]:
        """All layers with what to write over them."""
        return [(layer, caption(key, self.stage)) for key, layer in self.layers.items()]

    def clear(self) -> None:
        """Queue the removal of all layers.

        One by one, so that the window answers in between.
        """
        self._queue = {k: work for k, work in self._queue.items() if isinstance(k, Image | Vectors)}
        self._queue |= {la: lambda la=la: self._remove(la) for la in self.layers.values()}
        self.layers = {}
        self._finding = self.source = None

    def give_up(self) -> list[Any]:
        """Let go of all layers at once, and return them."""
        layers = [
            *self.layers.values(),
            *(k for k in self._queue if isinstance(k, Image | Vectors)),
        ]
        self._queue, self.layers = {}, {}
        self._finding = self.source = None
        return layers

    def point(self, position: tuple[float, ...]) -> tuple[int, int] | None:
        """Row and column of the layer's plane at a point of the world."""
        source, finding = self.source, self._finding
        if source is None or finding is None or len(position) < source.ndim:
            return None
        if len(finding.region.plane) != source.ndim - 2:  # it has got values of other axes
            return None
        place = source.world_to_data(position[-source.ndim :])
        return int(np.rint(place[-2])), int(np.rint(place[-1]))

    def move_field(self, row: int, column: int) -> None:
        """Put the box of the receptive field around a pixel; cheap: the layer only moves."""
        box, source, finding = self.layers.get(FIELD), self.source, self._finding
        if box is not None and source is not None and finding is not None:
            box.translate = pixel_options(finding, source, row, column)["translate"]

    def _update(self) -> None:
        if self._finding is None:
            return
        keys = self._keys()
        for key in [k for k in self.layers if k not in keys]:
            self._queue[key] = lambda key=key: self._take(key)  # type: ignore[misc]
        for key in reversed(keys):  # the first on top
            draw = self._put if key != FIELD else lambda _: self._resize_field()
            self._queue[key] = lambda key=key, draw=draw: draw(key)  # type: ignore[misc]
        self._queue["link"] = self._link

    def _keys(self) -> list[str]:
        """Keys of the layers that should be there, from the top."""
        assert self._finding is not None
        keys = [k for k in self._wanted if k != "features"]
        return keys + list(self._finding.features if "features" in self._wanted else ())

    def _put(self, key: str) -> None:
        """Add a layer, or give the one that is there its values."""
        finding, source = self._finding, self.source
        if finding is None or source is None or source not in self._viewer.layers:
            return
        values = finding.map(key, self.stage)
        if values is None:
            return
        options = layer_options(finding, source, key, self.stage, values)
        shaped = values.reshape((1,) * (source.ndim - 2) + values.shape)
        layer = self.layers.get(key)
        if layer is None:
            self._insert(key, Image(shaped, **options))
            return
        layer.data = shaped
        layer.name = options["name"]
        layer.metadata = options["metadata"]
        layer.translate = options["translate"]
        if tuple(layer.contrast_limits) != options["contrast_limits"] and key not in (
            INPUT_KEY,
            "R",
        ):
            layer.contrast_limits_range = options["contrast_limits"]
            layer.contrast_limits = options["contrast_limits"]

    def _insert(self, key: str, layer: Any) -> None:
        layers = self._viewer.layers
        if not self._selects_own():
            self._selected = list(layers.selection)
        order = self._keys()
        if key not in order:  # unchecked since it was queued
            return
        below = [self.layers[k] for k in order[order.index(key) + 1 :] if k in self.layers]
        above = [self.layers[k] for k in order[: order.index(key)] if k in self.layers]
        place = len(layers)
        if below:
            place = layers.index(below[0]) + 1
        elif above:
            place = layers.index(above[-1])
        self.layers[key] = layer
        layer.visible = not self.quiet
        layers.insert(place, layer)
        self._queue["select"] = self._queue.pop("select", self._select)  # as the last

    def _select(self) -> None:
        """Give the selection back to the layer that had it: napari selects what is new."""
        if self._selected and self._selects_own():
            select_again(self._viewer, self._selected)
        self._selected = []

    def _selects_own(self) -> bool:
        """Whether the selection is that of napari, which selects what is new."""
        own = self.layers.values()
        return any(layer in own for layer in self._viewer.layers.selection)

    def _take(self, key: str) -> None:
        self._remove(self.layers.pop(key, None))

    def _remove(self, layer: Any) -> None:
        if layer in self._viewer.layers:
            self._viewer.layers.remove(layer)

    def _resize_field(self) -> None:
        """Draw the box of the stage's receptive field around the layer's own origin."""
        finding, source = self._finding, self.source
        if finding is None or source is None:
            return
        sides = field_sides(finding.stages.radius(self.stage), source.ndim)
        box = self.layers.get(FIELD)
        if box is not None:
            box.data = sides
            return
        row, column = (sum(span) // 2 for span in (finding.region.rows, finding.region.columns))
        place = pixel_options(finding, source, row, column)
        about = {"name": layer_name(finding, source, FIELD, self.stage), **FIELD_LOOK}
        self._insert(FIELD, Vectors(sides, **place, **about))

    def _link(self) -> None:
        """Let the look of one kind be that of all."""
        kinds = [self.layers[key] for key in KINDS if key in self.layers]
        if len(kinds) > 1:
            self._viewer.layers.link_layers(kinds, LINKED)

    def _on_removed(self, event: Any) -> None:
        self._selected = [layer for layer in self._selected if layer is not event.value]
        for key, layer in list(self.layers.items()):
            if layer is event.value:
                del self.layers[key]
                self._removed(key)
        if event.value is self.source:
            self.clear()
