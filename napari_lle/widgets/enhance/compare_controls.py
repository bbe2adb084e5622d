"""The controls that show before and after, and every model beside the others."""

from __future__ import annotations

from typing import Any

from magicgui.widgets import CheckBox, PushButton

from ..shared.forms import row
from .gallery import ModelPictures

KEY_BEFORE = "H"  # which napari leaves free in every mode of every kind of layer


class CompareControls:
    """The button, the line and the pictures; the figures of a result stand beside them."""

    def __init__(self) -> None:
        self.before = PushButton(
            text=f"Before (hold {KEY_BEFORE})",
            tooltip=f"Show the input while this button or the key {KEY_BEFORE} is held down.",
        )
        self.swipe = CheckBox(
            text="swipe",
            tooltip="Put a line on the canvas that you can drag: the input on its left, the "
            "result or its preview on its right.",
        )

        self.models = ModelPictures()

    def rows(self) -> list[Any]:
        """Rows of widgets, top to bottom."""
        return [row(self.before, self.swipe)]
