"""The one block of inference, in the forms that it can take.

Each is called with an image padded by its halo, (N, 3, H + 2 radius, W + 2 radius) in 0..1, and
the whole images' statistics, (N, 12), and returns the illumination, (N, 3, H, W), > 0.

*Division* is the paper's: `L = V + u` with `u = H(V) > 0`, so that 0 <= R <= 1 and nothing can be
invented. *Metering* is the same in units of each image's mean. *Stretching* is for linear data:
division around the astronomers' automatic screen stretch, from which H departs locally within
bounds. *Cleaning* is for photographs: H corrects a stretched image, which removes noise and lifts
pixels that division leaves at 0; the illumination is then what it divided by, `L = S / R`.
*Guiding* does so at a reduced size, see `guiding`.
*Correcting* does the same over the screen stretch, see `correcting`.
"""

from __future__ import annotations

from math import expm1, log

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ..preprocessing.screen import STRETCHED, TYPICAL, midtones, transfer
from ..preprocessing.statistics import ADAPTED, HAS_COLOUR, LIT, SEEN_NOISE
from . import extent, formulas
from .config import RESIDUAL_FLOOR, NetworkConfig
from .formulas import CENTRE, FADES_BELOW, FAINTEST_MEAN, LEAST, SHARPNESS
from .residual import ResidualEstimation, trim


class Block(nn.Module):
    """What all forms share: H, at full or reduced size, between two kinds of pointwise arithmetic.

    At a reduced size H sees the means of squares of pixels, and its answer is interpolated: only
    that answer becomes smooth, edges and noise pass through the pointwise arithmetic as ever.

    Attributes
    ----------
    kind : str
        Its name in a configuration.
    scale : int
        Pixels along a side of the squares that H sees: 1, 2 or 4.
    radius : int
        Halo in pixels.
    grid : int
        Tiles begin at multiples of so many pixels.
    """

    def __init__(self, config: NetworkConfig) -> None:
        super().__init__()
        self.residual = ResidualEstimation(config)
        self._take(config)
        nn.init.zeros_(self.residual.conv3.weight)
        nn.init.zeros_(self.residual.conv3.bias)  # type: ignore[arg-type]

    def _take(self, config: NetworkConfig) -> None:
        """What the configuration says."""
        self.kind, self.scale = config.reflectance, config.illumination_scale
        self.radius, self.grid = extent.radius(config), extent.grid(config)

    @property
    def feature_margin(self) -> int:
        """Pixels that the feature maps of the finest size reach beyond the result."""
        return self.radius - self.scale * self.residual.features.radius

    def reads(self, first: int, last: int) -> tuple[int, int]:
        """The first and last row of V that the rows of L from `first` to `last` depend on.

        The same holds for columns. Counted from the edge of a square; at a reduced size the halo,
        which is the same for all pixels of a square, is wider.
        """
        scale, radius = self.scale, self.residual.radius
        half = scale // 2  # interpolation looks at the square before, or the one after
        below, above = (first - half) // scale, (last + half) // scale
        return scale * (below - radius), scale * (above + radius + 1) - 1

    def darkest(self, statistics: Tensor) -> Tensor:
        """What darker pixels are taken for, (N,): 0 where every pixel is divided as it is."""
        found: Tensor = formulas.darkest(self.kind, statistics[:, 0])
        return found

    def seen(self, v: Tensor, statistics: Tensor) -> Tensor:
        """What H sees of the image."""
        return v

    def light(self, h: Tensor, v: Tensor, statistics: Tensor) -> Tensor:
        """L from H's answer and the image, all of one shape."""
        raise NotImplementedError

    def forward(self, padded: Tensor, statistics: Tensor) -> Tensor:
        h = self.correction(padded, statistics)
        return self.light(h, trim(padded, self.radius), statistics)

    def correction(self, padded: Tensor, statistics: Tensor) -> Tensor:
        """H of a padded image, at full size."""
        if self.scale == 1:
            return self.residual(self.seen(padded, statistics), statistics)
        h = self.residual(self.seen(shrink(padded, self.scale), statistics), statistics)
        return self._grown(h, padded)

    def _grown(self, h: Tensor, padded: Tensor) -> Tensor:
        """What was found of squares, for each pixel."""
        height, width = (n - 2 * self.radius for n in padded.shape[-2:])
        first = 2 * self.scale  # two squares of H lie before the first pixel
        return grow(h, self.scale)[..., first : first + height, first : first + width]


def shrink(x: Tensor, scale: int) -> Tensor:
    """Means of squares of (N, C, H, W), from the first pixel on."""
    return F.avg_pool2d(x, scale)


def grow(x: Tensor, scale: int) -> Tensor:
    """Interpolate (N, C, h, w) linearly between the centres of squares."""
    return F.interpolate(x, scale_factor=scale, mode="bilinear", align_corners=False)


class Division(Block):
    """The paper's block: ``L = V + u``, ``u = H(V) > 0``."""

    def __init__(self, config: NetworkConfig) -> None:
        super().__init__(config)
        self.positivity = config.positivity
        # u starts constant: the network begins as the stretch that astronomers use.
        start = config.start - RESIDUAL_FLOOR
        bias = log(expm1(start)) if self.positivity == "softplus" else log(start / (1 - start))
        nn.init.constant_(self.residual.conv3.bias, bias)  # type: ignore[arg-type]

    def light(self, h: Tensor, v: Tensor, statistics: Tensor) -> Tensor:
        """``V + u``."""
        return (
            v + (F.softplus(h) if self.positivity == "softplus" else h.sigmoid()) + RESIDUAL_FLOOR
        )


class Metering(Block):
    """The paper's division in units of the image's mean: another exposure changes nothing.

    ``L = V + k mean u`` with ``u = H(V / (V + k mean)) > 0``. A normally lit image is divided by 1,
    that is, left alone.
    """

    def __init__(self, config: NetworkConfig) -> None:
        super().__init__(config)
        self.register_buffer("start", torch.tensor(config.start))
        nn.init.constant_(self.residual.conv3.bias, log(expm1(1 - LEAST)))  # type: ignore[arg-type]

    start: Tensor

    def seen(self, v: Tensor, statistics: Tensor) -> Tensor:
        """``V / (V + k mean)``, centred."""
        v = v.clamp_min(0)  # an auxiliary block may have subtracted too much
        return 2 * (v / (v + self._unit(statistics)) - CENTRE)

    def light(self, h: Tensor, v: Tensor, statistics: Tensor) -> Tensor:
        """``V + k mean u``, and 1 for what is lit."""
        lit, colour = (statistics[:, i, None, None, None] for i in (1, 2))
        grey = h.mean(dim=1, keepdim=True)
        u = F.softplus(grey + colour * (h - grey)) + LEAST
        v = v.clamp_min(0)
        # R, not L, is mixed: highlights keep their contrast where shadows beside them are lifted.
        return 1 / ((1 - lit) / (v + self._unit(statistics) * u) + lit / v.clamp_min(1))

    def _unit(self, statistics: Tensor) -> Tensor:
        return (
            self.start
            * (statistics[:, ADAPTED, None, None, None].square() + FAINTEST_MEAN**2).sqrt()
        )


def _stretch(statistics: Tensor) -> Tensor:
    """U of the screen stretch, (N, 1, 1, 1)."""
    return midtones(statistics[:, TYPICAL, None, None, None].clamp(*STRETCHED))


def screen_stretch(v: Tensor, statistics: Tensor) -> Tensor:
    """V under the screen stretch of the whole image; a straight line below 0."""
    return transfer(v, v.clamp_min(0), _stretch(statistics))


class Stretching(Block):
    """The block for linear data: ``L = (V + u) / (1 + u)``, u within octaves of the image's own.

    With the same u everywhere, R is the midtones transfer function that brings the typical
    brightness to `screen.MIDDLE`, much as astronomers' automatic screen stretch does.
    """

    def __init__(self, config: NetworkConfig) -> None:
        super().__init__(config)
        self.local = config.local

    def seen(self, v: Tensor, statistics: Tensor) -> Tensor:
        """The screen stretch, centred."""
        return 2 * (screen_stretch(v, statistics) - CENTRE)

    def light(self, h: Tensor, v: Tensor, statistics: Tensor) -> Tensor:
        """``(V + u) / (1 + u)``."""
        u = _stretch(statistics)
        if self.local:
            u = u * torch.exp2(self.local * torch.tanh(h))
        return (v + u) / (1 + u)

    def correction(self, padded: Tensor, statistics: Tensor) -> Tensor:
        """H, which the plain stretch does without."""
        if not self.local:
            return trim(torch.zeros_like(padded), self.radius)
        return super().correction(padded, statistics)

    def reads(self, first: int, last: int) -> tuple[int, int]:
        """Nothing around a pixel where the plain stretch does without H."""
        return super().reads(first, last) if self.local else (first, last)


class Cleaning(Block):
    """The block for photographs: ``R = B + H(B)``, B a stretch of V, and ``L = V / R``.

    ``B = V / (V + k mean)`` hardly depends on the exposure, so one scene looks the same at any; a
    normally lit image enters as it is. Grey images stay grey because colour differences are
    multiplied by a figure that is 0 for them, and a black one stays black for a like reason.
    """

    def __init__(self, config: NetworkConfig) -> None:
        super().__init__(config)
        self.stretch = nn.Parameter(torch.tensor(log(config.start)))
        self.vivid = config.vivid

    def seen(self, v: Tensor, statistics: Tensor) -> Tensor:
        """B, centred."""
        return 2 * (self._base(v, statistics) - CENTRE)

    def light(self, h: Tensor, v: Tensor, statistics: Tensor) -> Tensor:
        """``V / R``."""
        mean, lit, colour, noise = (
            statistics[:, i, None, None, None] for i in (0, LIT, HAS_COLOUR, SEEN_NOISE)
        )
        colour = colour * formulas.vividness(lit, noise, self.vivid)
        r = self._corrected(h, self._base(v, statistics))
        grey = r.mean(dim=1, keepdim=True)
        r = (grey + colour * (r - grey)) * formulas.presence(mean)
        # R > 0 without a hard clamp, which would kill the gradient where the image is darkest.
        r = F.softplus(r, beta=SHARPNESS) + RESIDUAL_FLOOR
        v = torch.maximum(v, self.darkest(statistics)[:, None, None, None])
        return (v.clamp_min(RESIDUAL_FLOOR) / r).clamp_max(1)  # nothing is darkened

    def _corrected(self, h: Tensor, base: Tensor) -> Tensor:
        """``B + H``."""
        return base + h

    def _base(self, v: Tensor, statistics: Tensor) -> Tensor:
        lit, adapted = (statistics[:, i, None, None, None] for i in (LIT, ADAPTED))
        v = v.clamp_min(0)  # an auxiliary block may have subtracted too much
        stretched = v / (v + self.stretch.exp() * (adapted.square() + FADES_BELOW**2).sqrt())
        return lit * v + (1 - lit) * stretched
