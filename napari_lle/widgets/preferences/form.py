"""The controls of the preferences, in the order in which they are read."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from magicgui.widgets import ComboBox, FileEdit, FloatSpinBox, Label, PushButton, SpinBox

from ...model.inference.looks import LOOK_NAMES
from ..shared.forms import device_choices, labelled, roomy
from ..shared.model_choice import ModelChoice
from ..shared.preferences import RECOGNISED, Preferences, preferences, preferred_model


class PreferencesForm:
    """One control for each preference, a button, and two lines of text."""

    def __init__(self) -> None:
        self._images()
        self._machine()
        self._told()
        self.show()

    def _images(self) -> None:
        """What images begin with."""
        self.model = ModelChoice(
            tooltip="The model that Enhance and the stage inspector start with; auto: the one "
            "that the look uses."
        )
        self.look = ComboBox(
            label="look",
            choices=[RECOGNISED, *LOOK_NAMES],
            tooltip="The look until you choose another: recognised from each image, or always the "
            "same.",
        )
        self.models = FileEdit(
            label="models",
            mode="d",
            nullable=True,
            tooltip="A folder of .safetensors files, which every list of models offers.",
        )
        self.models.choose_btn.text = "…"
        self.preview = FloatSpinBox(
            label="preview",
            min=0.1,
            max=64,
            step=0.5,
            tooltip="Size of a preview in megapixels: of a larger part in view, only every few "
            "pixels are shown.",
        )

    def _machine(self) -> None:
        """What networks run on."""
        self.device = ComboBox(
            label="device",
            choices=device_choices(),
            tooltip="Where networks run in newly opened widgets; auto takes the fastest one.",
        )
        self.threads = SpinBox(
            label="threads",
            min=0,
            max=1024,
            tooltip="How many processor cores a run may keep busy, from the next run on; 0: all.",
        )
        self.kernel = ComboBox(
            label="kernel",
            choices=["auto", "torch"],
            tooltip="auto: compiled code where available. torch: never compiled code, which is "
            "slower. From the next run on.",
        )

    def _told(self) -> None:
        """What is kept, and what there is."""
        self.status = Label(value="", tooltip="What is set, or what is wrong with it.")
        self.devices = Label(
            value="", tooltip="What networks can run on here, and why not on anything else."
        )
        self.look_again = PushButton(
            text="Look again", tooltip="Look for devices and kernels again."
        )
        self.copy = PushButton(
            text="Copy command",
            visible=False,
            tooltip="Copy the first command that fixes something, to paste into a terminal.",
        )
        roomy(self.status)
        roomy(self.devices)

    @property
    def controls(self) -> dict[str, Any]:
        """By the preference."""
        names = Preferences._fields
        return {n: self.model.widget if n == "model" else getattr(self, n) for n in names}

    def show(self) -> None:
        """Show what is preferred, without keeping it anew."""
        wanted = preferences()
        for name, control in self.controls.items():
            with control.changed.blocked():
                if name == "model":
                    self.model.use(preferred_model())
                elif name == "models":
                    control.value = Path(wanted.models) if wanted.models else None
                elif name != "device" or wanted.device in control.choices:
                    control.value = getattr(wanted, name)

    def chosen(self, name: str) -> Any:
        """What a control says, as it is kept."""
        if name == "model":
            return self.model.value
        value = self.controls[name].value
        if name == "models":
            return "" if value is None or str(value) in ("", ".") else str(value)
        return value

    def rows(self) -> list[Any]:
        """Widgets and rows of widgets, top to bottom."""
        return [
            *map(labelled, self.controls.values()),
            self.status,
            self.devices,
            self.look_again,
            self.copy,
        ]
