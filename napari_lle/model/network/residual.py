"""H, what the network learns: parallel dilated branches and three plain convolutions."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from . import extent
from .config import NetworkConfig
from .formulas import MODULATING


def trim(x: Tensor, margin: int) -> Tensor:
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
            branch(trim(v, self.radius - dilation))
            for dilation, branch in zip(self.dilations, self.branches, strict=True)
        ]
        return torch.cat([trim(v, self.radius), self.activate(torch.cat(maps, dim=1))], dim=1)


class ResidualEstimation(nn.Module):
    """H: feature extraction and three 3x3 convolutions, shifted by what the whole image is like."""

    figures = len(MODULATING)

    def __init__(self, config: NetworkConfig) -> None:
        super().__init__()
        first, second = config.widths
        self.features = FeatureExtraction(config)
        self.conv1 = nn.Conv2d(self.features.channels, first, 3)
        self.conv2 = nn.Conv2d(first, second, 3)
        outputs = extent.OUTPUTS.get(config.reflectance, extent.COLOURS)
        self.conv3 = nn.Conv2d(second, outputs, 3)
        self.radius = extent.inner_radius(config)
        self.act1, self.act2 = (activation(config, width) for width in config.widths)
        self.shifts = nn.ModuleList(
            nn.Linear(self.figures, width, bias=False)
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
        return self.shifts[layer](self.shifting(statistics))[:, :, None, None]

    def shifting(self, statistics: Tensor) -> Tensor:
        """The figures among the statistics that shift H, (N, `figures`)."""
        # Not by an index, which would have to travel to the device: a CUDA graph cannot record it.
        return torch.stack([statistics[:, i] for i in MODULATING], dim=1)
