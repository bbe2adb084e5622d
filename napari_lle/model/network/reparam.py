"""Structural re-parameterisation: parallel branches in training, one convolution afterwards.

Each 3x3 kernel is the sum of itself, a 1x1 kernel and a scaled identity at its centre. The sum is
taken of kernels, not of outputs, so that training costs next to nothing more and folding is exact.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn.utils import parametrize

from .network import Network


class Branches(nn.Module):
    """Adds the branches to a 3x3 kernel; they start at zero, so that the network starts alike."""

    identity: Tensor

    def __init__(self, kernel: Tensor) -> None:
        super().__init__()
        out_channels, in_channels = kernel.shape[:2]
        self.pointwise = nn.Parameter(torch.zeros(out_channels, in_channels))
        self.scale = nn.Parameter(torch.zeros(out_channels, 1))
        self.register_buffer("identity", torch.eye(out_channels, in_channels), persistent=False)

    def forward(self, kernel: Tensor) -> Tensor:
        centre = self.pointwise + self.scale * self.identity
        return kernel + nn.functional.pad(centre[:, :, None, None], (1, 1, 1, 1))


def unfold(network: Network) -> Network:
    """Give every 3x3 convolution of the block its branches, in place."""
    for conv in _convolutions(network):
        device = conv.weight.device
        parametrize.register_parametrization(conv, "weight", Branches(conv.weight).to(device))
    return network


def fold(network: Network) -> Network:
    """Sum the branches into plain kernels, in place."""
    for conv in _convolutions(network):
        if parametrize.is_parametrized(conv, "weight"):
            parametrize.remove_parametrizations(conv, "weight", leave_parametrized=True)
    return network


def _convolutions(network: Network) -> list[nn.Conv2d]:
    found = [m for m in network.block.modules() if isinstance(m, nn.Conv2d)]
    return [conv for conv in found if conv.kernel_size == (3, 3)]
