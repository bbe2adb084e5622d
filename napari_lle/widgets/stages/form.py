"""The controls of the stage inspector."""

from __future__ import annotations

from typing import Any

from magicgui.widgets import CheckBox, ComboBox, PushButton, Slider, SpinBox

from ...model.network.bundled import SIZE_NAMES
from ..shared.folds import Fold
from ..shared.forms import Choices, bar_and_status, device_box, labelled, row
from ..shared.model_choice import ModelChoice
from ..shared.preferences import preferred_model
from .inspector import INPUT_KEY, KINDS, Request
from .plots import StagePlots
from .sentence import short

MOST_STAGES = 20  # stages
AT_FIRST = ("L", "R")
SMALLER = tuple(f"-{size}" for size in SIZE_NAMES.values())  # how names of siblings end


class StagesForm:
    """All controls: what tells the story, and what experts ask for beside it.

    Parameters
    ----------
    images : callable
        Takes the list widget; returns the names and layers that it offers.
    """

    def __init__(self, images: Choices) -> None:
        self._run(images)
        self._story()
        self._layers()
        self._expert()

    def _run(self, images: Choices) -> None:
        self.image = ComboBox(label="image", choices=images, tooltip="The image layer to inspect.")
        self.model = ModelChoice()
        self.model.use(preferred_model())
        self.run = PushButton(
            text="Inspect",
            tooltip="Run all stages on the plane in view, then follow the dimension sliders.",
        )
        self.cancel = PushButton(
            text="Cancel", enabled=False, tooltip="Stop without changing anything."
        )
        self.progress, self.status = bar_and_status(
            "Tiles done.",
            "Whether one stage is enough: R of all stages is compared within the range in which it "
            "is shown. A grey level is 1/255 of that.",
        )

    def _story(self) -> None:
        self.instead = PushButton(
            text="", visible=False, tooltip="Inspect a model whose stages differ on this image."
        )
        self.stage = Slider(
            label="stage", value=1, min=1, max=3, tooltip="The stage that all layers show."
        )
        self.grid = CheckBox(
            text="side by side",
            value=True,
            tooltip="Show the input and everything chosen side by side, and nothing else "
            "meanwhile.",
        )
        self.figure = PushButton(
            text="Figure…",
            enabled=False,
            tooltip="Save a figure of all stages as PNG or SVG, one row per stage: the input, and "
            "those of L, R, u, E and V that are shown.",
        )

    def _expert(self) -> None:
        self.count = SpinBox(
            label="stages",
            value=3,
            min=1,
            max=MOST_STAGES,
            tooltip="T: how many times the block is applied; may be more than in training.",
        )
        self.device = device_box("Where the network runs.")
        self.export = PushButton(
            text="Export…",
            enabled=False,
            tooltip="Write all stages of the whole layer to a folder, as float32 TIFF and JSON "
            "files.",
        )
        self.plots = StagePlots()
        rows = [
            *map(labelled, (self.count, self.device)),
            row(*self.kinds.values()),
            row(self.extras["difference"], self.extras["gain"]),
            row(self.extras["noise"], self.extras["features"]),
            self.field,
            self.export,
        ]
        told = "Number of stages, all their quantities, plots, and values as files."
        fold = Fold("Expert", told, rows, "stages/expert", self.plots.fold)
        self.folds = {"Expert": fold}

    def _layers(self) -> None:
        self.kinds = {
            key: CheckBox(text=key, value=key in AT_FIRST, tooltip=f"{key}: {kind.meaning}.")
            for key, kind in KINDS.items()
        }
        self.extras = {
            "difference": CheckBox(
                text="difference", tooltip="|L − L 1| of the last stage: where stages differ."
            ),
            "gain": CheckBox(text="gain", tooltip="1 / L: how much each pixel is brightened."),
            "noise": CheckBox(
                text="noise gain",
                tooltip="How much the input's noise is amplified in R of the first stage.",
            ),
            "features": CheckBox(text="features", tooltip="Output of each dilated branch."),
        }
        self.field = CheckBox(
            text="receptive field",
            value=True,
            tooltip="Box around all pixels that influence the one at the cursor, at this stage. "
            "Not shown side by side, where it would take a cell of its own.",
        )

    def rows(self) -> list[Any]:
        """Widgets and rows of widgets, top to bottom."""
        return [
            *map(labelled, (self.image, self.model.widget)),
            row(self.run, self.cancel, self.figure),
            self.progress,
            self.status,
            self.instead,
            labelled(self.stage),
            self.grid,
        ]

    def offer(self, model: str) -> None:
        """Offer to inspect with another model, or with none."""
        self.instead.text = f"Inspect with {short(model)}"
        self.instead.visible = bool(model)

    def request(self) -> Request:
        """What is chosen."""
        return Request(
            model=self.model.value,
            count=self.count.value,
            device=self.device.value,
            noise=self.extras["noise"].value,
            features=self.extras["features"].value,
            others=tuple(value for _, value in self.model.offered if not value.endswith(SMALLER)),
        )

    def wanted(self) -> tuple[str, ...]:
        """Keys of the layers to show."""
        keys = [key for key, box in {**self.kinds, **self.extras}.items() if box.value]
        return (INPUT_KEY, *keys) if self.grid.value else (*["field"] * self.field.value, *keys)

    def box(self, key: str) -> CheckBox:
        """The checkbox behind a layer's key; feature maps share one."""
        if key in ("field", INPUT_KEY):
            return self.field if key == "field" else self.grid
        return self.kinds.get(key) or self.extras.get(key, self.extras["features"])
