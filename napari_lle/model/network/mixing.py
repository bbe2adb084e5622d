"""The block for noisy linear data: means of ever larger squares, mixed as the noise allows.

The image is halved `HALVINGS` times by means of 2 x 2 pixels. From the coarsest size up, H weighs
at each pixel what is known so far, interpolated, against the finer measurement: the pixel itself,
or a mean of it and its neighbours along a line. The weights are >= 0 and sum to 1. So nothing is
brighter or darker than all that was measured around it, a flat image stays flat, and no pattern
can come from the weights alone. R is the screen stretch of the mixture.

H sees differences in units of the noise that is expected of them, which makes all sizes and all
light levels look alike: the same weights serve at every size. A pixel that stands alone far
outside of its neighbours' range, hot or dead, is kept out of the means; a hot one stays as bright
as it is, by itself.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ..preprocessing.screen import TYPICAL
from .blocks import DARKEST, Block, screen_stretch
from .config import RESIDUAL_FLOOR, NetworkConfig
from .residual import ResidualEstimation, trim

HALVINGS = 4
SQUARE = 2**HALVINGS  # pixels along a side of the coarsest mean
CANDIDATES = 7  # what is known so far; the pixel; means along 4 directions and of 3 x 3 pixels
FIGURES = 3  # that shift H: the size, the grain, how visible the noise is
SHOT, FLOOR, GRAIN = 7, 8, 9  # places among the statistics
LONE = 4.0  # deviations outside of its neighbours' range from which a pixel stands alone
KNEE = 6.0  # deviations at which H's view of a difference begins to flatten
LEAST_NOISE = 1e-7  # deviation, of the range of levels: an image without noise has some

NoiseTensors = tuple[Tensor, Tensor, Tensor]  # shot, floor and grain, each (N, 1, 1, 1)


class ChoiceEstimation(ResidualEstimation):
    """H with a logit for each candidate, shifted by figures that its caller works out."""

    figures = FIGURES
    outputs = CANDIDATES

    def shifting(self, statistics: Tensor) -> Tensor:
        """What it is given."""
        return statistics


class Mixing(Block):
    """``R = stretch(mixture)`` and ``L = V / R``, each channel by itself."""

    def __init__(self, config: NetworkConfig) -> None:
        nn.Module.__init__(self)
        self.residual = ChoiceEstimation(config)
        self.scale = 1
        self.margins = margins(self.residual.radius)

    @property
    def grid(self) -> int:
        """The coarsest square."""
        return SQUARE

    @property
    def radius(self) -> int:
        """Halo in pixels, of whole squares: a tile ends where it likes."""
        return SQUARE * (self.margins[-1] + 1)

    def reads(self, first: int, last: int) -> tuple[int, int]:
        """Of the coarsest squares that a pixel may depend on, and one pixel more."""
        reach = SQUARE * self.margins[-1]
        return first // SQUARE * SQUARE - reach - 1, last // SQUARE * SQUARE + SQUARE + reach

    @property
    def feature_margin(self) -> int:
        """As the other blocks': H sees the image itself last."""
        return self.residual.radius - self.residual.features.radius

    def darkest(self, statistics: Tensor) -> Tensor:
        """Pixels below are taken for this dark, so that division can lift them."""
        return torch.full_like(statistics[:, 0], DARKEST)

    def forward(self, padded: Tensor, statistics: Tensor) -> Tensor:
        n, channels = padded.shape[:2]
        each = padded.reshape(n * channels, 1, *padded.shape[2:])
        r = self.reflectance(each, statistics.repeat_interleave(channels, dim=0))
        r = r.reshape(n, channels, *r.shape[2:])
        return trim(padded, self.radius).clamp_min(DARKEST) / r.clamp_min(RESIDUAL_FLOOR)

    def reflectance(self, padded: Tensor, statistics: Tensor) -> Tensor:
        """The stretched mixture, (N, 1, H, W), from (N, 1, H + 2 radius, W + 2 radius)."""
        return screen_stretch(self.mixture(padded, statistics), statistics)

    def mixture(self, padded: Tensor, statistics: Tensor) -> Tensor:
        """What lies under the noise, and lone bright pixels as they are."""
        shot, floor, grain = (statistics[:, i, None, None, None] for i in (SHOT, FLOOR, GRAIN))
        noise = shot, floor.clamp_min(LEAST_NOISE**2), grain
        tame, hot = tamed(padded, noise)
        means = [tame]
        for _ in range(HALVINGS):
            means.append(F.avg_pool2d(means[-1], 2))
        known, detail = means[-1][..., 1:, 1:], torch.zeros_like(means[-1][..., 1:, 1:])
        for level in reversed(range(HALVINGS)):
            size = [-(-(n - 2 * self.radius) // 2**level) for n in padded.shape[-2:]]
            known, detail = self._finer(level, means, (known, detail), size, noise, statistics)
        height, width = known.shape[-2:]
        own = slice(self.radius, self.radius + height), slice(self.radius, self.radius + width)
        return torch.where(hot[..., own[0], own[1]], padded[..., own[0], own[1]], known)

    def _finer(
        self,
        level: int,
        means: list[Tensor],
        before: tuple[Tensor, Tensor],
        size: list[int],
        noise: NoiseTensors,
        statistics: Tensor,
    ) -> tuple[Tensor, Tensor]:
        """From one size to the next finer: the mixture, and what it changed, in deviations."""
        out, coarse = self.margins[level], self.margins[level + 1]
        margin = out + self.residual.radius
        begin = self.radius // 2**level - margin  # of the mean's pixels that are looked at
        rows, columns = (slice(begin, begin + n + 2 * margin) for n in size)
        fine = means[level][..., rows, columns]
        skip = 2 * coarse - margin
        both = F.interpolate(torch.cat(before, 1), scale_factor=2.0, mode="bilinear")
        both = both[..., skip : skip + fine.shape[-2], skip : skip + fine.shape[-1]]
        known, parent = both[:, :1], both[:, 1:]
        unit = deviations(known, fine, noise, level)
        views = torch.cat(
            [
                flattened((fine - known) / unit),
                flattened(parent),
                2 * screen_stretch(known, statistics) - 0.8,
            ],
            dim=1,
        )
        weights = self.residual(views, self._figures(level, noise, statistics)).softmax(dim=1)
        inner = self.residual.radius
        chosen = candidates(trim(known, inner), trim(fine, inner - 1))
        mixed = (weights * chosen).sum(dim=1, keepdim=True)
        return mixed, (mixed - trim(known, inner)) / trim(unit, inner)

    @staticmethod
    def _figures(level: int, noise: NoiseTensors, statistics: Tensor) -> Tensor:
        """What shifts H, (N, 3)."""
        typical = statistics[:, TYPICAL].clamp_min(1e-6)
        shot, floor, grain = (each.flatten() for each in noise)
        visible = torch.log((shot * typical + floor).sqrt() / typical + 1e-3)
        size = torch.full_like(visible, level / HALVINGS - 0.5)
        return torch.stack([size, torch.log(grain), 0.3 * (visible + 1)], dim=1)


def margins(radius: int) -> list[int]:
    """Pixels around the result that each size must know, finest first, for H of a radius."""
    found = [0]
    for _ in range(HALVINGS):
        found.append(-(-(found[-1] + radius) // 2) + 1)  # interpolation looks one further
    return found


def candidates(known: Tensor, fine: Tensor) -> Tensor:
    """What is mixed, (N, 7, H, W), from `known`, (N, 1, H, W), and `fine` with a halo of 1."""
    height, width = known.shape[-2:]

    def moved(y: int, x: int) -> Tensor:
        return fine[..., 1 + y : 1 + y + height, 1 + x : 1 + x + width]

    middle = moved(0, 0)
    pairs = [moved(y, x) + moved(-y, -x) for y, x in ((0, 1), (1, 0), (1, 1), (1, -1))]
    lines = [(middle + pair) / 3 for pair in pairs]
    square = (middle + pairs[0] + pairs[1] + pairs[2] + pairs[3]) / 9
    return torch.cat([known, middle, *lines, square], dim=1)


def deviations(known: Tensor, fine: Tensor, noise: NoiseTensors, level: int) -> Tensor:
    """Noise expected of means of 2^level x 2^level pixels that lie between two values."""
    shot, floor, grain = noise
    # Noise that neighbours share is averaged away more slowly.
    shared = grain ** (2 - 2.0 ** (1 - level)) if level else 1.0
    roots = [(shot * x.clamp_min(0) + floor).sqrt() for x in (known, fine)]
    return 0.5 * (roots[0] + roots[1]) * shared / 2**level


def flattened(deviation: Tensor) -> Tensor:
    """Differences in deviations as H sees them: bounded, fine where they are small."""
    return deviation / (1 + (deviation / KNEE).square()).sqrt() / 2


def tamed(x: Tensor, noise: NoiseTensors) -> tuple[Tensor, Tensor]:
    """The image with lone pixels as their neighbours' mean, and which of these were bright.

    A pixel stands alone `LONE` deviations outside of its 8 neighbours' range.
    """
    around = F.pad(x, (1, 1, 1, 1), mode="replicate")
    height, width = x.shape[-2:]
    places = [(i, j) for i in range(3) for j in range(3) if (i, j) != (1, 1)]
    neighbours = torch.cat([around[..., i : i + height, j : j + width] for i, j in places], dim=1)
    low, high = neighbours.amin(1, keepdim=True), neighbours.amax(1, keepdim=True)
    mean = neighbours.mean(1, keepdim=True)
    shot, floor, _ = noise
    below, above = (LONE * (shot * end.clamp_min(0) + floor).sqrt() for end in (low, high))
    hot = x > high + above
    return torch.where(hot | (x < low - below), mean, x), hot
