"""The one block of inference, in the forms that it can take.

Each is called with an image padded by its halo, (N, 3, H + 2 radius, W + 2 radius) in 0..1, and
the whole images' statistics, (N, 7), and returns the illumination, (N, 3, H, W), > 0.

*Division* is the paper's: `L = V + u` with `u = H(V) > 0`, so that 0 <= R <= 1 and nothing can be
invented. *Metering* is the same in units of each image's mean. *Stretching* is for linear data:
division around the astronomers' automatic screen stretch, from which H departs locally within
bounds. *Cleaning* is for photographs: H corrects a stretched image, which removes noise and lifts
pixels that division leaves at 0; the illumination is then what it divided by, `L = S / R`.
"""

from __future__ import annotations

from math import expm1, log

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from .config import RESIDUAL_FLOOR, NetworkConfig

DARKEST = 2.0**-9  # half an 8-bit step: cleaning takes pixels below for this dark, not for 0
BLACK = 1e-3  # mean brightness below which cleaning fades out, so that black stays black
FAINT = 1e-4  # mean brightness that metering takes for the least there is
LEAST = 2.0**-6  # of u in units of the image's: the steepest curve that metering may take
MIDDLE = 0.25  # where the screen stretch puts the typical brightness
STRETCHED = (1e-3, 0.24)  # what is stretched; a brighter image is left nearly as it is
MODULATING = (1, 3, 4, 5)  # of the whole image's statistics: lit, contrast, chroma, noise
TYPICAL = 6  # the place of the typical brightness among them


def crop(x: Tensor, margin: int) -> Tensor:
    """Drop `margin` pixels on each side of (..., H, W)."""
    return x if margin == 0 else x[..., margin:-margin, margin:-margin]


def activation(config: NetworkConfig, channels: int) -> nn.Module:
    """What follows a convolution of so many feature maps."""
    return nn.PReLU(channels, 0.1) if config.activation == "prelu" else nn.ReLU()


class FeatureExtraction(nn.Module):
    """Parallel dilated branches spliced with their input (improved Inception v2, section 2.1)."""

    def __init__(self, config: NetworkConfig) -> None:
        super().__init__()
        self.dilations = config.dilations
        self.radius = max(config.dilations)
        self.channels = 3 + config.branch_width * len(config.dilations)
        self.branches = nn.ModuleList(
            nn.Conv2d(3, config.branch_width, 3, dilation=d) for d in config.dilations
        )
        self.activate = activation(config, self.channels - 3)

    def forward(self, v: Tensor) -> Tensor:
        maps = [
            branch(crop(v, self.radius - dilation))
            for dilation, branch in zip(self.dilations, self.branches, strict=True)
        ]
        return torch.cat([crop(v, self.radius), self.activate(torch.cat(maps, dim=1))], dim=1)


class ResidualEstimation(nn.Module):
    """H: feature extraction and three 3x3 convolutions, shifted by what the whole image is like."""

    def __init__(self, config: NetworkConfig) -> None:
        super().__init__()
        first, second = config.widths
        self.features = FeatureExtraction(config)
        self.conv1 = nn.Conv2d(self.features.channels, first, 3)
        self.conv2 = nn.Conv2d(first, second, 3)
        self.conv3 = nn.Conv2d(second, 3, 3)
        self.radius = self.features.radius + 3
        self.act1, self.act2 = (activation(config, width) for width in config.widths)
        self.shifts = nn.ModuleList(
            nn.Linear(len(MODULATING), width, bias=False)
            for width in config.widths[: config.modulated]
        )
        for shift in self.shifts:
            nn.init.zeros_(shift.weight)  # type: ignore[arg-type]

    def forward(self, padded: Tensor, statistics: Tensor) -> Tensor:
        h = self.conv1(self.features(padded))
        h = self.conv2(self.act1(h + self._shift(0, statistics)))
        return self.conv3(self.act2(h + self._shift(1, statistics)))

    def _shift(self, layer: int, statistics: Tensor) -> Tensor | float:
        if layer >= len(self.shifts):
            return 0.0
        # Not by an index, which would have to travel to the device: a CUDA graph cannot record it.
        figures = torch.stack([statistics[:, i] for i in MODULATING], dim=1)
        return self.shifts[layer](figures)[:, :, None, None]


class Division(nn.Module):
    """The paper's block: ``L = V + u``, ``u = H(V) > 0``."""

    def __init__(self, config: NetworkConfig) -> None:
        super().__init__()
        self.positivity = config.positivity
        self.residual = ResidualEstimation(config)
        # u starts constant: the network begins as the stretch that astronomers use.
        start = config.start - RESIDUAL_FLOOR
        last = self.residual.conv3
        nn.init.zeros_(last.weight)
        bias = log(expm1(start)) if self.positivity == "softplus" else log(start / (1 - start))
        nn.init.constant_(last.bias, bias)  # type: ignore[arg-type]

    def darkest(self, statistics: Tensor) -> Tensor:
        """Zero: every pixel is divided as it is."""
        return torch.zeros_like(statistics[:, 0])

    def forward(self, padded: Tensor, statistics: Tensor) -> Tensor:
        h = self.residual(padded, statistics)
        u = F.softplus(h) if self.positivity == "softplus" else torch.sigmoid(h)
        return crop(padded, self.residual.radius) + u + RESIDUAL_FLOOR


class Metering(nn.Module):
    """The paper's division in units of the image's mean: another exposure changes nothing.

    ``L = V + k mean u`` with ``u = H(V / (V + k mean)) > 0``. A normally lit image is divided by 1,
    that is, left alone.
    """

    def __init__(self, config: NetworkConfig) -> None:
        super().__init__()
        self.residual = ResidualEstimation(config)
        self.register_buffer("start", torch.tensor(config.start))
        nn.init.zeros_(self.residual.conv3.weight)
        nn.init.constant_(self.residual.conv3.bias, log(expm1(1 - LEAST)))  # type: ignore[arg-type]

    start: Tensor

    def darkest(self, statistics: Tensor) -> Tensor:
        """Zero: every pixel is divided as it is."""
        return torch.zeros_like(statistics[:, 0])

    def forward(self, padded: Tensor, statistics: Tensor) -> Tensor:
        mean, lit, colour = (statistics[:, i, None, None, None] for i in range(3))
        unit = self.start * (mean.square() + FAINT**2).sqrt()
        v = padded.clamp_min(0)  # an auxiliary block may have subtracted too much
        h = self.residual(2 * (v / (v + unit) - 0.4), statistics)
        grey = h.mean(dim=1, keepdim=True)
        u = F.softplus(grey + colour * (h - grey)) + LEAST
        v = crop(v, self.residual.radius)
        return (1 - lit) * (v + unit * u) + lit * v.clamp_min(1)


class Stretching(nn.Module):
    """The block for linear data: ``L = (V + u) / (1 + u)``, u within octaves of the image's own.

    With the same u everywhere, R is the midtones transfer function that brings the typical
    brightness to `MIDDLE`, much as astronomers' automatic screen stretch does.
    """

    def __init__(self, config: NetworkConfig) -> None:
        super().__init__()
        self.local = config.local
        self.residual = ResidualEstimation(config)
        nn.init.zeros_(self.residual.conv3.weight)
        nn.init.zeros_(self.residual.conv3.bias)  # type: ignore[arg-type]

    def darkest(self, statistics: Tensor) -> Tensor:
        """Zero: every pixel is divided as it is."""
        return torch.zeros_like(statistics[:, 0])

    def forward(self, padded: Tensor, statistics: Tensor) -> Tensor:
        typical = statistics[:, TYPICAL, None, None, None].clamp(*STRETCHED)
        m = typical * (1 - MIDDLE) / (typical + MIDDLE - 2 * typical * MIDDLE)
        u = m / (1 - 2 * m)
        if self.local:
            stretched = padded * (1 + u) / (padded.clamp_min(0) + u)
            h = self.residual(2 * (stretched - 0.4), statistics)
            u = u * torch.exp2(self.local * torch.tanh(h))
        return (crop(padded, self.residual.radius) + u) / (1 + u)


class Cleaning(nn.Module):
    """The block for photographs: ``R = B + H(B)``, B a stretch of V, and ``L = V / R``.

    ``B = V / (V + k mean)`` hardly depends on the exposure, so one scene looks alike at any; a
    normally lit image enters as it is. Grey images stay grey because colour differences are
    multiplied by a figure that is 0 for them, and a black one stays black for a like reason.
    """

    def __init__(self, config: NetworkConfig) -> None:
        super().__init__()
        self.residual = ResidualEstimation(config)
        self.stretch = nn.Parameter(torch.tensor(log(config.start)))
        nn.init.zeros_(self.residual.conv3.weight)
        nn.init.zeros_(self.residual.conv3.bias)  # type: ignore[arg-type]

    def darkest(self, statistics: Tensor) -> Tensor:
        """What pixels below it are taken for; 0 in a black image."""
        return DARKEST * self._presence(statistics[:, 0])

    def reflectance(self, padded: Tensor, statistics: Tensor) -> Tensor:
        """R before it is made positive; the shape of `padded` less the halo."""
        mean, lit, colour = (statistics[:, i, None, None, None] for i in range(3))
        padded = padded.clamp_min(0)  # an auxiliary block may have subtracted too much
        stretched = padded / (padded + self.stretch.exp() * (mean.square() + BLACK**2).sqrt())
        base = lit * padded + (1 - lit) * stretched
        h = self.residual(2 * (base - 0.4), statistics)
        r = crop(base, self.residual.radius) + h
        grey = r.mean(dim=1, keepdim=True)
        return (grey + colour * (r - grey)) * self._presence(mean)

    @staticmethod
    def _presence(mean: Tensor) -> Tensor:
        """0 for a black image, 1 as soon as there is something to see."""
        return mean.square() / (mean.square() + BLACK**2)

    def forward(self, padded: Tensor, statistics: Tensor) -> Tensor:
        # R > 0 without a hard clamp, which would kill the gradient where the image is darkest.
        r = F.softplus(self.reflectance(padded, statistics), beta=512) + RESIDUAL_FLOOR
        darkest = self.darkest(statistics)[:, None, None, None]
        v = torch.maximum(crop(padded, self.residual.radius), darkest)
        return (v.clamp_min(RESIDUAL_FLOOR) / r).clamp_max(1)  # nothing is darkened


BLOCKS: dict[str, type[Division | Metering | Stretching | Cleaning]] = {
    "division": Division,
    "metering": Metering,
    "stretching": Stretching,
    "cleaning": Cleaning,
}
