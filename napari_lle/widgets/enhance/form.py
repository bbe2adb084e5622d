"""The controls of the Enhance widget and what they say."""

from __future__ import annotations

from typing import Any

from magicgui.widgets import (
    CheckBox,
    ComboBox,
    FloatSlider,
    Label,
    LineEdit,
    ProgressBar,
    PushButton,
)

from ...model.inference.options import EnhanceOptions
from ...model.network.bundled import GLOBAL
from ...model.preprocessing.normalizing import level_text
from ..shared.forms import Choices, device_choices, labelled, row, steady
from ..shared.model_choice import ModelChoice

REPLACE = "replace"  # the last result, on another run


class Form:
    """All controls, in the order in which they are read.

    Parameters
    ----------
    images : callable
        Takes the list widget; returns the names and layers that it offers.
    references : callable
        The same for what black can be taken from.
    """

    def __init__(self, images: Choices, references: Choices) -> None:
        self._choose(images)
        self._levels(references)
        self._ask()
        self._run()
        self._take_away()

    def _choose(self, images: Choices) -> None:
        """What is enhanced, by which model, how."""
        self.image = ComboBox(label="image", choices=images, tooltip="The image layer to enhance.")
        self.model = ModelChoice()
        self.strength = FloatSlider(
            label="strength",
            value=1.0,
            min=0,
            max=1,
            step=0.01,
            tooltip="0 leaves the image as it is, 1 is the full effect. "
            "The result follows at once, without a new run.",
        )
        self.channels = ComboBox(
            label="channels",
            choices=["auto", "per", "joint"],
            tooltip="per: one illumination per channel, for photographs. joint: one illumination "
            "for all channels, which keeps their ratios. auto: per for 8-bit RGB, else joint.",
        )
        self.together = CheckBox(
            text="selected layers together",
            tooltip="For channels that are layers of their own: all image layers selected in the "
            "layer list are enhanced in one run and divided by one illumination, each between "
            "its own levels. An axis named c is treated this way anyway, unless channels is per.",
        )
        self.device = ComboBox(
            label="device",
            choices=device_choices(),
            tooltip="Where the network runs; auto takes the fastest device available.",
        )

    def _levels(self, references: Choices) -> None:
        """Black and white, and where they come from."""
        self.black = self._level("black", "becomes 0")
        self.white = self._level("white", "becomes 1")
        self.find = PushButton(
            text="Find",
            tooltip="Find the automatic levels without a run and show them in the layer's "
            "histogram: black in blue, white in orange.",
        )
        self.histogram = Label(
            value="",
            visible=False,
            tooltip="Histogram of the pixel values, on a logarithmic scale; blue line: black "
            "level, orange line: white level. The first and last bins include all values beyond.",
        )
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
        self.lock = CheckBox(
            text="lock levels",
            tooltip="Keep these levels, found or typed, for every image chosen next: images to be "
            "compared must be stretched in the same way.",
        )
        self.pass_on = PushButton(
            text="Copy levels to selected layers",
            tooltip="Use these levels for the layers selected in the layer list, too.",
        )

    def _ask(self) -> None:
        """What is to be shown."""
        self.illumination = CheckBox(
            text="also add the illumination layer",
            tooltip="Reflectance times illumination recovers the original pixel values: measure "
            "on those.",
        )
        self.again = ComboBox(
            label="again",
            choices=[("replace the last result", REPLACE), ("add another result", "add")],
            tooltip="What the next run on the same image does with the result of the last one.",
        )
        self.preview = CheckBox(
            text="preview the visible part",
            tooltip="Show how the visible part of the image would look while you change options.",
        )
        self.curve = CheckBox(
            text="one curve for the whole image",
            tooltip="For published figures: equal pixel values get equal results, and the order of "
            "brightness is kept. Noise is not reduced.",
        )

    def _run(self) -> None:
        """To begin and to end, and how far it is."""
        self.run = PushButton(
            text="Enhance", tooltip="Enhance the whole layer; the result is a new layer."
        )
        self.cancel = PushButton(
            text="Cancel", enabled=False, tooltip="Stop the run without adding a layer."
        )
        self.progress = ProgressBar(value=0, min=0, max=1, tooltip="Tiles done.")
        self.status = Label(value="", tooltip="What happened, or what to do next.")
        steady(self.progress, self.status)
        self.progress.native.setTextVisible(True)

    def _take_away(self) -> None:
        """What can be had of the latest result."""
        self.changed = PushButton(
            text="What changed",
            enabled=False,
            tooltip="Add a layer of what the latest run did beyond a plain stretch, in units of "
            "the noise: up to about 2 it is noise that was removed.",
        )
        self.uncertain = PushButton(
            text="Uncertainty",
            enabled=False,
            tooltip="Add a layer of how far the result may be from the truth: half the width of "
            "an interval that holds it for 95 % of the pixels.",
        )
        self.picture = PushButton(
            text="Save picture…",
            enabled=False,
            tooltip="Save the plane in view of the latest result as it is displayed: between its "
            "contrast limits, in its colours, at its own resolution.",
        )
        self.bits = ComboBox(
            label="bits",
            choices=[("8 bits", 8), ("16 bits", 16)],
            tooltip="Of the saved picture: 8 for the web and slides, 16 (PNG or TIFF) to edit it.",
        )
        self.report = PushButton(
            text="Report",
            enabled=False,
            tooltip="What the latest run did to the intensities: its curve, the share that saving "
            "would clip, and the gain of each pixel as a layer.",
        )
        self.python = PushButton(
            text="Copy as Python", enabled=False, tooltip="Copy Python code that repeats this run."
        )
        self.command = PushButton(
            text="Copy as command",
            enabled=False,
            tooltip="Copy a shell command that repeats this run.",
        )

    @staticmethod
    def _level(name: str, meaning: str) -> LineEdit:
        level = LineEdit(
            label=name,
            tooltip=f"Input value that {meaning}. Leave it empty to have it found for the whole "
            "layer; after a run, the value used is shown here.",
        )
        level.native.setPlaceholderText("auto")
        return level

    def rows(self) -> list[Any]:
        """Widgets and rows of widgets, top to bottom."""
        return [
            *map(labelled, (self.image, self.model.widget, self.strength, self.channels)),
            self.together,
            labelled(self.black),
            labelled(self.white, self.find),
            self.histogram,
            labelled(self.reference, self.take),
            self.lock,
            self.pass_on,
            labelled(self.device),
            self.curve,
            self.illumination,
            self.preview,
            labelled(self.again),
            row(self.run, self.cancel),
            self.progress,
            self.status,
            row(self.changed, self.uncertain),
            row(self.picture, self.bits),
            self.report,
            row(self.python, self.command),
        ]

    def options(self) -> EnhanceOptions:
        """What is chosen; raises ValueError with a sentence for the user."""
        black, white = self.levels()
        return EnhanceOptions(
            model=self.model.value + (GLOBAL if self.curve.value else ""),
            channels=self.channels.value,
            black=black,
            white=white,
            device=self.device.value,
        )

    def levels(self) -> tuple[float | None, float | None]:
        """Black and white, None where they are to be found; raises ValueError as `options`."""
        return _number(self.black), _number(self.white)

    def show_levels(self, black: Any, white: Any) -> None:
        """Show levels that were found, each one or several of channels, without fixing them."""
        for edit, value in ((self.black, black), (self.white, white)):
            edit.native.setPlaceholderText(f"auto ({level_text(value)})")

    def forget_levels(self) -> None:
        """Show that levels are to be found."""
        for edit in (self.black, self.white):
            edit.native.setPlaceholderText("auto")

    def inputs(self) -> list[Any]:
        """The controls that change what the network is asked for."""
        return [
            self.image,
            self.model.widget,
            self.channels,
            self.together,
            self.black,
            self.white,
            self.device,
            self.curve,
        ]


def _number(edit: LineEdit) -> float | None:
    text = edit.value.strip().replace(",", ".")
    if not text:
        return None
    try:
        return float(text)
    except ValueError:
        raise ValueError(
            f"The {edit.label} level must be a number or empty, not “{edit.value}”."
        ) from None
