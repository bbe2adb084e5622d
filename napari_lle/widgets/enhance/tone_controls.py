"""The sliders that a result follows at once: strength, brightness, noise removal."""

from __future__ import annotations

from typing import Any

import numpy as np
from magicgui.widgets import FloatSlider

from ...model.network.bundled import REMOVERS
from ...model.preprocessing.screen import MIDDLE
from ..shared.forms import enable
from ..shared.layers import channel_axis
from .blending import Blend

BRIGHTNESS_DIGITS = 4


class ToneControls:
    """Sliders of the cached result: none of them runs the network."""

    def __init__(self) -> None:
        self.strength = FloatSlider(
            label="strength",
            value=1.0,
            min=0,
            max=1,
            step=0.01,
            tooltip="0 leaves the image as it is, 1 is the full effect. "
            "The result follows at once, without a new run.",
        )
        self.brightness = FloatSlider(
            label="brightness",
            value=MIDDLE,
            min=0.05,
            max=0.7,
            step=0.01,
            tooltip="What a brightness of a quarter becomes, and all others with it; 0.25 leaves "
            "the result as the model made it. The result follows at once. For single images in "
            "memory.",
        )
        self.denoise = FloatSlider(
            label="denoise",
            value=1.0,
            min=0,
            max=1,
            step=0.01,
            tooltip="How much of the noise removal is kept; at 0 the result is a plain stretch. "
            "The result follows at once. For the models linear and science, and single images in "
            "memory.",
        )

    def all(self) -> tuple[FloatSlider, ...]:
        """From what is always in sight to what is folded."""
        return self.strength, self.brightness, self.denoise

    def blend(self) -> Blend:
        """What they say; None of what is left as it is, or cannot be moved."""
        return Blend(self.strength.value, _moved(self.brightness, MIDDLE), _moved(self.denoise, 1))

    def allow(self, layer: Any, model: str, *, together: bool) -> None:
        """Let be moved what the image and the model, which is settled, allow."""
        alone = isinstance(getattr(layer, "data", None), np.ndarray)
        alone = alone and not together and channel_axis(layer) is None
        enable(self.brightness, alone)
        enable(self.denoise, alone and model in REMOVERS)


def _moved(slider: FloatSlider, neutral: float) -> float | None:
    value = round(slider.value, BRIGHTNESS_DIGITS)  # a slider may miss its steps by a rounding
    return value if slider.enabled and value != neutral else None
