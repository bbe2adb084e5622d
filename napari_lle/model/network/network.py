"""The network of "A lightweight low-light image enhancement network" (ICAROB 2023).

An image S is reflectance times illumination, S = R L. One block estimates the illumination from
parallel dilated convolutions and three plain ones, and the enhanced image is `R = S / L`. In
training the block is applied T times with shared weights, each stage fed by an auxiliary block,
`V = S + K(R)`, which teaches all stages to agree; at inference the first stage alone remains.

The block comes in several forms, see `blocks`.

All convolutions are valid: the caller pads once, by reflection, by `Network.radius`.
"""

from __future__ import annotations

from dataclasses import replace
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ..preprocessing.tiling import reflect
from .blocks import Block, Cleaning, Division, Metering, Stretching
from .config import RESIDUAL_FLOOR, NetworkConfig
from .correcting import Correcting
from .extent import weight_shapes
from .guiding import Guiding
from .mixing import Mixing
from .residual import trim
from .weights import Weights

AUXILIARY_RADIUS = 2  # of K: two 3x3 convolutions

BLOCKS: dict[str, type[Block]] = {
    "division": Division,
    "metering": Metering,
    "stretching": Stretching,
    "cleaning": Cleaning,
    "guiding": Guiding,
    "correcting": Correcting,
    "mixing": Mixing,
}

__all__ = ["AUXILIARY_RADIUS", "BLOCKS", "Network", "NetworkConfig", "Stage", "pad", "trim"]


class Stage(NamedTuple):
    """What one stage sees and makes, each of shape (N, 3, H, W)."""

    v: Tensor
    u: Tensor
    illumination: Tensor
    reflectance: Tensor
    e: Tensor


def pad(x: Tensor, radius: int) -> Tensor:
    """Extend (N, C, H, W) by `radius` reflected pixels on each side, however small the image."""
    height, width = x.shape[-2:]
    if radius < min(height, width):
        return F.pad(x, (radius,) * 4, mode="reflect")
    rows = torch.from_numpy(reflect(-radius, height + radius, height)).to(x.device)
    columns = torch.from_numpy(reflect(-radius, width + radius, width)).to(x.device)
    return x.index_select(-2, rows).index_select(-1, columns)


class AuxiliaryBlock(nn.Module):
    """K of eq. 3, on the reflectance; in training only. It starts at zero: all stages equal."""

    def __init__(self, config: NetworkConfig) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(3, config.auxiliary_width, 3)
        self.conv2 = nn.Conv2d(config.auxiliary_width, 3, 3)
        nn.init.zeros_(self.conv2.weight)
        nn.init.zeros_(self.conv2.bias)  # type: ignore[arg-type]

    def forward(self, reflectance: Tensor) -> Tensor:
        return self.conv2(torch.relu(self.conv1(pad(reflectance, AUXILIARY_RADIUS))))

    @property
    def silent(self) -> bool:
        """Whether it adds nothing, whatever it sees: E = 0."""
        return not any(p.any() for p in self.conv2.parameters())


class Network(nn.Module):
    """Shared-weight stages of illumination estimation, tied together by the auxiliary block.

    Parameters
    ----------
    config : NetworkConfig

    Attributes
    ----------
    block : Division, Metering, Stretching, Cleaning, Guiding, Correcting or Mixing
        All that inference needs. Called with (N, 3, H + 2 radius, W + 2 radius) in 0..1 and the
        images' statistics, (N, 12), it returns the illumination, (N, 3, H, W), > 0.
    radius : int
        Halo in pixels that one block reads beyond its output.
    grid : int
        Tiles begin at multiples of so many pixels.
    """

    def __init__(self, config: NetworkConfig | None = None) -> None:
        super().__init__()
        self.config = config or NetworkConfig()
        self.block = BLOCKS[self.config.reflectance](self.config)
        self.auxiliary = AuxiliaryBlock(self.config)
        self.radius = self.block.radius
        self.grid = self.block.grid

    def forward(self, s: Tensor, statistics: Tensor, stages: int | None = None) -> list[Stage]:
        """Run all stages (eq. 2 and 3).

        Parameters
        ----------
        s : Tensor, (N, 3, H, W), 0..1
            The normalised input S.
        statistics : Tensor, (N, 12)
            Of the whole images that S may be a part of, see `statistics.image_statistics`.
        stages : int, optional
            T; the configuration's when not given.

        Returns
        -------
        list of Stage
            t = 1..T; the enhanced image is ``[0].reflectance``.
        """
        result: list[Stage] = []
        dividend = torch.maximum(s, self.block.darkest(statistics)[:, None, None, None])
        v = s
        for _ in range(self.config.stages if stages is None else stages):
            illumination = self.block(pad(v, self.radius), statistics)
            # V may dip below -u where K subtracts; S / L must stay finite.
            reflectance = dividend / illumination.clamp_min(RESIDUAL_FLOOR)
            e = self.auxiliary(reflectance)
            result.append(Stage(v, illumination - v, illumination, reflectance, e))
            v = illumination if self.config.recursion == "literal" else s + e
        return result

    @property
    def repeating(self) -> bool:
        """Whether each stage is the first one again, for the auxiliary block adds nothing."""
        return self.auxiliary.silent and self.config.recursion == "auxiliary"

    def enhance(self, padded: Tensor, statistics: Tensor) -> Tensor:
        """R of one block; shapes as for `block`."""
        darkest = self.block.darkest(statistics)[:, None, None, None]
        return torch.maximum(trim(padded, self.radius), darkest) / self.block(padded, statistics)

    @property
    def standard(self) -> bool:
        """Whether the block is that of the configuration, not a stand-in."""
        return type(self.block) is BLOCKS[self.config.reflectance]

    def weights(self) -> Weights:
        """The same as arrays, for kernels; branches of a convolution, see `reparam`, as one."""
        found = {}
        for name in weight_shapes(self.config):
            module, _, own = name.rpartition(".")
            value: Tensor = getattr(self.get_submodule(module), own)
            found[name] = value.detach().float().cpu().numpy()
        return Weights(self.config, found)

    @classmethod
    def of_weights(cls, weights: Weights) -> Network:
        """A network ready for inference."""
        network = cls(weights.config)
        network.load_state_dict({k: torch.tensor(v) for k, v in weights.arrays.items()})
        return network.requires_grad_(False).eval()

    def at_scale(self, scale: int) -> Network:
        """The same weights with an illumination of another size, see `blocks.Block`.

        Raises
        ------
        ValueError
            If the scale is not 1, 2 or 4.
        """
        if scale == self.config.illumination_scale:
            return self
        network = Network(replace(self.config, illumination_scale=scale))
        network.load_state_dict(self.state_dict())
        return network.requires_grad_(False).eval()

    def reach(self, stages: int = 1) -> int:
        """Pixels from a pixel of L_t to the farthest of S that it depends on, t = `stages`.

        Beside them it depends on the whole image's statistics.
        """
        between = 0 if self.config.recursion == "literal" else AUXILIARY_RADIUS
        farthest = 0
        for pixel in range(self.grid):
            first, last = self.block.reads(pixel, pixel)
            for _ in range(stages - 1):
                first, last = self.block.reads(first - between, last + between)
            farthest = max(farthest, pixel - first, last - pixel)
        return farthest

    @property
    def receptive_field(self) -> int:
        """Side in pixels of the square around a pixel that inference depends on there."""
        return 2 * self.reach() + 1

    def inference_parameters(self) -> int:
        """Number of weights that inference needs: the block's."""
        return sum(p.numel() for p in self.block.parameters())
