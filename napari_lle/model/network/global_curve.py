"""Global mode: one rising curve for the whole image, for figures that are published.

Journals ask that a figure's adjustments are the same for every pixel. A model in this mode gives
every pixel of one value one result; brighter never becomes darker. Stretching without its local
departures is such a curve by itself. Of the other forms it is what the network does to flat fields,
each of one grey, in the light of the whole image's statistics; made rising, the same for all
colours.
"""

from __future__ import annotations

import copy
from dataclasses import replace

import torch
from torch import Tensor, nn

from .blocks import Block, Stretching
from .bundled import GLOBAL
from .checkpoint import Model
from .config import RESIDUAL_FLOOR, NetworkConfig
from .mixing import Mixing
from .network import Network

NODES = 1024  # of the table; cubes of an even spacing, for dark values need the finest


class FlatFields(nn.Module):
    """The illumination as a function of the pixel's own value; stands for the block it wraps."""

    def __init__(self, block: Block) -> None:
        super().__init__()
        self.inner = block
        self._of: Tensor | None = None
        self._light: Tensor | None = None

    def darkest(self, statistics: Tensor) -> Tensor:
        """As the block's."""
        return self.inner.darkest(statistics)

    def reads(self, first: int, last: int) -> tuple[int, int]:
        """Each pixel by itself."""
        return first, last

    def forward(self, image: Tensor, statistics: Tensor) -> Tensor:
        """(N, 3, H, W) to the same shape: there is no halo."""
        light = self.table(statistics[:1])
        place = image.clamp(0, 1).pow(1 / 3) * NODES
        left = place.floor().long().clamp_max(NODES - 1)
        return torch.lerp(light[left], light[left + 1], place - left)

    def table(self, statistics: Tensor) -> Tensor:
        """L at the nodes, for an image of these statistics, (1, 11)."""
        if self._light is None or self._of is None or not torch.equal(self._of, statistics):
            self._of, self._light = statistics, self._measure(statistics)
        return self._light

    def _measure(self, statistics: Tensor) -> Tensor:
        v = torch.linspace(0, 1, NODES + 1, device=statistics.device).pow(3)
        side = 2 * self.inner.radius + 1
        flats = v[:, None, None, None].expand(-1, 3, side, side)
        light = self.inner(flats, statistics.expand(NODES + 1, -1)).mean(dim=(1, 2, 3))
        dividend = torch.maximum(v, self.inner.darkest(statistics))
        rising = torch.cummax(dividend / light, dim=0).values
        return torch.where(rising > 0, dividend / rising, light).clamp_min(RESIDUAL_FLOOR**2)


def bare_stretch() -> Network:
    """The screen stretch of the whole image, which needs no weights."""
    return Network(NetworkConfig("stretching", local=0.0)).requires_grad_(False).eval()


def one_curve(model: Model) -> Model:
    """A model in global mode; its name ends in ``:global``."""
    network = copy.copy(model.network)
    network._modules = dict(model.network._modules)
    if isinstance(model.network.block, Mixing):  # a flat field is its own mixture
        return replace(model, name=model.name + GLOBAL, source=bare_stretch())
    if isinstance(model.network.block, Stretching):
        block = copy.copy(model.network.block)
        block.local = 0.0
        network.block = block
        network.config = replace(network.config, local=0.0)
    else:
        network.block = FlatFields(model.network.block)  # type: ignore[assignment]
        network.radius, network.grid = 0, 1
    return replace(model, name=model.name + GLOBAL, source=network)
