"""The block for photographs at a reduced size: the image guides what H says of squares of pixels.

An interpolated correction can make nothing sharp that is not, and remove no noise of single pixels.
Here H says, beside the correction, how much of the finest detail is to stay: with b the stretch of
a square's mean and G in 0..1,

    C = H(b) + (1 - G) b,    R = G B + C,

G and C interpolated. Where G is 0, R is smooth, noise is gone; where it is 1, edges pass as they
are. R is a straight line of the image in each square, as in the guided filter (He, Sun and Tang,
2013, IEEE PAMI 35, 1397) and bilateral guided upsampling (Chen et al., 2016, ACM TOG 35, 203). At
full size b is B, so that G does not matter: the form is `blocks.Cleaning`.
"""

from __future__ import annotations

import torch
from torch import Tensor

from .blocks import Cleaning, shrink
from .config import NetworkConfig
from .extent import COLOURS
from .residual import trim

DETAIL = 1.0  # of the untrained network, before the sigmoid: most of it stays


class Guiding(Cleaning):
    """``R = G B + C``, B a stretch of V, and ``L = V / R``."""

    def __init__(self, config: NetworkConfig) -> None:
        super().__init__(config)
        bias = self.residual.conv3.bias
        assert bias is not None
        torch.nn.init.constant_(bias[COLOURS:], DETAIL)

    def correction(self, padded: Tensor, statistics: Tensor) -> Tensor:
        """C and G of a padded image, (N, 4, H, W), at full size."""
        small = shrink(padded, self.scale) if self.scale > 1 else padded
        h = self.residual(self.seen(small, statistics), statistics)
        base = trim(self._base(small, statistics), self.residual.radius)
        gate = h[:, COLOURS:].sigmoid()
        guided = torch.cat([h[:, :COLOURS] + (1 - gate) * base, gate], dim=1)
        return guided if self.scale == 1 else self._grown(guided, padded)

    def _corrected(self, h: Tensor, base: Tensor) -> Tensor:
        """``G B + C``."""
        return h[:, COLOURS:] * base + h[:, :COLOURS]
