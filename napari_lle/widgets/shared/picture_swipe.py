"""Pictures of one place over each other on the canvas, with a line between them to be moved."""

from __future__ import annotations

from collections.abc import Generator, Mapping
from contextlib import suppress
from typing import Any

import numpy as np
from magicgui.widgets import ComboBox, PushButton, Slider
from napari.layers import Image
from numpy.typing import NDArray

from .layers import KEY

NEAR = 0.05  # of the width, from the line, where the mouse takes hold of it
LINE = 0.004  # of the width: how thick it is drawn

SHOW, HIDE = "Compare on the canvas", "Take the comparison away"

Picture = NDArray[np.float32]


def swiped(left: Picture, right: Picture, share: float) -> Picture:
    """One picture left of a line at a share of the width and another right of it, (Y, X, 3)."""
    width = left.shape[1]
    column = round(share * width)
    half = max(1, round(LINE * width / 2))
    both: Picture = np.concatenate([left[:, :column], right[:, column:]], axis=1)
    if 0 < column < width:
        both[:, max(0, column - half) : column + half] = (1.0, 0.65, 0.0)
    return both


class PictureSwipe:
    """The controls of the line and of the pictures, and the layer that shows them.

    Parameters
    ----------
    viewer : napari.components.ViewerModel

    Attributes
    ----------
    left, right : ComboBox
        Which pictures.
    line : Slider
        Where between them the line is, in per cent of the width.
    button : PushButton
        Adds the layer, or takes it away.
    layer : Image or None
    """

    def __init__(self, viewer: Any) -> None:
        self._viewer = viewer
        self._pictures: dict[str, Picture] = {}
        self._options: dict[str, Any] = {}
        self.layer: Image | None = None
        self.left, self.right = (
            ComboBox(label=side, choices=self._names, tooltip=f"What is shown {side} of the line.")
            for side in ("left", "right")
        )
        self.line = Slider(
            label="line",
            value=50,
            max=100,
            tooltip="Position of the line between the two; you can also drag it on the canvas.",
        )
        self.button = PushButton(
            text=SHOW,
            tooltip="Show both over the image, with a line between them that can be moved.",
        )
        for control in (self.left, self.right, self.line):
            control.changed.connect(self._draw)
        self.button.changed.connect(self.toggle)
        viewer.layers.events.removed.connect(self._name)
        self.clear()

    @property
    def shown(self) -> bool:
        """Whether the layer is among those of the viewer."""
        return self.layer is not None and self.layer in self._viewer.layers

    def offer(
        self,
        pictures: Mapping[str, Picture],
        name: str,
        place: Mapping[str, Any],
        chosen: tuple[str, str],
    ) -> None:
        """Offer pictures of one size, in 0..1, (Y, X, 3).

        `place` are options of their layer, `chosen` what is shown left and right at first.
        """
        self.clear()
        self._pictures = {k: np.clip(v, 0, 1).astype(np.float32) for k, v in pictures.items()}
        self._options = {**place, "name": f"[compare] {name}"}
        for control, picture in zip((self.left, self.right), chosen, strict=True):
            with control.changed.blocked():
                control.reset_choices()
                control.value = picture
        self._enable(len(self._pictures) > 1)

    def clear(self) -> None:
        """Take the layer away and forget the pictures."""
        self._remove()
        self._pictures = {}
        self._enable(False)

    def toggle(self) -> None:
        """Show the layer, or take it away."""
        if self.shown:
            self._remove()
            return
        limits, more = (0.0, 1.0), {KEY: {"preview": True}}
        self.layer = Image(
            self._both(), rgb=True, contrast_limits=limits, metadata=more, **self._options
        )
        self.layer.mouse_drag_callbacks.append(self._drag)
        self._viewer.add_layer(self.layer)
        self._name()

    def release(self) -> None:
        """Let go of the viewer; the layer stays."""
        with suppress(ValueError):
            self._viewer.layers.events.removed.disconnect(self._name)
        self._let_go()

    def _let_go(self) -> None:
        if self.layer is not None:
            with suppress(ValueError):
                self.layer.mouse_drag_callbacks.remove(self._drag)
            self.layer = None

    def _names(self, *_: Any) -> list[str]:
        return list(self._pictures)

    def _enable(self, on: bool) -> None:
        for control in (self.left, self.right, self.line, self.button):
            control.enabled = on

    def _both(self) -> Picture:
        left, right = (self._pictures[control.value] for control in (self.left, self.right))
        return swiped(left, right, self.line.value / 100)

    def _draw(self, *_: Any) -> None:
        if self.shown and self.layer is not None:
            self.layer.data = self._both()

    def _remove(self) -> None:
        if self.shown:
            self._viewer.layers.remove(self.layer)
        self._let_go()
        self._name()

    def _name(self, *_: Any) -> None:
        """Say on the button what it does now."""
        self.button.text = HIDE if self.shown else SHOW

    def _drag(self, layer: Image, event: Any) -> Generator[None, None, None]:
        """Move the line with the mouse, where that took hold of it."""
        width = layer.data.shape[1]

        def place() -> float:
            return float(layer.world_to_data(event.position)[-1]) / width

        if abs(place() - self.line.value / 100) > NEAR:
            return
        layer.mouse_pan = False
        yield
        while event.type == "mouse_move":
            self.line.value = int(np.clip(round(100 * place()), 0, 100))
            yield
        layer.mouse_pan = True
