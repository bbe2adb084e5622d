"""Marks of results that nothing is to be measured on: in the layer's name and on the canvas.

The canvas has it as napari's text overlay, so that it is on screenshots, too; an overlay that the
user has text in is left alone.
"""

from __future__ import annotations

import weakref
from contextlib import suppress
from itertools import count
from typing import Any

from napari.layers import Image

from ...model.inference.standing import mark_of
from ...model.io.roles import UNMEASURABLE
from .covering import grid_of, seen_layers
from .layers import METADATA_KEY, REFLECTANCE, kind

MARK = f" · {UNMEASURABLE}"
WAY = "measured values: Layers › Filter › Restore measured values"
MARK_POSITION, MARK_SIZE = "bottom_left", 8


def marked(name: str, record: dict[str, Any]) -> str:
    """A layer's name with the mark that a result of this record has, or with none."""
    return unmarked(name) + (MARK if mark_of(record) else "")


def unmarked(name: str) -> str:
    """A name without its mark, which napari may have put a number behind."""
    before, mark, number = name.rpartition(MARK)
    return before + number if mark else name


def free_name(name: str, layers: Any) -> str:
    """A name, without a mark, that no layer has yet: with a number where it must be."""
    taken = {unmarked(layer.name) for layer in layers}
    numbered = (f"{name} [{number}]" for number in count(1))
    return name if name not in taken else next(each for each in numbered if each not in taken)


def note_of_canvas(viewer: Any) -> str:
    """What the canvas is to say of the layers that are seen: what the strictest of them says."""
    seen = [
        layer.metadata[METADATA_KEY]
        for layer in seen_layers(viewer)
        if isinstance(layer, Image) and kind(layer) == REFLECTANCE
    ]
    notes = [note for note in map(mark_of, seen) if note]
    return f"{max(notes, key=len)}\n{WAY}" if notes else ""


def text_overlay(viewer: Any) -> Any:
    """The text that a viewer has on its canvas."""
    canvas = getattr(viewer, "canvas", None)  # napari 0.9 moved it there
    return viewer.text_overlay if canvas is None else canvas.overlays.text


class CanvasMark:
    """Keeps the mark on the canvas of a viewer that of what is seen, as long as the viewer lives.

    Parameters
    ----------
    viewer : napari.components.ViewerModel
    """

    def __init__(self, viewer: Any) -> None:
        self._viewer = weakref.ref(viewer)
        self._text = ""
        viewer.layers.events.inserted.connect(self._on_inserted)
        for emitter in (viewer.layers.events.removed, viewer.layers.events.reordered):
            emitter.connect(self.refresh)
        viewer.dims.events.ndisplay.connect(self.refresh)
        grid_of(viewer).events.enabled.connect(self.refresh)
        for layer in viewer.layers:
            self._follow(layer)
        self.refresh()

    def refresh(self, *_: Any) -> None:
        """Say what holds now."""
        viewer = self._viewer()
        if viewer is None:
            return
        overlay, text = text_overlay(viewer), note_of_canvas(viewer)
        foreign = overlay.visible and overlay.text not in ("", self._text)
        if foreign or text == self._text:
            return
        if text:
            with suppress(ValueError):  # a napari that knows no such place
                overlay.position = MARK_POSITION
            overlay.font_size = MARK_SIZE
        overlay.text, overlay.visible = text, bool(text)
        self._text = text

    def _on_inserted(self, event: Any) -> None:
        self._follow(event.value)
        self.refresh()

    def _follow(self, layer: Any) -> None:
        events = layer.events
        for emitter in (events.visible, events.opacity, events.blending):
            emitter.connect(self.refresh)


_MARKS: dict[int, CanvasMark] = {}


def canvas_mark(viewer: Any) -> CanvasMark:
    """The one mark of a viewer, also of the proxy of it that napari hands to plugins."""
    viewer = getattr(viewer, "__wrapped__", viewer)
    number = id(viewer)
    if number not in _MARKS:
        _MARKS[number] = CanvasMark(viewer)
        weakref.finalize(viewer, _MARKS.pop, number, None)
    return _MARKS[number]
