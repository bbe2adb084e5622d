"""The controls of the Enhance widget and what they say."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from magicgui.widgets import (
    CheckBox,
    ComboBox,
    Label,
    PushButton,
)

from ...model.inference.looks import LOOK_NAMES, look_options
from ...model.inference.options import EnhanceOptions
from ...model.network.bundled import FORMULAS
from ...model.preprocessing.screen import MIDDLE
from ...model.preprocessing.sky import NEAR_SKY
from ..shared.folds import Fold
from ..shared.forms import HAPPENED, Choices, bar_and_status, device_box, labelled, roomy, row
from ..shared.model_choice import ModelChoice
from ..shared.preferences import preferred_model
from .compare_controls import CompareControls
from .level_controls import LevelControls
from .result_controls import ResultControls
from .tone_controls import ToneControls

REPLACE = "replace"  # the last result, on another run
PROMINENT = 26  # pixels, the height of the one button that matters
FOLDS = {
    "Levels": "Set black and white by numbers, from a dark frame or region; lock or copy them.",
    "Channels": "How colours and channels are treated together.",
    "Compare": "Compare before and after, and see what has changed.",
    "Save": "Save the result as a picture, publish it, restore what was measured, repeat the run.",
    "More": "Model, brightness, noise removal, device, and what a run adds.",
}


class Form:
    """All controls: what is always in sight, and what is folded.

    Parameters
    ----------
    images : callable
        Takes the list widget; returns the names and layers that it offers.
    references : callable
        The same for what black can be taken from.
    """

    def __init__(self, images: Choices, references: Choices) -> None:
        self._choose(images)
        self._run()
        self.levels = LevelControls(references)
        self._channels()
        self._ask()
        self.compare = CompareControls()
        self.result = ResultControls()
        more = {"Compare": (self.compare.models,)}
        self.folds = {
            title: Fold(title, tooltip, rows, f"enhance/{title.lower()}", *more.get(title, ()))
            for (title, tooltip), rows in zip(FOLDS.items(), self._folded(), strict=True)
        }

    def _choose(self, images: Choices) -> None:
        """The three rows."""
        self.image = ComboBox(label="image", choices=images, tooltip="The image layer to enhance.")
        self.look = ComboBox(
            label="look", choices=LOOK_NAMES, tooltip="The kind of picture to make."
        )
        self.tone = ToneControls()
        self.strength = self.tone.strength

    def _run(self) -> None:
        """To begin and to end, how far it is, and what it is about."""
        self.run = PushButton(
            text="Enhance", tooltip="Enhance the whole layer; the result is a new layer."
        )
        self.cancel = PushButton(
            text="Cancel",
            enabled=False,
            visible=False,
            tooltip="Stop the run without adding a layer.",
        )
        self.preview = CheckBox(
            text="preview the visible part",
            value=True,
            tooltip="Show how the visible part of the image would look while you change options; "
            "once there is a result, from your next change on.",
        )
        self.line = Label(
            value="",
            tooltip="The model, the input values that become black and white, and how many pixels "
            "are darker than black.",
        )
        self.progress, self.status = bar_and_status("Tiles done.", HAPPENED)
        roomy(self.line)
        self.progress.native.setTextVisible(True)

    def _channels(self) -> None:
        """What goes together."""
        self.channels = ComboBox(
            label="channels",
            choices=["auto", "per", "joint", "luminance"],
            tooltip="per: one illumination per channel, for photographs. joint: one illumination "
            "for all channels, which keeps their ratios. luminance: the same, from the mean of "
            "the colours instead of the brightest. auto: what the look uses.",
        )
        self.clip = ComboBox(
            label="beyond 1",
            choices=[("rescaled", "rescale"), ("kept", "keep")],
            tooltip="With luminance, pure colours can exceed 1. rescaled: all colours of such a "
            "pixel are divided until none does. kept: they stay above 1.",
        )
        self.linked = ComboBox(
            label="levels",
            choices=["auto", "linked", "unlinked"],
            tooltip="linked: one black and one white for all channels. unlinked: each channel its "
            "own. auto: what the look uses, otherwise unlinked for measured channels.",
        )
        self.together = CheckBox(
            text="selected layers together",
            tooltip="For channels that are layers of their own: all image layers selected in the "
            "layer list are enhanced in one run and divided by one illumination, each between "
            "its own levels. An axis named c is treated this way anyway, unless channels is per. "
            "The look publication gives all selected layers one curve instead.",
        )

    def _ask(self) -> None:
        """By what, where, and what is to be added."""
        self.model = ModelChoice(
            tooltip="The network. auto: the one that the look uses. stretch: a curve given by a "
            "formula. You can also choose a model of your own, a .safetensors file.",
            formulas=FORMULAS,
        )
        self.model.use(preferred_model())
        self.device = device_box("Where the network runs; auto takes the fastest device available.")
        self.again = ComboBox(
            label="again",
            choices=[("replace result", REPLACE), ("add result", "add")],
            tooltip="What the next run on the same image does with the result of the last one.",
        )
        self.illumination = CheckBox(
            text="also add the illumination layer",
            tooltip="Reflectance times illumination recovers the original pixel values: measure "
            "on those.",
        )

    def rows(self) -> list[Any]:
        """What is chosen and pressed, top to bottom."""
        return [
            *map(labelled, (self.image, self.look, self.strength)),
            row(self.run, self.cancel),
            self.preview,
        ]

    def below(self) -> list[Any]:
        """What comes below, as Qt has it; above what tells, which may need more lines, is drawn."""
        told = (self.line, self.progress, self.status)
        return [self.levels.histogram, *(each.native for each in told), *self.folds.values()]

    def _folded(self) -> list[list[Any]]:
        """Widgets and rows of widgets, fold by fold."""
        return [
            self.levels.rows(),
            [*map(labelled, (self.channels, self.clip, self.linked)), self.together],
            [*self.compare.rows(), *self.result.figures()],
            self.result.copies(),
            [
                *map(labelled, (self.model.widget, *self.tone.all()[1:])),
                *map(labelled, (self.device, self.again)),
                self.illumination,
            ],
        ]

    def options(self, *, typed: bool = True, model: str = "") -> EnhanceOptions:
        """What is chosen; without `typed`, but for the levels that were typed as numbers.

        Another model than the chosen one may be named.

        Raises
        ------
        ValueError
            With a sentence for the user.
        """
        black, white = self.levels.typed()
        if not typed:
            black, white = (black if black == NEAR_SKY else None), None
        options = look_options(
            self.look.value,
            model=model or self.model.value,
            channels=self.channels.value,
            clip=self.clip.value,
            black=black,
            white=white,
            levels=self.linked.value,
            device=self.device.value,
        )
        sky = self.levels.sky.value
        return replace(options, sky=sky) if sky != MIDDLE and options.near_sky else options

    def recolour(self, text: str, accent: str) -> None:
        """Follow the viewer's theme."""
        self.levels.histogram.recolour(text)
        self.run.native.setStyleSheet(
            f"QPushButton:enabled {{ background-color: {accent}; font-weight: bold; "
            f"min-height: {PROMINENT}px; }} QPushButton {{ min-height: {PROMINENT}px; }}"
        )

    def inputs(self) -> list[Any]:
        """The controls that change what the network is asked for."""
        return [
            self.image,
            self.look,
            self.model.widget,
            self.channels,
            self.clip,
            self.linked,
            self.together,
            *self.levels.inputs(),
            self.device,
        ]
