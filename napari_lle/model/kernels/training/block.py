"""The block as autograd sees it where compiled code does its work, crops in several threads."""

from __future__ import annotations

import threading
from functools import cache
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.autograd.function import once_differentiable

from ...network.residual import ResidualEstimation
from ...runtime.threads import in_order
from ..forms import Numbers
from .compiled import Functions
from .crop import crop_room

TALL = 64  # rows of an image that are made at once where no gradient is asked for


class Shape(NamedTuple):
    """All of a network's layout that the kernel asks for, see `stack`."""

    dilations: NDArray[np.intp]
    sizes: NDArray[np.intp]

    @classmethod
    def of(cls, h: ResidualEstimation) -> Shape:
        branches = h.features.branches
        first = branches[0]
        assert isinstance(first, nn.Conv2d)
        width, channels = first.weight.shape[:2]
        outs = [conv.weight.shape[0] for conv in (h.conv1, h.conv2, h.conv3)]
        sizes = [channels, width, *outs, max(h.features.dilations)]
        return cls(np.array(h.features.dilations, np.intp), np.array(sizes, np.intp))


class Workshop:
    """Memory that is used again and again, so that nobody waits for the system to clear it.

    Of one network: what a run that diverged has left in it must not reach another one.
    """

    def __init__(self) -> None:
        self._own = threading.local()
        self._free: dict[int, list[Numbers]] = {}

    def own(self, sizes: tuple[int, ...], planes: Any) -> list[Numbers]:
        """Zeros at first, then what this thread has left in them when the shape was the same."""
        found: dict[Any, list[Numbers]] = self._own.__dict__.setdefault("found", {})
        if planes not in found:
            found[planes] = [np.zeros(n, np.float32) for n in sizes]
        return found[planes]

    def take(self, size: int) -> Numbers:
        """Numbers to keep until they are given back; finite ones."""
        free = self._free.setdefault(size, [])
        return free.pop() if free else np.zeros(size, np.float32)

    def give(self, numbers: Numbers) -> None:
        """Let the next one take them."""
        self._free[len(numbers)].append(numbers)


@cache
def _room_of(height: int, width: int, *shape: tuple[int, ...]) -> tuple[int, int, int, int]:
    """See `crop_room`, whose answer every crop of every step asks for."""
    return crop_room(height, width, *shape)


class Pass(NamedTuple):
    """What all crops of one pass share."""

    kernel: Functions
    workshop: Workshop
    shape: Shape
    form: int
    divided: bool
    scalars: Numbers  # (N, 5)

    def memory(self, height: int, width: int) -> tuple[int, list[Numbers]]:
        """Size of what is kept of a crop with its halo, and memory of this thread to work with."""
        key = (height, width, *(tuple(part.tolist()) for part in self.shape))
        sizes = _room_of(*key)
        return sizes[0], self.workshop.own(sizes, key)

    def made(self, v: Numbers) -> Numbers:
        """An empty result for crops with their halo."""
        halo = int(self.shape.sizes[5]) + 3
        n, _, height, width = v.shape
        return np.empty((n, int(self.shape.sizes[4]), height - 2 * halo, width - 2 * halo), "f4")


class _Crops(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, job: Pass, v: Tensor, weights: Tensor, one: Tensor, two: Tensor,
                stretch: Tensor | None) -> Tensor:  # fmt: skip
        known = [np.ascontiguousarray(x.numpy()) for x in (v, weights, one, two)]
        image, line, one_, two_ = known
        out = job.made(image)
        size, _ = job.memory(*image.shape[2:])
        ctx.kept = [job.workshop.take(size) for _ in image]
        ctx.job, ctx.known = job, known

        def work(n: int) -> None:
            hidden = job.memory(*image.shape[2:])[1][1]
            job.kernel.forward(job.form, job.divided, image[n], line, one_[n], two_[n], *job.shape,
                               job.scalars[n], ctx.kept[n], hidden, out[n])  # fmt: skip

        list(in_order(work, range(len(image))))
        return torch.from_numpy(out)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, g: Tensor) -> tuple[Tensor | None, ...]:
        job, (image, line, one, two) = ctx.job, ctx.known
        down = np.ascontiguousarray(g.numpy())
        deep, learned = ctx.needs_input_grad[1], ctx.needs_input_grad[5]
        count = len(image)
        g_lines, g_one, g_two = (np.empty((count, n), np.float32) for n in (
            len(line), one.shape[1], two.shape[1]))  # fmt: skip
        g_unit = np.empty((count, int(learned)), np.float32)
        g_v = np.empty(image.shape if deep else (count, 0, 0, 0), np.float32)

        def work(n: int) -> None:
            _, (_, hidden, gradients, sums) = job.memory(*image.shape[2:])
            job.kernel.backward(job.form, job.divided, image[n], line, *job.shape, job.scalars[n],
                                ctx.kept[n], hidden, gradients, sums, down[n], g_lines[n], g_one[n],
                                g_two[n], g_unit[n], g_v[n])  # fmt: skip
            job.workshop.give(ctx.kept[n])

        list(in_order(work, range(count)))
        total = torch.from_numpy(g_lines.sum(axis=0))  # in one order, however many threads
        found = [torch.from_numpy(x) for x in (g_one, g_two)]
        image_g = torch.from_numpy(g_v) if deep else None
        # The unit is e^stretch times something.
        own = float((g_unit[:, 0] * job.scalars[:, 0]).sum()) if learned else 0.0
        return None, image_g, total, *found, torch.tensor(own) if learned else None


def run_block(job: Pass, v: Tensor, weights: Tensor, one: Tensor, two: Tensor,
        stretch: Tensor | None) -> Tensor:  # fmt: skip
    """L, R or H of crops with their halo, with gradients where autograd asks for them."""
    asked = (v, weights, one, two, stretch)
    if torch.is_grad_enabled() and any(x is not None and x.requires_grad for x in asked):
        return _Crops.apply(job, v, weights, one, two, stretch)  # type: ignore[no-untyped-call]
    image, line, one_, two_ = (np.ascontiguousarray(x.numpy()) for x in (v, weights, one, two))
    out = job.made(image)
    height, halo = out.shape[2], (image.shape[2] - out.shape[2]) // 2
    parts = [(n, top) for n in range(len(image)) for top in range(0, height, TALL)]

    def work(part: tuple[int, int]) -> None:
        n, top = part
        bottom = min(top + TALL, height)
        strip = np.ascontiguousarray(image[n, :, top : bottom + 2 * halo])
        made = np.empty((out.shape[1], bottom - top, out.shape[3]), np.float32)
        _, (kept, hidden, _, _) = job.memory(*strip.shape[1:])
        job.kernel.forward(job.form, job.divided, strip, line, one_[n], two_[n], *job.shape,
                           job.scalars[n], kept, hidden, made)  # fmt: skip
        out[n, :, top:bottom] = made

    list(in_order(work, parts))
    return torch.from_numpy(out)
