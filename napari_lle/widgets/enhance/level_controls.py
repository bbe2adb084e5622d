"""The controls of levels in the Enhance widget: black and white, and where they come from."""

from __future__ import annotations

from typing import Any

from magicgui.widgets import CheckBox, ComboBox, FloatSlider, LineEdit, PushButton

from ...model.preprocessing.normalizing import level_text
from ...model.preprocessing.screen import MIDDLE
from ..shared.forms import Choices, labelled
from .background import HOWS
from .histogram import Histogram
from .typed_levels import read_field


class LevelControls:
    """The histogram and the fields of the fold *Levels*.

    Parameters
    ----------
    references : callable
        Takes the list widget; returns names and layers that black can be taken from.
    """

    def __init__(self, references: Choices) -> None:
        self.histogram = Histogram()
        self.black = _field("black", "becomes 0")
        self.white = _field("white", "becomes 1")
        self.sky = FloatSlider(
            label="sky",
            value=MIDDLE,
            min=0.02,
            max=0.5,
            step=0.01,
            tooltip="Brightness of the background in the result where black is set just below it: "
            "with the look astronomy, or when you type sky for black.",
        )
        self._sources(references)
        self.lock = CheckBox(
            text="lock levels",
            tooltip="Keep these levels, found or typed, for every image chosen next: images to be "
            "compared must be stretched in the same way.",
        )
        self.pass_on = PushButton(
            text="Copy levels to selected layers",
            tooltip="Use these levels for the layers selected in the layer list, too.",
        )

    def _sources(self, references: Choices) -> None:
        """What black is taken from, and what is taken out before."""
        self.reference = ComboBox(
            label="dark",
            choices=references,
            nullable=True,
            tooltip="A dark frame, or a Shapes layer that marks where the image is dark.",
        )
        self.take = PushButton(
            text="Take",
            tooltip="Set the black level to the median of the dark frame, or of the image within "
            "the selected shapes.",
        )
        self.background = ComboBox(
            label="background",
            choices=HOWS,
            tooltip="Remove a smooth background, measured between the objects: subtract it where "
            "light was added, divide by it where the lighting is uneven. Restoring still gives "
            "the measured values. Needs the extra astro.",
        )
        self.show_background = PushButton(
            text="Show", tooltip="Add the background of the image as a layer."
        )

    def rows(self) -> list[Any]:
        """Rows of widgets, top to bottom; the histogram lies elsewhere."""
        return [
            *map(labelled, (self.black, self.white, self.sky)),
            labelled(self.reference, self.take),
            labelled(self.background, self.show_background),
            self.lock,
            self.pass_on,
        ]

    def inputs(self) -> list[Any]:
        """The controls that change what the network is asked for."""
        return [self.black, self.white, self.sky, self.background]

    def typed(self) -> tuple[Any, Any]:
        """Black and white, None where they are to be found.

        Raises
        ------
        ValueError
            With a sentence for the user.
        """
        return read_field(self.black), read_field(self.white)

    def show(self, black: Any, white: Any) -> None:
        """Show levels that were found, each one or several of channels, without fixing them."""
        for edit, value in ((self.black, black), (self.white, white)):
            edit.native.setPlaceholderText(f"auto ({level_text(value)})")

    def forget(self) -> None:
        """Show that levels are to be found."""
        for edit in (self.black, self.white):
            edit.native.setPlaceholderText("auto")


def _field(name: str, meaning: str) -> LineEdit:
    field = LineEdit(
        label=name,
        tooltip=f"Input value that {meaning}. Leave it empty to have it found for the whole "
        "layer; the value found is shown here.",
    )
    field.native.setPlaceholderText("auto")
    return field
