"""A list of the viewer's image layers that follows the viewer."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import suppress
from typing import Any

from napari.layers import Image

from .layers import METADATA_KEY, REFLECTANCE, is_result, kind

_again: list[Any] = []  # what `select_again` is selecting


class ImageChoice:
    """Keeps a list widget filled with image layers, those apart that this plugin shows for a time.

    Parameters
    ----------
    viewer : napari.components.ViewerModel
    widget : ComboBox
        Made with `images` of this viewer as its choices, or a part of them.
    follows : callable
        Takes a layer that became the active one; whether it is chosen then.
    """

    def __init__(
        self, viewer: Any, widget: Any, follows: Callable[[Any], bool] = lambda _: True
    ) -> None:
        self._viewer, self._widget, self._follows = viewer, widget, follows
        layers = viewer.layers
        self._followed = [
            (layers.events.inserted, self.fill),
            (layers.events.removed, self.fill),
            (layers.events.renamed, self.fill),
            (layers.selection.events.active, self.choose_active),
        ]
        for emitter, slot in self._followed:
            emitter.connect(slot)
        self.choose_active()

    def release(self) -> None:
        """Let go of the viewer."""
        for emitter, slot in self._followed:
            with suppress(ValueError):
                emitter.disconnect(slot)

    def fill(self, *_: Any) -> None:
        """Offer the layers that are there, keeping the choice."""
        chosen = self._widget.value
        self._widget.reset_choices()
        if chosen in self._widget.choices:  # a renamed layer counts as a new choice
            self._widget.value = chosen

    def choose_active(self, *_: Any) -> None:
        """Follow the selection to images."""
        self.fill()
        active = self._viewer.layers.selection.active
        if active is None or active not in self._widget.choices or _again:
            return
        if self._follows(active):
            self._widget.value = active


def select_again(viewer: Any, layers: Iterable[Any]) -> None:
    """Give the selection back to the layers that had it before one was added: napari selects that.

    No list of images follows, for nobody has chosen: another image may be chosen there.
    """
    _again.append(layers)
    try:
        viewer.layers.selection = {layer for layer in layers if layer in viewer.layers}
    finally:
        _again.pop()


def choose_input(widget: Any, active: Any) -> None:
    """Choose the input of the active layer, or the first one that there is.

    Parameters
    ----------
    widget : ComboBox
        Of image layers; where there are only results, one that shows its image is chosen.
    active : Layer or None
        That of the viewer.
    """
    inputs = [layer for layer in widget.choices if not is_result(layer)]
    if not inputs:
        shown = [layer for layer in widget.choices if kind(layer) == REFLECTANCE]
        if shown:
            widget.value = shown[0]
        return
    if active in inputs:
        return
    made_of = "" if active is None else active.metadata.get(METADATA_KEY, {}).get("layer", "")
    widget.value = next((layer for layer in inputs if layer.name == made_of), inputs[-1])


def images(viewer: Any) -> list[tuple[str, Image]]:
    """Names and layers to choose from."""
    return [
        (layer.name, layer)
        for layer in viewer.layers
        if isinstance(layer, Image) and not layer.metadata.get(METADATA_KEY, {}).get("preview")
    ]
