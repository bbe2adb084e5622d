"""The controls of the stage inspector."""

from __future__ import annotations

from typing import Any

from magicgui.widgets import CheckBox, ComboBox, Label, ProgressBar, PushButton, Slider, SpinBox

from ..shared.forms import Choices, device_choices, labelled, row, steady
from ..shared.model_choice import ModelChoice
from .inspector import KINDS, Request

MOST = 20  # stages
AT_FIRST = ("L", "R", "E")


class StagesForm:
    """All controls, in the order in which they are read.

    Parameters
    ----------
    images : callable
        Takes the list widget; returns the names and layers that it offers.
    """

    def __init__(self, images: Choices) -> None:
        self._run(images)
        self._layers()
        steady(self.progress, self.status)

    def _run(self, images: Choices) -> None:
        self.image = ComboBox(label="image", choices=images, tooltip="The image layer to inspect.")
        self.model = ModelChoice()
        self.count = SpinBox(
            label="stages",
            value=3,
            min=1,
            max=MOST,
            tooltip="T: how often the block is applied; may be more than in training.",
        )
        self.device = ComboBox(
            label="device", choices=device_choices(), tooltip="Where the network runs."
        )
        self.run = PushButton(
            text="Inspect",
            tooltip="Run all stages on the plane in view, then follow the dimension sliders.",
        )
        self.cancel = PushButton(
            text="Cancel", enabled=False, tooltip="Stop without changing anything."
        )
        self.export = PushButton(
            text="Export…",
            enabled=False,
            tooltip="Write all stages of the whole layer to a folder, as float32 TIFF and JSON "
            "files.",
        )
        self.progress = ProgressBar(value=0, min=0, max=1, tooltip="Tiles done.")
        self.status = Label(value="", tooltip="What was found, or what to do next.")

    def _layers(self) -> None:
        self.stage = Slider(
            label="stage", value=1, min=1, max=3, tooltip="The stage that all layers show."
        )
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
            "Not shown in the grid, where it would take a cell of its own.",
        )
        self.grid = CheckBox(text="grid", tooltip="Show all layers side by side.")

    def rows(self) -> list[Any]:
        """Widgets and rows of widgets, top to bottom."""
        return [
            *map(labelled, (self.image, self.model.widget, self.count, self.device)),
            row(self.run, self.cancel, self.export),
            self.progress,
            self.status,
            labelled(self.stage),
            row(*self.kinds.values()),
            row(self.extras["difference"], self.extras["gain"]),
            row(self.extras["noise"], self.extras["features"]),
            row(self.field, self.grid),
        ]

    def request(self) -> Request:
        """What is chosen."""
        return Request(
            model=self.model.value,
            count=self.count.value,
            device=self.device.value,
            noise=self.extras["noise"].value,
            features=self.extras["features"].value,
        )

    def wanted(self) -> tuple[str, ...]:
        """Keys of the layers to show."""
        keys = [key for key, box in {**self.kinds, **self.extras}.items() if box.value]
        return (*(["field"] if self.field.value and not self.grid.value else []), *keys)

    def box(self, key: str) -> CheckBox:
        """The checkbox behind a layer's key; feature maps share one."""
        if key == "field":
            return self.field
        return self.kinds.get(key) or self.extras.get(key, self.extras["features"])
