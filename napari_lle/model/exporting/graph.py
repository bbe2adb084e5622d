"""The block as other programs run it: of any size, with all that follows from the levels inside.

Everything that depends on the extent of an image is an operator here, for a graph is recorded once
and runs on images of every size.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn

from ..network.network import Network
from ..preprocessing.sampling import SAMPLE
from ..preprocessing.statistics import (
    CUT_OFF,
    EMPTY_SHADOWS,
    GREY_CHROMA,
    HIGHLIGHT,
    LEAST_ADAPTED,
    LIFT,
    LIT_HIGHLIGHT,
    LIT_MEAN,
    LIT_SHADOWS,
    SHADOWS,
    SPARED,
    SPARSE,
    TOGETHER,
    Statistics,
)

MEASURED_NOISE = 4  # last of the statistics, which have to be measured: shot to soft


class HostBlock(nn.Module):
    """R and L of normalised images, which may hold values outside of 0..1 and NaN.

    Parameters
    ----------
    network : Network
    colours : {1, 3}
        3 for an illumination of each colour; 1 for grey images, or the maximum of colours, which
        the network sees three times.
    """

    def __init__(self, network: Network, colours: int) -> None:
        super().__init__()
        self.network = network
        self.colours = colours

    def forward(
        self, image: Tensor, statistics: Tensor, noise: Tensor | None = None
    ) -> tuple[Tensor, Tensor]:
        """(N, colours, H, W) and (N, 12) to R and L of the image's shape, whose product it is.

        The noise, (N, 4), takes the place of that among the statistics.
        """
        if noise is not None:
            statistics = torch.cat([statistics[:, :-MEASURED_NOISE], noise], dim=1)
        seen = within(image)
        if self.colours == 1 and not self.network.config.by_channel:
            seen = seen.repeat(1, 3, 1, 1)
        light = self.network.block(reflected_edges(seen, self.network.radius), statistics)
        if self.colours == 1:
            light = light.mean(dim=1, keepdim=True)
        darkest = self.network.block.darkest(statistics)[:, None, None, None]
        r = torch.where(image < darkest, darkest, image) / light
        exact = image / r
        # Where R is 0, or something is not finite, the quotient says nothing: L is the network's.
        return r, torch.where(exact.abs() < float("inf"), exact, light)


class Figures(nn.Module):
    """`statistics.image_statistics` of normalised images, without the noise."""

    def forward(self, image: Tensor) -> Tensor:
        """(N, 1 or 3, H, W) to (N, 12)."""
        x = corners(within(image))
        mean = average(x)
        relative = 1 / (mean + 1e-6)
        chroma = apart(x) * relative
        (highlight,) = quantiles(x.amax(dim=1), [HIGHLIGHT])
        *dark, median = quantiles(x.sum(dim=1) / x.shape[1], [*SHADOWS, 50])
        shadows = torch.stack(dark).mean(dim=0)
        highlights = rise(highlight, *LIT_HIGHLIGHT)
        bright = rise(mean, *LIT_MEAN) * rise(shadows, *LIT_SHADOWS)
        a, b, c, d = x.unbind(dim=2)
        diagonal = average((a - b - c + d).abs()) / 2
        found = {
            "mean": mean,
            "lit": highlights * (SPARED + (1 - SPARED) * bright),
            "adapted": torch.lerp(mean, torch.minimum(adapted_to(shadows), mean), highlights),
            "colour": torch.where(chroma > 1e-6, (chroma / GREY_CHROMA).clamp_max(1), 0.0),
            "contrast": 0.5 * (average(x.square()) * relative**2 + 1e-6).log() - 0.5,
            "chroma": 3 * (chroma - 0.4),
            "noise": (diagonal * relative + 0.01).log() + 2.2,
            "typical": typical(mean, median, x.mean(dim=1)),
        }
        unknown = {name: 0 * mean + value for name, value in Statistics._field_defaults.items()}
        return torch.stack([{**unknown, **found}[name] for name in Statistics._fields], dim=1)


def typical(mean: Tensor, median: Tensor, greys: Tensor) -> Tensor:
    """What is typical of each image, of one that is cut off at black by its squares above that.

    Of greys of squares, (N, 4, h, w).
    """
    every = (torch.maximum(median, mean / SPARSE) * mean).sqrt()
    ordered = greys.mean(dim=1).flatten(1).sort(dim=1).values
    count, black = traced_length(ordered, 1), (ordered <= 0).sum(dim=1)
    twice = (black + count - 1)[:, None]  # the place of the median of the others
    last = count - 1
    a, b = (ordered.gather(1, torch.minimum(at, last))[:, 0] for at in (twice // 2, -(-twice // 2)))
    share, above = black / count, (count - black) / count
    there = ((a + b) / 2 * mean / above.clamp_min(1e-9)).sqrt()
    pixels = (greys <= 0).flatten(1).float().mean(dim=1)
    chance = pixels**4
    together = (share - chance) / (pixels - chance).clamp_min(1e-9)
    cut = ramp(share, *CUT_OFF) * ramp(together, *TOGETHER)
    cut = torch.where(b > 0, cut, 0.0)
    return torch.where(cut > 0, every ** (1 - cut) * there**cut, every)


def adapted_to(shadows: Tensor) -> Tensor:
    """What `statistics.described` makes a curve for, beside highlights."""
    empty, full = LEAST_ADAPTED
    least = empty + (full - empty) * rise(shadows, *EMPTY_SHADOWS)
    return torch.maximum(LIFT * shadows, least)


def within(image: Tensor) -> Tensor:
    """0..1, NaN and negatives as 0, see `levels.network_input`."""
    return torch.where(image > 0, image, 0.0).clamp_max(1)


def traced_length(x: Tensor, axis: int) -> Any:
    """How long an axis is, as a Tensor, which a graph works out anew for each image."""
    return torch._shape_as_tensor(x)[axis]


def reflected_edges(x: Tensor, radius: int) -> Tensor:
    """`network.pad`, for images of any size."""
    for axis in (-2, -1):
        length = traced_length(x, axis)
        period = 2 * (length - 1)
        place = torch.arange(-radius, length + radius).abs() % period.clamp_min(1)
        x = x.index_select(axis, torch.minimum(place, (period - place).abs()))
    return x


def corners(x: Tensor) -> Tensor:
    """The pixels of 2 x 2 squares, corner by corner, (N, C, 4, h, w), as `sampling.sample`'s."""
    height, width = traced_length(x, -2), traced_length(x, -1)
    step = 2 * ((height * width).double() / SAMPLE).sqrt().ceil().long().clamp_min(1)
    places = []
    for length in (height, width):
        overlapping = (step == 2).long() * (length % 2)
        count = (length - 2 + step) // step + overlapping
        first = torch.minimum(step * torch.arange(count.clamp_min(1)), (length - 2).clamp_min(0))
        places.append((first, torch.minimum(first + 1, length - 1)))
    rows, columns = places
    found = [x.index_select(-2, i).index_select(-1, j) for i in rows for j in columns]
    return torch.stack(found, dim=2)


def average(x: Tensor) -> Tensor:
    """The mean of each image, line by line: in float32 a sum over all would lose digits."""
    return x.mean(dim=-1).mean(dim=-1).flatten(1).mean(dim=1)


def apart(x: Tensor) -> Tensor:
    """Mean deviation from grey of (N, C, ...); exactly 0 where the colours are equal."""
    if x.shape[1] == 1:
        return 0 * average(x)
    a, b, c = x.unbind(dim=1)
    away = [(a - b) + (a - c), (b - a) + (b - c), (c - a) + (c - b)]
    return average(torch.stack(away, dim=1).abs()) / 3


def quantiles(x: Tensor, percents: Sequence[float]) -> list[Tensor]:
    """Percentiles of each image of (N, ...), linear between neighbours."""
    ordered = x.flatten(1).sort(dim=1).values
    last = traced_length(ordered, 1) - 1
    found = []
    for percent in percents:
        wanted = last.double() * (percent / 100)
        below = wanted.floor().long()
        above = torch.minimum(below + 1, last)
        a, b = (ordered.index_select(1, place.reshape(1))[:, 0] for place in (below, above))
        found.append(torch.lerp(a, b, (wanted - below).float()))
    return found


def ramp(value: Tensor, start: float, end: float) -> Tensor:
    """A straight line from 0 at `start` to 1 at `end`."""
    return ((value - start) / (end - start)).clamp(0, 1)


def rise(value: Tensor, start: float, end: float) -> Tensor:
    """Smooth step from 0 at `start` to 1 at `end`."""
    t = ramp(value, start, end)
    return t * t * (3 - 2 * t)
