"""The paired objective as autograd sees it where compiled code finds it and its gradient."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from ...runtime.threads import in_order
from ..forms import Numbers
from .compiled import Functions


class Weighed(NamedTuple):
    """Weights of the terms, as `losses.paired_objective` names them."""

    absolute: float = 0.0
    structure: float = 0.0
    relative: float = 0.0
    logarithmic: float = 0.0


class _Paired(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, paired: Any, result: Tensor, reference: Tensor, weights: Numbers,
                stride: int) -> Tensor:  # fmt: skip
        made, known = (np.ascontiguousarray(x.numpy()) for x in (result, reference))
        ctx.g = np.empty_like(made)

        def work(n: int) -> float:
            return float(paired(made[n], known[n], weights, stride, ctx.g[n]))

        return torch.tensor(sum(in_order(work, range(len(made)))))

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, g: Tensor) -> tuple[Tensor | None, ...]:
        if (factor := float(g)) != 1:
            ctx.g *= np.float32(factor)
        return None, torch.from_numpy(ctx.g), None, None, None


def paired(
    functions: Functions, result: Tensor, reference: Tensor, weights: Weighed, stride: int
) -> Tensor:
    """`losses.paired_objective` without its smoothness; NaN references are left out."""
    numbers = np.array(weights, np.float32) / np.float32(len(result))
    asked = functions.distance, result, reference, numbers, stride
    return _Paired.apply(*asked)  # type: ignore[no-untyped-call]
