"""The layer that shows what a network in training makes of the held-out region."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

import numpy as np
from napari.layers import Image
from qtpy.QtCore import QTimer

from ..shared.image_choice import select_again
from ..shared.layers import METADATA_KEY
from .annotations import planar_affine
from .pair_steps import Entry
from .runner import Comparison, HeldOutPreview

DRAWN_DELAY = 40  # ms: the new layer has been drawn


class PreviewLayer:
    """Keeps one layer of a viewer up to date.

    Parameters
    ----------
    viewer : napari.components.ViewerModel
    """

    def __init__(self, viewer: Any) -> None:
        self._viewer = viewer
        self._layer: Any = None

    def show(self, preview: HeldOutPreview, entries: Sequence[Entry]) -> None:
        """Show a preview over the layer that it is of, if one of the entries knows it."""
        name = f"[training] {preview.name}"
        if self._layer in self._viewer.layers and self._layer.name == name:
            self._layer.data = preview.image
            return
        if self._layer in self._viewer.layers:  # of another pair
            self._viewer.layers.remove(self._layer)
        chosen = set(self._viewer.layers.selection)
        shown = {
            "rgb": True,
            "contrast_limits": (0, 1),
            "metadata": {METADATA_KEY: {"preview": True}},
        }
        self._layer = Image(preview.image, name=name, **self.place(preview, entries), **shown)
        self._viewer.add_layer(self._layer)
        QTimer.singleShot(DRAWN_DELAY, partial(self._select, chosen))

    def _select(self, chosen: set[Any]) -> None:
        """Select what was selected before, unless the user has gone on: napari selects the new."""
        # Not `is`: what napari hands to plugins are proxies.
        if self._viewer.layers.selection.active == self._layer:
            select_again(self._viewer, chosen)

    def place(
        self, preview: HeldOutPreview | Comparison, entries: Sequence[Entry]
    ) -> dict[str, Any]:
        """Options of a layer that put it where a region lies, if one of the entries knows it."""
        for entry in entries:
            layer, name = entry.layer, entry.draft.name
            if layer is None or layer not in self._viewer.layers:
                continue
            if preview.name == name or preview.name.startswith(f"{name}-"):  # a plane of it
                corner = np.eye(3)
                corner[:2, 2] = np.add(entry.draft.corner, (preview.rows[0], preview.columns[0]))
                return {
                    "affine": planar_affine(layer) @ corner,
                    "units": layer.units[-2:],
                    "axis_labels": layer.axis_labels[-2:],
                }
        return {}
