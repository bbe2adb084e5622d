"""A network in training whose block is compiled; all weights are those of the network itself."""

from __future__ import annotations

import copy
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from ...network.blocks import Block, Cleaning
from ...network.config import NetworkConfig
from ...network.extent import CURVE_UNITS
from ...network.mixing import Mixing
from ...network.network import Network
from ...network.residual import ResidualEstimation
from ..forms import curve_unit, layout, scalars
from .block import Pass, Shape, Workshop, run_block
from .compiled import Functions
from .distance import Weighed, paired
from .heads import NO_FORM
from .residual import CompiledAuxiliary

WITH_FORM = ("division", "metering", "stretching", "cleaning")  # whose pointwise parts are compiled


class CompiledStack(nn.Module):
    """H, alone or together with the pointwise arithmetic of its block."""

    def __init__(self, h: ResidualEstimation, functions: Functions) -> None:
        super().__init__()
        self.h, self.radius = h, h.radius
        self.functions, self.workshop, self.shape = functions, Workshop(), Shape.of(h)

    def forward(self, seen: Tensor, statistics: Tensor) -> Tensor:
        """As H's."""
        return self.made(seen, statistics, NO_FORM, torch.zeros(len(seen), 5).numpy())

    def made(self, v: Tensor, statistics: Tensor, form: int, figures: Any, divided: bool = False,
             stretch: Tensor | None = None) -> Tensor:  # fmt: skip
        """What a form makes of V, see `heads.light`."""
        job = Pass(self.functions, self.workshop, self.shape, form, divided, figures)
        one, two = self._biases(statistics)
        return run_block(job, v, self._weights(), one, two, stretch)

    def _weights(self) -> Tensor:
        """All weights in the order of `stack`."""
        h = self.h
        branches: list[Any] = list(h.features.branches)
        parts = [branch.weight for branch in branches] + [branch.bias for branch in branches]
        activations = (h.features.activate, h.act1, h.act2)
        width = int(self.shape.sizes[1]) * len(branches)
        widths = (width, h.conv1.out_channels, h.conv2.out_channels)
        for conv, activation, width in zip(
            (h.conv1, h.conv2, h.conv3), activations, widths, strict=True
        ):
            prelu = isinstance(activation, nn.PReLU)
            parts += [activation.weight if prelu else torch.zeros(width), conv.weight]
        return torch.cat([part.reshape(-1) for part in [*parts, h.conv3.bias]])

    def _biases(self, statistics: Tensor) -> list[Tensor]:
        """Of the hidden layers, for each image: shifted by what it is like."""
        h, found, figures = self.h, [], self.h.shifting(statistics)
        for i, conv in enumerate((h.conv1, h.conv2)):
            assert conv.bias is not None
            if i < len(h.shifts):
                found.append(conv.bias + h.shifts[i](figures))
            else:
                found.append(conv.bias.expand(len(figures), -1))
        return found


class CompiledBlock(nn.Module):
    """A block at full size, its form included."""

    def __init__(self, block: Block, config: NetworkConfig, functions: Functions) -> None:
        super().__init__()
        self.block, self.config, self.radius = block, config, block.radius
        self.form = layout(config, 3).form
        self.stack = CompiledStack(block.residual, functions)

    def darkest(self, statistics: Tensor) -> Tensor:
        """As the block's."""
        return self.block.darkest(statistics)

    def forward(self, padded: Tensor, statistics: Tensor) -> Tensor:
        """L."""
        return self._made(padded, statistics, divided=False)

    def reflectance(self, padded: Tensor, statistics: Tensor) -> Tensor:
        """R."""
        return self._made(padded, statistics, divided=True)

    def _made(self, padded: Tensor, statistics: Tensor, divided: bool) -> Tensor:
        name = CURVE_UNITS.get(self.config.reflectance)
        known = {name: getattr(self.block, name.removeprefix("block.")).detach()} if name else {}
        figures = scalars(self.config, curve_unit(known), statistics)
        stretch = self.block.stretch if isinstance(self.block, Cleaning) else None
        return self.stack.made(padded, statistics, self.form, figures, divided, stretch)


class GreyOnce(nn.Module):
    """A block that treats each channel by itself, and does so once where all are equal.

    Not where a gradient of the image is asked for, which would be that of the first channel alone.
    """

    def __init__(self, block: Block) -> None:
        super().__init__()
        self.block, self.radius = block, block.radius

    def darkest(self, statistics: Tensor) -> Tensor:
        """As the block's."""
        return self.block.darkest(statistics)

    def forward(self, padded: Tensor, statistics: Tensor) -> Tensor:
        """L."""
        if not padded.requires_grad and (padded == padded[:, :1]).all():
            light: Tensor = self.block(padded[:, :1], statistics)
            return light.expand(-1, padded.shape[1], -1, -1)
        made: Tensor = self.block(padded, statistics)
        return made


class CompiledNetwork(Network):
    """The same network, faster; what it shares with it is everything that is learned."""

    def __init__(self, network: Network, functions: Functions) -> None:
        nn.Module.__init__(self)
        self.config = network.config
        self.auxiliary = CompiledAuxiliary(network.auxiliary, functions)  # type: ignore[assignment]
        self.radius, self.grid = network.radius, network.grid
        block: Any
        if network.block.scale == 1 and network.config.reflectance in WITH_FORM:
            block = CompiledBlock(network.block, network.config, functions)
        else:
            block = copy.copy(network.block)
            block._modules = dict(network.block._modules)
            block.residual = CompiledStack(network.block.residual, functions)
            block = GreyOnce(block) if isinstance(block, Mixing) else block
        self.block, self.functions = block, functions

    def enhance(self, padded: Tensor, statistics: Tensor) -> Tensor:
        """R of one block."""
        if isinstance(self.block, CompiledBlock):
            return self.block.reflectance(padded, statistics)
        return super().enhance(padded, statistics)

    def paired(self, result: Tensor, reference: Tensor, *, stride: int, **weights: float) -> Tensor:
        """See `distance.paired`."""
        return paired(self.functions, result, reference, Weighed(**weights), stride)

    def similarity(self, image: NDArray[Any], reference: NDArray[Any]) -> float:
        """SSIM of two whole images, (H, W, 3), as `evaluation.metrics` has it, within 1e-5."""
        planes = (
            np.ascontiguousarray(x.transpose(2, 0, 1), np.float32) for x in (image, reference)
        )
        return float(self.functions.similarity(*planes))
