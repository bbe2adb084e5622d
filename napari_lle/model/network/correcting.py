"""The block for noisy linear data of one's own: ``R = B + H(B)``, B the screen stretch.

What division within octaves cannot do, an additive correction can: put the mean of many pixels in
the place of one. It may darken as well as lift, for noise does both. ``L = V / R`` as ever.
"""

from __future__ import annotations

from torch import Tensor
from torch.nn import functional as F

from .blocks import Block, screen_stretch
from .config import RESIDUAL_FLOOR
from .formulas import CENTRE, DARKEST

BEND = 256  # sharpness of the bend that keeps R above 0
CHROMA = 2  # the place of how coloured an image is among the statistics


class Correcting(Block):
    """``R = B + H(B)``; colour differences stay 0 in grey images."""

    def seen(self, v: Tensor, statistics: Tensor) -> Tensor:
        """B, centred."""
        return 2 * (screen_stretch(v.clamp_min(0), statistics) - CENTRE)

    def light(self, h: Tensor, v: Tensor, statistics: Tensor) -> Tensor:
        """``V / R``."""
        r = screen_stretch(v.clamp_min(0), statistics) + h
        grey = r.mean(dim=1, keepdim=True)
        r = grey + statistics[:, CHROMA, None, None, None] * (r - grey)
        # R > 0 without a hard clamp, which would kill the gradient where the image is darkest.
        r = F.softplus(r, beta=BEND) + RESIDUAL_FLOOR
        return v.clamp_min(DARKEST) / r
