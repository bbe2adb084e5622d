"""Two of several pictures of one place, as layers on either side of a line on the canvas."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from typing import Any

import numpy as np
from magicgui.widgets import ComboBox, PushButton
from napari.layers import Image
from qtpy.QtCore import QTimer

from ...model.array_types import Float32
from .layers import METADATA_KEY
from .swipe import Swipe, SwipeError

SHOW, HIDE = "Compare on the canvas", "Remove the comparison"


class PictureSwipe:
    """The lists of pictures, the layers that show the two chosen, and the line between them.

    Parameters
    ----------
    viewer : napari.components.ViewerModel

    Attributes
    ----------
    left, right : ComboBox
        Which pictures.
    button : PushButton
        Adds the layers and the line, or takes them away.
    layers : list of Image
        The left one and the right one, or none.
    swipe : Swipe or None
        The line; a viewer without a canvas has none, and shows one layer over the other.
    """

    def __init__(self, viewer: Any) -> None:
        self._viewer = viewer
        self._pictures: dict[str, Float32] = {}
        self._options: dict[str, Any] = {}
        self._name = ""
        self.layers: list[Image] = []
        self.swipe: Swipe | None = None
        self.left, self.right = (
            ComboBox(label=side, choices=self._names, tooltip=f"What is shown {side} of the line.")
            for side in ("left", "right")
        )
        self.button = PushButton(
            text=SHOW,
            tooltip="Show both over the image, with a line between them that you can drag.",
        )
        for control in (self.left, self.right):
            control.changed.connect(self._draw)
        self.button.changed.connect(self.toggle)
        viewer.layers.events.removed.connect(self._on_removed)
        viewer.layers.events.inserted.connect(self._on_inserted)
        self.clear()

    @property
    def shown(self) -> bool:
        """Whether both layers are among those of the viewer."""
        return len(self.layers) == 2 and all(layer in self._viewer.layers for layer in self.layers)

    def offer(
        self,
        pictures: Mapping[str, Float32],
        name: str,
        place: Mapping[str, Any],
        chosen: tuple[str, str],
    ) -> None:
        """Offer pictures of one size, in 0..1, (Y, X, 3).

        `place` are options of their layers, `chosen` what is shown left and right at first.
        """
        self.clear()
        self._pictures = {k: np.clip(v, 0, 1).astype(np.float32) for k, v in pictures.items()}
        self._options, self._name = dict(place), name
        for control, picture in zip((self.left, self.right), chosen, strict=True):
            with control.changed.blocked():
                control.reset_choices()
                control.value = picture
        self._enable(len(self._pictures) > 1)

    def clear(self) -> None:
        """Take the layers away and forget the pictures."""
        self._remove()
        self._pictures = {}
        self._enable(False)

    def toggle(self) -> None:
        """Show the layers, or take them away."""
        if self.shown:
            self._remove()
            return
        self._remove()  # the one that the user has left
        limits, more = (0.0, 1.0), {METADATA_KEY: {"preview": True}}
        for control in (self.left, self.right):
            layer = Image(
                self._pictures[control.value],
                name=self._title(control.value),
                rgb=True,
                contrast_limits=limits,
                metadata=more,
                **self._options,
            )
            self.layers.append(layer)
            self._viewer.add_layer(layer)
        with suppress(SwipeError):
            self.swipe = Swipe(self._viewer)
            self.swipe.show(*([layer] for layer in self.layers))
        self._tell()

    def release(self) -> None:
        """Let go of the viewer; the layers stay."""
        with suppress(ValueError):
            self._viewer.layers.events.removed.disconnect(self._on_removed)
            self._viewer.layers.events.inserted.disconnect(self._on_inserted)
        self._close()
        self.layers = []

    def _names(self, *_: Any) -> list[str]:
        return list(self._pictures)

    def _title(self, picture: str) -> str:
        return f"[compare] {self._name}: {picture}"

    def _enable(self, on: bool) -> None:
        for control in (self.left, self.right, self.button):
            control.enabled = on

    def _draw(self, *_: Any) -> None:
        if self.shown:
            for layer, control in zip(self.layers, (self.left, self.right), strict=True):
                layer.data, layer.name = self._pictures[control.value], self._title(control.value)

    def _remove(self) -> None:
        self._close()
        layers, self.layers = self.layers, []
        for layer in layers:
            if layer in self._viewer.layers:
                self._viewer.layers.remove(layer)
        self._tell()

    def _close(self) -> None:
        swipe, self.swipe = self.swipe, None
        if swipe is not None:
            swipe.close()

    def _on_removed(self, event: Any) -> None:
        """Without one of the two there is no line; the other one is left to the user."""
        if event.value in self.layers:
            self._close()
            self.layers.remove(event.value)
        self._tell()

    def _on_inserted(self, event: Any) -> None:
        """Go where another image covers the two: a line over it would part nothing."""
        layers = self.layers
        if not (isinstance(event.value, Image) and event.value.visible and self.shown):
            return
        above = event.index > max(map(self._viewer.layers.index, layers))
        if above and event.value not in layers:  # when all have heard of it, and unless they went
            QTimer.singleShot(0, lambda: self._remove() if self.layers is layers else None)

    def _tell(self) -> None:
        """Say on the button what it does now."""
        self.button.text = HIDE if self.shown else SHOW
