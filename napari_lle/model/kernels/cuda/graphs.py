"""torch on a CUDA device without the time that it takes to launch its kernels one by one.

A block of the network is some thirty kernels; on small planes launching takes longer than
running. A shape of tile that comes a second time is recorded as a CUDA graph, which is then
launched as one. It pays for stacks and previews; large tiles run long enough without.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

import torch
from numpy.typing import NDArray

from ...preprocessing.tiling import Tile
from ...runtime.devices import full_precision

if TYPE_CHECKING:
    from ...network.network import Network

LARGEST_TILE = 2**22  # pixels of a tile that is recorded
MOST_SHAPES = 4  # shapes: tiles of a plane differ by a pixel in each direction

Call = Callable[[torch.Tensor], torch.Tensor]


class Recorded(NamedTuple):
    """A graph and the tensors that it reads and writes."""

    graph: torch.cuda.CUDAGraph
    source: torch.Tensor
    result: torch.Tensor


class Graphs:
    """torch's path with graphs, see `device_runner.Path`."""

    name: ClassVar[str] = "torch"

    def __init__(self, colours: int, note: str = "") -> None:
        self.colours, self.note = colours, note

    def upload(self, x: Any, tile: Tile) -> tuple[NDArray[Any], None]:
        """The tile with its halo as the network sees it, (3, h, w)."""
        return x[:, tile.rows[:, None], tile.columns], None

    def work(
        self, network: Network, statistics: torch.Tensor
    ) -> Callable[[torch.Tensor, None], torch.Tensor]:
        """The function from a tile to L, (h, w, 3) or (h, w)."""
        repeated = Repeated(lambda batch: network.block(batch, statistics))

        def run(patch: torch.Tensor, _: None) -> torch.Tensor:
            with torch.inference_mode(), full_precision():
                batch = patch[None].contiguous(memory_format=torch.channels_last)
                light = repeated(batch)[0]
                light = light.permute(1, 2, 0) if self.colours == 3 else light.mean(dim=0)
                return light.clone(memory_format=torch.contiguous_format)

        return run


class Repeated:
    """A call on a device that is recorded for each shape which comes again."""

    def __init__(self, call: Call) -> None:
        self.call = call
        self.met: set[torch.Size] = set()
        self.recorded: dict[torch.Size, Recorded] = {}
        self.room = MOST_SHAPES

    def __call__(self, batch: torch.Tensor) -> torch.Tensor:
        """The result, which the next call may overwrite."""
        shape = batch.shape
        fit = batch.is_cuda and shape[-2:].numel() <= LARGEST_TILE
        if fit and self.room and shape in self.met and shape not in self.recorded:
            self._record(batch)
        self.met.add(shape)
        if shape not in self.recorded:
            return self.call(batch)
        graph, source, result = self.recorded[shape]
        source.copy_(batch)
        graph.replay()
        return result

    def _record(self, batch: torch.Tensor) -> None:
        source, graph = batch.clone(), torch.cuda.CUDAGraph()
        here = torch.cuda.current_stream(batch.device)
        side: Any = torch.cuda.Stream(batch.device)  # type: ignore[no-untyped-call]
        side.wait_stream(here)
        with torch.cuda.stream(side):  # libraries choose and set up what they do
            self.call(source)
        here.wait_stream(side)
        try:
            # Of this thread: what others do on the device meanwhile is no part of it.
            with torch.cuda.graph(graph, capture_error_mode="thread_local"):
                result = self.call(source)
        except RuntimeError as error:
            if "out of memory" in str(error):
                raise
            self.room = 0  # it works without, only more slowly
            return
        self.room -= 1
        self.recorded[batch.shape] = Recorded(graph, source, result)
