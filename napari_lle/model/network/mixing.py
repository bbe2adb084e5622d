"""The block for noisy linear data: means of ever larger squares, mixed where structure is proven.

The image is halved `HALVINGS` times by means of 2 x 2 pixels, what is thin left to the finer
sizes. From the coarsest size up, the finer measurement is heard only where it differs from what is
known so far by more than noise can, see `evidence`, and where a coarser one was: there H weighs, at
each pixel, what is known, interpolated, against the pixel itself, or means of it and its
neighbours. The weights are >= 0 and sum to 1. So a flat image stays flat, and no pattern can come
from the weights alone.

Of what is not heard, a `SHARE` is added, smoothed by (1 2 1) both ways. Where nothing is proven R
is therefore a linear filter of the image, the same everywhere: noise stays normal, faint stars and
lines keep their rank above it, at a seventh of their contrast. R is the screen stretch of the
mixture. In a soft image, see `preprocessing.softness`, there are no stars to be lost: less of the
noise is left, and less is asked of a proof.

Where an image is cut off at black, the means of what is beside a body would shine into what no
pixel says anything of. R fades there with the distance to pixels above black, see `nearness`;
wherever these are dense it is untouched.

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
from . import extent
from .blocks import Block, screen_stretch
from .config import NetworkConfig
from .evidence import (
    NoiseTensors,
    calmed,
    deviations,
    moved,
    opening,
    pairs,
    standing_out,
    tamed,
    thinned,
)
from .formulas import (
    BESIDE,
    DARKEST,
    FAINTEST_SEEN,
    FIGURES,
    HALVINGS,
    KNEE,
    NEAR_REACH,
    NEARNESS,
    SHARE,
    SQUARE,
    WIDE_SHARE,
    by_softness,
    hearing_limits,
    mixing_figures,
    mixing_noise,
)
from .residual import ResidualEstimation, trim

Known = tuple[Tensor, Tensor, Tensor]  # the mixture, what it changed in deviations, where open


class ChoiceEstimation(ResidualEstimation):
    """H with a logit for each candidate, shifted by figures that its caller works out."""

    figures = FIGURES

    def shifting(self, statistics: Tensor) -> Tensor:
        """What it is given."""
        return statistics


class Mixing(Block):
    """``R = stretch(mixture)`` and ``L = V / R``, each channel by itself."""

    nearness: Tensor

    def __init__(self, config: NetworkConfig) -> None:
        nn.Module.__init__(self)
        self.residual = ChoiceEstimation(config)
        # A buffer lies on the network's device: a CUDA graph cannot record that it travels there.
        self.register_buffer("nearness", torch.tensor(NEARNESS), persistent=False)
        self._take(config)
        self.margins = extent.margins(self.residual.radius)

    def reads(self, first: int, last: int) -> tuple[int, int]:
        """Of the coarsest squares that a pixel may depend on, and one pixel more."""
        reach = self.radius - SQUARE
        return first // SQUARE * SQUARE - reach - 1, last // SQUARE * SQUARE + SQUARE + reach

    @property
    def feature_margin(self) -> int:
        """As the other blocks': H sees the image itself last."""
        return self.residual.radius - self.residual.features.radius

    def forward(self, padded: Tensor, statistics: Tensor) -> Tensor:
        n, channels = padded.shape[:2]
        each = padded.reshape(n * channels, 1, *padded.shape[2:])
        r = self.reflectance(each, statistics.repeat_interleave(channels, dim=0))
        r = r.reshape(n, channels, *r.shape[2:])
        return trim(padded, self.radius).clamp_min(DARKEST) / r.clamp_min(FAINTEST_SEEN)

    def reflectance(self, padded: Tensor, statistics: Tensor) -> Tensor:
        """R, (N, 1, H, W), from (N, 1, H + 2 radius, W + 2 radius)."""
        mixture, near = self.mixture(padded, statistics)
        return screen_stretch(mixture, statistics) * near

    def mixture(self, padded: Tensor, statistics: Tensor) -> tuple[Tensor, Tensor]:
        """What lies under the noise, lone bright pixels as they are; `nearness`, 1 at these."""
        noise = self.noise(statistics)
        each = statistics[:, :, None, None, None]
        share, wide = by_softness(each, SHARE), by_softness(each, WIDE_SHARE)
        tame, hot = tamed(padded, noise)
        means = [tame, F.avg_pool2d(thinned(tame, noise, 0), 2)]
        for level in range(1, HALVINGS):
            means[level] = thinned(means[level], noise, level)
            means.append(F.avg_pool2d(means[level], 2))
        means[-1] = thinned(means[-1], noise, HALVINGS)
        limits = hearing_limits(each)
        calm = calmed(means[-1], noise, HALVINGS, limits, wide)
        start, opened = (trim(x, 1 + BESIDE) for x in calm)
        before: Known = start, torch.zeros_like(start), opened
        for level in reversed(range(HALVINGS)):
            before = self._finer(level, means, before, noise, statistics)
        known = before[0]  # with a halo of 1
        unheard = trim(tame, self.radius - 1) - known
        smooth = F.avg_pool2d(F.avg_pool2d(unheard, 2, 1), 2, 1)
        mixed, hot = trim(known, 1) + share * smooth, trim(hot, self.radius)
        near = nearness(trim(tame, self.radius - NEAR_REACH), self.nearness).masked_fill(hot, 1)
        return torch.where(hot, trim(padded, self.radius), mixed), near

    def _finer(
        self,
        level: int,
        means: list[Tensor],
        before: Known,
        noise: NoiseTensors,
        statistics: Tensor,
    ) -> Known:
        """From one size to the next finer."""
        inner = self.residual.radius
        out, coarse = self.margins[level], self.margins[level + 1]
        margin = out + inner
        size = [-(-(n - 2 * self.radius) // 2**level) for n in means[0].shape[-2:]]
        begin = self.radius // 2**level - margin  # of the mean's pixels that are looked at
        rows, columns = (slice(begin, begin + n + 2 * margin) for n in size)
        fine = means[level][..., rows, columns]
        skip = 2 * coarse - margin
        both = F.interpolate(torch.cat(before, 1), scale_factor=2.0, mode="bilinear")
        both = both[..., skip : skip + fine.shape[-2], skip : skip + fine.shape[-1]]
        known, parent, opened = both.chunk(3, dim=1)
        unit = deviations(known, fine, noise, level)
        difference = (fine - known) / unit
        views = [flattened(difference), flattened(parent)]
        views.append(2 * screen_stretch(known, statistics) - 0.8)
        figures = self.figures(level, noise, statistics)
        weights = self.residual(torch.cat(views, dim=1), figures).softmax(dim=1)
        limits = hearing_limits(statistics[:, :, None, None, None])
        proven = opening(standing_out(trim(difference, inner - 2)), limits)
        known, opened = trim(known, inner), trim(opened, inner)
        heard = torch.maximum(opened, F.max_pool2d(proven, 3, 1))
        chosen = (weights * candidates(known, trim(fine, inner - 1))).sum(dim=1, keepdim=True)
        mixed = known + heard * (chosen - known)
        return mixed, (mixed - known) / trim(unit, inner), heard

    @staticmethod
    def noise(statistics: Tensor) -> NoiseTensors:
        """Shot, floor and grain of the images' noise."""
        shot, floor, grain = mixing_noise(statistics[:, :, None, None, None], torch)
        return shot, floor, grain

    @staticmethod
    def figures(level: int, noise: NoiseTensors, statistics: Tensor) -> Tensor:
        """What shifts H, (N, 3)."""
        shot, floor, grain = (each.flatten() for each in noise)
        typical = statistics[:, TYPICAL]
        found: Tensor = mixing_figures(level, (shot, floor, grain), typical, torch)
        return found


def candidates(known: Tensor, fine: Tensor) -> Tensor:
    """What is mixed, (N, 7, H, W), from `known`, (N, 1, H, W), and `fine` with a halo of 1."""
    middle, beside = moved(fine, 1, 0, 0), pairs(fine)
    lines = [(middle + pair) / 3 for pair in beside]
    square = (middle + sum(beside)) / 9
    return torch.cat([known, middle, *lines, square], dim=1)


def nearness(tame: Tensor, weights: Tensor) -> Tensor:
    """How near something is that is not black, 1 where it is; with a halo of `NEAR_REACH` less.

    `weights`, `NEARNESS`, tell how near a pixel is along a row or a column.
    """
    lit = (tame > 0).to(tame.dtype)
    rows = F.conv2d(lit, weights[None, None, None, :])
    return F.conv2d(rows, weights[None, None, :, None]).clamp_max(1)


def flattened(deviation: Tensor) -> Tensor:
    """Differences in deviations as H sees them: bounded, fine where they are small."""
    return deviation / (1 + (deviation / KNEE).square()).sqrt() / 2
