"""The controls for what can be had of the latest result of the Enhance widget."""

from __future__ import annotations

from typing import Any

from magicgui.widgets import ComboBox, PushButton

from ..shared.forms import row


class ResultControls:
    """Buttons that add to a result, save it, tell of it and repeat it; dead while there is none."""

    def __init__(self) -> None:
        self._shown()
        self._kept()

    def _shown(self) -> None:
        """What tells of a result."""
        self.difference = PushButton(
            text="Difference",
            enabled=False,
            tooltip="Add a layer of the result minus the input, both 0 at black and 1 at white.",
        )
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
        self.report = PushButton(
            text="Report",
            enabled=False,
            tooltip="What the latest run did to the intensities: its curve, the share that saving "
            "would clip, and the gain of each pixel as a layer.",
        )

    def _kept(self) -> None:
        """What takes it elsewhere, and back."""
        self.picture = PushButton(
            text="Save picture…",
            enabled=False,
            tooltip="Save the plane in view of the latest result as it is displayed: between its "
            "contrast limits, in its colours, at its own resolution.",
        )
        self.bits = ComboBox(
            label="bits",
            choices=[("8 bits", 8), ("16 bits", 16)],
            tooltip="Bits per colour of the saved picture: 8 for the web and slides, 16 (PNG or "
            "TIFF) for editing.",
        )
        self.publish = PushButton(
            text="Publish…",
            enabled=False,
            tooltip="Legend, methods and statement for a paper, made from the record of the latest "
            "result, and a bundle with which anyone can repeat it bit for bit.",
        )
        self.restore = PushButton(
            text="Restore",
            enabled=False,
            tooltip="Add a layer of the original pixel values of the latest result: measure on "
            "those.",
        )
        self.python = PushButton(
            text="Copy as Python", enabled=False, tooltip="Copy Python code that repeats this run."
        )
        self.command = PushButton(
            text="Copy as command",
            enabled=False,
            tooltip="Copy a shell command that repeats this run.",
        )

    def figures(self) -> list[Any]:
        """Rows of widgets that show what a result is."""
        return [row(self.difference, self.changed), row(self.uncertain, self.report)]

    def copies(self) -> list[Any]:
        """Rows of widgets that take it elsewhere."""
        return [
            row(self.picture, self.bits),
            row(self.publish, self.restore),
            row(self.python, self.command),
        ]

    def offer(self, there: bool) -> None:
        """Let the buttons be pressed while there is a result."""
        for button in vars(self).values():
            if isinstance(button, PushButton):
                button.enabled = there
