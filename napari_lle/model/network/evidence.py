"""What is more than noise: differences in units of the noise that is expected of means.

A sensor's faults, stars and lines are thin: brighter, or darker, than both of their sides. They
are kept out of coarser means, in which they would smear; what noise alone may be the reason of is
closed, so that nothing depends on it but linearly.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

from ..preprocessing.noise import left_in_means
from .formulas import CALM, EVIDENT, LONE, SIDES, THIN
from .residual import trim

DIRECTIONS = ((0, 1), (1, 0), (1, 1), (1, -1))

NoiseTensors = tuple[Tensor, Tensor, Tensor]  # shot, floor and grain, each (N, 1, 1, 1)
Limits = tuple[Tensor, Tensor]  # deviations up to which it is closed, and over which it opens


def deviations(known: Tensor, fine: Tensor, noise: NoiseTensors, level: int) -> Tensor:
    """Noise expected of means of 2^level x 2^level pixels that lie between two values."""
    shot, floor, grain = noise
    roots = [(shot * x.clamp_min(0) + floor).sqrt() for x in (known, fine)]
    both: Tensor = 0.5 * (roots[0] + roots[1]) * left_in_means(grain, level)
    return both


def moved(x: Tensor, halo: int, y: int, x_by: int) -> Tensor:
    """The inside of (N, 1, H + 2 halo, W + 2 halo), seen so many pixels away."""
    height, width = (n - 2 * halo for n in x.shape[-2:])
    return x[..., halo + y : halo + y + height, halo + x_by : halo + x_by + width]


def pairs(x: Tensor) -> list[Tensor]:
    """Sums of the two neighbours along each of `DIRECTIONS`, with a halo of 1 less."""
    return [moved(x, 1, *line) + moved(x, 1, -line[0], -line[1]) for line in DIRECTIONS]


def tamed(x: Tensor, noise: NoiseTensors) -> tuple[Tensor, Tensor]:
    """The image with lone pixels as their neighbours' mean, and which of these were bright.

    A pixel stands alone `LONE` deviations outside of its 8 neighbours' range.
    """
    around = F.pad(x, (1, 1, 1, 1), mode="replicate")
    places = [(i, j) for i in (-1, 0, 1) for j in (-1, 0, 1) if (i, j) != (0, 0)]
    neighbours = torch.cat([moved(around, 1, *place) for place in places], dim=1)
    low, high = neighbours.amin(1, keepdim=True), neighbours.amax(1, keepdim=True)
    mean = neighbours.mean(1, keepdim=True)
    below, above = (LONE * deviations(end, x, noise, 0) for end in (low, high))
    hot = x > high + above
    return torch.where(hot | (x < low - below), mean, x), hot


def thinned(x: Tensor, noise: NoiseTensors, level: int) -> Tensor:
    """The means without what is thin, in whose place the brighter, or darker, side stands."""
    around = F.pad(x, (2, 2, 2, 2), mode="replicate")
    ends = [(moved(around, 2, y, z), moved(around, 2, -y, -z)) for y, z in SIDES]
    high = torch.cat([torch.maximum(*both) for both in ends], 1).amin(1, keepdim=True)
    low = torch.cat([torch.minimum(*both) for both in ends], 1).amax(1, keepdim=True)
    above, below = (THIN * deviations(end, x, noise, level) for end in (high, low))
    return torch.where(x > high + above, high, torch.where(x < low - below, low, x))


def calmed(
    x: Tensor, noise: NoiseTensors, level: int, limits: Limits, wide: Tensor
) -> tuple[Tensor, Tensor]:
    """Means of the squares around where noise may be all, and where it is not.

    A share of the differences, `wide`, stays everywhere.

    The extremes, a side's length of squares at either end, are left out of the means, so that a
    bright object beside moves nothing. Both are smaller by `CALM` + `EVIDENT` on each side.
    """
    side = 2 * CALM + 1
    own = trim(x, CALM)
    around = F.unfold(x, side).sort(dim=1).values[:, side : side * (side - 1)]
    calm = around.mean(dim=1).reshape(own.shape)
    proven = opening(standing_out((own - calm) / deviations(calm, own, noise, level)), limits)
    heard = F.max_pool2d(proven, 3, 1)
    own, calm = trim(own, EVIDENT), trim(calm, EVIDENT)
    return calm + torch.maximum(heard, wide) * (own - calm), heard


def standing_out(deviation: Tensor) -> Tensor:
    """How far a pixel or the mean of its square of 3 x 3 stands out, with a halo of 1 less."""
    middle = moved(deviation, 1, 0, 0)
    return torch.maximum(middle.abs(), (middle + sum(pairs(deviation))).abs() / 3)


def opening(deviation: Tensor, limits: Limits) -> Tensor:
    """0 where noise may be all there is, 1 where it is not."""
    closed, opening_over = limits
    return ((deviation - closed) / opening_over).clamp(0, 1)
