"""What a network is to its kernel: the form of its block, a layout, packed weights and scalars."""

from __future__ import annotations

from math import exp
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray

from ..network.blocks import BLACK, FAINT, Block, Cleaning, Division, Metering, Stretching
from ..network.correcting import Correcting
from ..network.mixing import Mixing
from ..preprocessing.screen import STRETCHED, TYPICAL, midtones

if TYPE_CHECKING:
    from ..network.config import NetworkConfig
    from ..network.network import Network

SOFTPLUS, SIGMOID, METERING, STRETCHING, CLEANING, MIXING = range(6)  # division ends in two ways
NAMED = {"metering": METERING, "stretching": STRETCHING, "cleaning": CLEANING, "mixing": MIXING}
FARTHEST = 256  # pixels of halo
VIEWS = 3  # that H has of a channel in mixing
Weights = NDArray[np.float32]


FUSED: dict[str, type[Block]] = {
    "division": Division,
    "metering": Metering,
    "stretching": Stretching,
    "cleaning": Cleaning,
    "mixing": Mixing,
}


class Layout(NamedTuple):
    """All that is fixed when a kernel is compiled."""

    form: int
    colours: int
    branch: int
    first: int
    second: int
    scale: int


class Packed(NamedTuple):
    """A network's weights for one image, in the order of the kernel's arguments."""

    dilations: NDArray[np.intp]
    branches: Weights
    first: Weights
    second: Weights
    last: Weights
    scalars: Weights


def layout(config: NetworkConfig, colours: int) -> Layout:
    """The layout of a network for 3 colours, or for 1 that stands for three equal ones."""
    division = SOFTPLUS if config.positivity == "softplus" else SIGMOID
    form = NAMED.get(config.reflectance, division)
    colours = VIEWS if form == MIXING else colours  # each channel by itself
    return Layout(form, colours, config.branch_width, *config.widths, config.illumination_scale)


def plain(network: Network) -> bool:
    """Whether the block is one that the kernels know, not a stand-in, and fits into their rings."""
    known = type(network.block) is FUSED.get(network.config.reflectance)
    return known and network.block.residual.radius <= FARTHEST


def trainable(network: Network) -> bool:
    """Whether H, if nothing else, is run by compiled code in training."""
    if type(network.block) is Correcting:
        return network.block.residual.radius <= FARTHEST
    return plain(network) and type(network.block) is not Mixing


def pack(network: Network, statistics: torch.Tensor, colours: int) -> Packed:
    """Weights of a network for images of these statistics, (1, 10), or what else shifts its H."""
    config, h = network.config, network.block.residual
    with torch.inference_mode():
        shifts = [shift(h.shifting(statistics))[0] for shift in h.shifts] + [None, None]
        slopes = [_slopes(module) for module in (h.features.activate, h.act1, h.act2)]
        width = config.branch_width
        branches = []
        for i, conv in enumerate(h.features.branches):
            assert isinstance(conv, torch.nn.Conv2d)
            part = None if slopes[0] is None else slopes[0][i * width : (i + 1) * width]
            branches.append(_layer(_merged(conv.weight, colours), conv.bias, part))
        return Packed(
            np.array(config.dilations, np.intp),
            np.stack(branches),
            _layer(_merged(h.conv1.weight, colours), _shifted(h.conv1, shifts[0]), slopes[1]),
            _layer(h.conv2.weight, _shifted(h.conv2, shifts[1]), slopes[2]),
            _layer(h.conv3.weight, h.conv3.bias, torch.ones(h.outputs)),
            scalars(network.block, statistics)[0],
        )


def _merged(weight: torch.Tensor, colours: int) -> torch.Tensor:
    """Taps (out, in, 3, 3) whose first three inputs are summed where these are equal."""
    if colours == 3:
        return weight
    return torch.cat([weight[:, :3].sum(dim=1, keepdim=True), weight[:, 3:]], dim=1)


def _shifted(conv: torch.nn.Conv2d, shift: torch.Tensor | None) -> torch.Tensor:
    assert conv.bias is not None
    return conv.bias if shift is None else conv.bias + shift


def _slopes(activation: torch.nn.Module) -> torch.Tensor | None:
    """Slopes below zero of a PReLU; a ReLU has none."""
    return activation.weight if isinstance(activation, torch.nn.PReLU) else None


def _layer(weight: torch.Tensor, bias: torch.Tensor | None, slopes: torch.Tensor | None) -> Weights:
    """Biases, slopes and taps as (in, 3, 3, out), see `lanes.convolve`."""
    assert bias is not None
    slopes = torch.zeros_like(bias) if slopes is None else slopes
    taps = weight.permute(1, 2, 3, 0).flatten()
    return torch.cat([bias, slopes, taps]).float().cpu().numpy()


def scalars(block: Block, statistics: torch.Tensor) -> Weights:
    """The figures of whole images that the pointwise arithmetic needs, (N, 5), see `blocks`."""
    figures = statistics.detach().cpu().numpy().astype(np.float64)
    mean, lit, colour = figures[:, :3].T
    values: list[NDArray[np.floating[Any]]] = []
    if isinstance(block, Metering):
        values = [float(block.start) * np.sqrt(mean**2 + FAINT**2), lit, colour]
    elif isinstance(block, Stretching):
        u = midtones(np.clip(figures[:, TYPICAL], *STRETCHED))
        values = [u, np.full_like(u, block.local)]
    elif isinstance(block, Cleaning):
        unit = exp(float(block.stretch.detach())) * np.sqrt(mean**2 + BLACK**2)
        presence = mean**2 / (mean**2 + BLACK**2)
        darkest = block.darkest(statistics).detach().cpu().numpy()
        values = [unit, lit, colour, presence, darkest]
    found = np.zeros((len(figures), 5), np.float32)
    for i, column in enumerate(values):
        found[:, i] = column
    return found
