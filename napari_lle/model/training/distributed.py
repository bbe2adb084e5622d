"""Several processes that train one network, as ``torchrun`` starts them.

Each takes its share of every batch, the gradients are added up, and so all of them make the step
that one process would have made. Gradients are summed by a plain all-reduce: the network has some
thousand parameters, so that DistributedDataParallel, which hides the time of millions behind the
backward pass, has nothing to hide; and it sees only the network's `forward`, while the objectives
call parts of it, twice in a step.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import NamedTuple, TypeVar

import torch
import torch.distributed as dist
from torch import Tensor, nn

from .settings import TrainingError

T = TypeVar("T")
TIMEOUT = timedelta(hours=2)  # the others wait while the first judges large images
LOST = "Another process of the run has ended: see what it says, then start all of them again."


def rank() -> int:
    """Number of this process; 0, which may be the only one, writes and prints."""
    return dist.get_rank() if _several() else 0


def processes() -> int:
    """How many train together."""
    return dist.get_world_size() if _several() else 1


@contextmanager
def joined(device: str = "auto") -> Iterator[None]:
    """Join the processes that ``torchrun`` has started, if it has, until the block ends.

    Gradients travel by NCCL between CUDA devices, one for each process, and by gloo otherwise.

    Raises
    ------
    TrainingError
        If a machine has fewer CUDA devices than processes.
    """
    if int(os.environ.get("WORLD_SIZE", "1")) == 1 or _several():
        yield
        return
    cuda = device in ("auto", "cuda") and torch.cuda.is_available()
    if cuda:
        if int(os.environ.get("LOCAL_WORLD_SIZE", "1")) > torch.cuda.device_count():
            raise TrainingError(
                f"This machine has {torch.cuda.device_count()} CUDA devices: start as many "
                "processes on it, or choose the device cpu."
            )
        torch.cuda.set_device(int(os.environ.get("LOCAL_RANK", "0")))
    dist.init_process_group("cpu:gloo,cuda:nccl" if cuda else "gloo", timeout=TIMEOUT)
    try:
        yield
        with _lost_process():
            dist.barrier()  # none leaves while another still hears the last word
    finally:
        dist.destroy_process_group()


class Share(NamedTuple):
    """The crops of a batch that a process takes: every `processes`-th, from its `rank` on."""

    crops: int
    rank: int = 0
    processes: int = 1

    @property
    def part(self) -> slice:
        """Where they are in the batch."""
        return slice(self.rank, None, self.processes)

    def among(self, first: int) -> int:
        """How many of the batch's first crops they are; in the share, too, those come first."""
        return len(range(self.rank, first, self.processes))

    def weight(self, first: int | None = None) -> float:
        """What makes a mean over the share add up, over all processes, to that over the batch.

        Of its `first` crops, if given.
        """
        first = self.crops if first is None else first
        return self.among(first) / first


def our_share(crops: int) -> Share:
    """The share of this process in a batch.

    Raises
    ------
    TrainingError
        If the batch is smaller than the number of processes.
    """
    if crops < processes():
        raise TrainingError(
            f"A batch of {crops} cannot be shared by {processes()} processes: enlarge it, or "
            "start fewer."
        )
    return Share(crops, rank(), processes())


def sum_gradients(network: nn.Module, loss: Tensor) -> Tensor:
    """Add up gradients over all processes, in place; return the sum of their losses."""
    if not _several():
        return loss
    parameters = [p for p in network.parameters() if p.requires_grad]
    found = [torch.zeros_like(p) if p.grad is None else p.grad for p in parameters]
    flat = torch.cat([loss.detach().reshape(1).to(found[0]), *(g.reshape(-1) for g in found)])
    with _lost_process():
        dist.all_reduce(flat)
    total, *sums = torch.split(flat, [1, *(p.numel() for p in parameters)])
    for parameter, gradient in zip(parameters, sums, strict=True):
        parameter.grad = gradient.view_as(parameter)
    return total[0]


def agreed(work: Callable[[], T]) -> T:
    """What the first process finds; the others wait for it."""
    if not _several():
        return work()
    said = [work() if rank() == 0 else None]
    with _lost_process():
        dist.broadcast_object_list(said, src=0)
    return said[0]  # type: ignore[return-value]


def _several() -> bool:
    return dist.is_available() and dist.is_initialized()


@contextmanager
def _lost_process() -> Iterator[None]:
    try:
        yield
    except RuntimeError as error:
        raise TrainingError(LOST) from error
