"""The auxiliary block as autograd sees it where compiled code does its work."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.autograd.function import once_differentiable

from ...network.network import AuxiliaryBlock, pad
from ...runtime.threads import in_order
from .auxiliary import AUXILIARY_HALO, auxiliary_room
from .block import Workshop
from .compiled import Functions


class _Auxiliary(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, functions: Functions, workshop: Workshop, v: Tensor, weights: Tensor,
                maps: int) -> Tensor:  # fmt: skip
        image, line = (np.ascontiguousarray(x.numpy()) for x in (v, weights))
        count, channels, height, width = image.shape
        sizes = auxiliary_room(height, width, channels, maps)
        kept = [workshop.take(sizes[0]) for _ in image]
        out = np.empty(
            (count, channels, height - 2 * AUXILIARY_HALO, width - 2 * AUXILIARY_HALO), np.float32
        )
        ctx.known = functions, workshop, image, line, maps, kept, sizes

        def work(n: int) -> None:
            functions.auxiliary(image[n], line, maps, kept[n], out[n])

        list(in_order(work, range(count)))
        return torch.from_numpy(out)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, g: Tensor) -> tuple[Tensor | None, ...]:
        functions, workshop, image, line, maps, kept, sizes = ctx.known
        down = np.ascontiguousarray(g.numpy())
        g_lines, g_v = np.empty((len(image), len(line)), np.float32), np.empty_like(image)

        def work(n: int) -> None:
            gradients, sums = workshop.own(sizes[1:], ("K", image.shape[1:], maps))
            functions.auxiliary_back(image[n], line, maps, kept[n], gradients, sums, down[n],
                                     g_lines[n], g_v[n])  # fmt: skip
            workshop.give(kept[n])

        list(in_order(work, range(len(image))))
        total = torch.from_numpy(g_lines.sum(axis=0))
        return None, None, torch.from_numpy(g_v), total, None


class CompiledAuxiliary(nn.Module):
    """K; its weights are the block's."""

    def __init__(self, block: AuxiliaryBlock, functions: Functions) -> None:
        super().__init__()
        self.block, self.functions, self.workshop = block, functions, Workshop()

    @property
    def silent(self) -> bool:
        """As the block is."""
        return self.block.silent

    def forward(self, reflectance: Tensor) -> Tensor:
        """As the block's."""
        one, two = self.block.conv1, self.block.conv2
        parts = (one.weight, one.bias, two.weight, two.bias)
        weights = torch.cat([part.reshape(-1) for part in parts])  # type: ignore[union-attr]
        asked = (
            self.functions,
            self.workshop,
            pad(reflectance, AUXILIARY_HALO),
            weights,
            one.out_channels,
        )
        return _Auxiliary.apply(*asked)  # type: ignore[no-untyped-call]
