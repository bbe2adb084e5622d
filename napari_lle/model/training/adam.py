"""Adam, bit by bit that of torch.

`torch.optim` loads torch's compiler before its first step, which takes two seconds and is not used
here (https://github.com/pytorch/pytorch/issues/104053 is why it asks for it). This module may go
when a step of `torch.optim.Adam` loads nothing.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import torch
from torch import Tensor

MOMENTS = "exp_avg", "exp_avg_sq"  # as torch names them in the files of runs


class Adam:
    """Steps along running means of gradients, by the means of their squares.

    Parameters
    ----------
    parameters : iterable of Tensor
        Those without a gradient stay as they are.
    betas : (float, float)
        Shares of the means of gradients and of squares that a step keeps.
    eps : float
        Added to the root of the squares.
    """

    def __init__(self, parameters: Iterable[Tensor], betas: tuple[float, float], eps: float):
        self._parameters = list(parameters)
        self._betas, self._eps = betas, eps
        self._state: dict[int, dict[str, Any]] = {}

    def zero_grad(self) -> None:
        """Forget all gradients."""
        for parameter in self._parameters:
            parameter.grad = None

    @torch.no_grad()
    def step(self, rate: float) -> None:
        """Move all parameters that have a gradient."""
        moving = [i for i, p in enumerate(self._parameters) if p.grad is not None]
        if not moving:
            return
        parameters = [self._parameters[i] for i in moving]
        gradients = [p.grad for p in parameters if p.grad is not None]
        states = [self._state_of(i) for i in moving]
        for state in states:
            state["step"] += 1
        means, squares = ([state[name] for state in states] for name in MOMENTS)
        first, second = self._betas
        torch._foreach_lerp_(means, gradients, 1 - first)
        torch._foreach_mul_(squares, second)
        torch._foreach_addcmul_(squares, gradients, gradients, 1 - second)
        steps = [float(state["step"]) for state in states]
        # Means that began at 0 are too small at first.
        roots = torch._foreach_sqrt(squares)
        torch._foreach_div_(roots, [(1 - second**n) ** 0.5 for n in steps])
        torch._foreach_add_(roots, self._eps)
        rates = [-(rate / (1 - first**n)) for n in steps]
        torch._foreach_addcdiv_(parameters, means, roots, rates)

    def _state_of(self, i: int) -> dict[str, Any]:
        if i not in self._state:
            zeros = {name: torch.zeros_like(self._parameters[i]) for name in MOMENTS}
            self._state[i] = {"step": torch.tensor(0.0), **zeros}
        return self._state[i]

    def state_dict(self) -> dict[str, Any]:
        """What the next step depends on, as torch has it."""
        return {"state": self._state}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Take up a state, which may be one of `torch.optim.Adam`."""
        self._state = {int(i): dict(each) for i, each in state["state"].items()}
