"""Lists of a viewer's layers that follow the viewer."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

from napari.layers import Image

from ._layers import KEY


class ImageChoice:
    """Keeps list widgets filled with layers.

    Parameters
    ----------
    viewer : napari.components.ViewerModel
    *widgets : ComboBox
        Made with layers of this viewer as their choices, `images` for instance.
    follow : bool
        Choose the selected layer in the first of them.
    """

    def __init__(self, viewer: Any, *widgets: Any, follow: bool = True) -> None:
        self._viewer, self._widgets = viewer, widgets
        layers = viewer.layers
        self._followed = [
            (layers.events.inserted, self.fill),
            (layers.events.removed, self.fill),
            (layers.events.renamed, self.fill),
        ]
        if follow:
            self._followed.append((layers.selection.events.active, self.choose_active))
        for emitter, slot in self._followed:
            emitter.connect(slot)
        if follow:
            self.choose_active()
        else:
            self.fill()

    def release(self) -> None:
        """Let go of the viewer."""
        for emitter, slot in self._followed:
            with suppress(ValueError):
                emitter.disconnect(slot)

    def fill(self, *_: Any) -> None:
        """Offer the layers that are there, keeping the choices."""
        for widget in self._widgets:
            chosen = widget.value
            widget.reset_choices()
            if chosen in widget.choices:  # a renamed layer counts as a new choice
                widget.value = chosen

    def choose_active(self, *_: Any) -> None:
        """Follow the selection to images."""
        self.fill()
        active = self._viewer.layers.selection.active
        if active is not None and active in self._widgets[0].choices:
            self._widgets[0].value = active


def images(viewer: Any) -> list[tuple[str, Image]]:
    """Names and layers to choose from, those apart that this plugin shows for a time."""
    return [
        (layer.name, layer)
        for layer in viewer.layers
        if isinstance(layer, Image) and not layer.metadata.get(KEY, {}).get("preview")
    ]
