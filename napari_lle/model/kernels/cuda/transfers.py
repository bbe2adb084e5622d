"""A stream of arrays through a device: one is worked on while others travel to and fro.

Copies overlap with work only from pinned memory and on streams of their own; each way has one, as
the bus is as fast in both directions at once. On a CPU the arrays pass in the same order, copied
plainly.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from typing import Any, TypeVar

import numpy as np
import torch
from numpy.typing import NDArray

Context = TypeVar("Context")
IN_FLIGHT = 2  # arrays on their way while the next is made ready


def overlapped(
    items: Iterable[tuple[NDArray[Any], Context]],
    work: Callable[[torch.Tensor, Context], torch.Tensor],
    device: torch.device,
) -> Iterator[tuple[NDArray[Any], Context]]:
    """Do work on arrays on a device, yielding the results in order.

    Parameters
    ----------
    items : iterable of (ndarray, context)
        Taken one by one, at most `IN_FLIGHT` ahead of what has been yielded.
    work : callable
        Takes an array on the device and its context, and returns a tensor on the device.
    device : torch.device
    """
    send = _Streams(work, device).send if device.type == "cuda" else _plainly(work)
    waiting: deque[tuple[Callable[[], NDArray[Any]], Context]] = deque()
    for array, context in items:
        waiting.append((send(array, context), context))
        if len(waiting) > IN_FLIGHT:
            receive, first = waiting.popleft()
            yield receive(), first
    while waiting:
        receive, first = waiting.popleft()
        yield receive(), first


def _tensor(array: NDArray[Any]) -> torch.Tensor:
    array = np.require(array, requirements=("C", "W"))
    # An axis of one pixel may count backwards and be contiguous all the same, for NumPy alone.
    return torch.from_numpy(array.copy() if min(array.strides, default=0) < 0 else array)


def _plainly(work: Callable[[torch.Tensor, Any], torch.Tensor]) -> Callable[..., Any]:
    def send(array: NDArray[Any], context: Any) -> Callable[[], NDArray[Any]]:
        return work(_tensor(array), context).numpy

    return send


class _Streams:
    """Two streams for the copies beside the one that works."""

    def __init__(self, work: Callable[[torch.Tensor, Any], torch.Tensor], device: torch.device):
        self.work, self.device = work, device
        self.up: Any = torch.cuda.Stream(device)  # type: ignore[no-untyped-call]
        self.down: Any = torch.cuda.Stream(device)  # type: ignore[no-untyped-call]

    def send(self, array: NDArray[Any], context: Any) -> Callable[[], NDArray[Any]]:
        """Start the way up, the work and the way down; the answer waits for the result."""
        working = torch.cuda.current_stream(self.device)
        pinned = _tensor(array)
        if not pinned.is_pinned():
            pinned = torch.empty_like(pinned, pin_memory=True).copy_(pinned)
        with torch.cuda.stream(self.up):
            source = pinned.to(self.device, non_blocking=True)
        working.wait_stream(self.up)
        source.record_stream(working)  # not given to another while it is read
        result = self.work(source, context)
        self.down.wait_stream(working)
        with torch.cuda.stream(self.down):
            back = torch.empty(result.shape, dtype=result.dtype, pin_memory=True)
            back.copy_(result, non_blocking=True)
            result.record_stream(self.down)
            arrived = self.down.record_event()

        def receive(sent: torch.Tensor = pinned) -> NDArray[Any]:  # it is kept until then
            arrived.synchronize()
            return back.numpy()

        return receive
