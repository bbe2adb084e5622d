"""Planes through a CUDA device: in tiles, in a stream, and in smaller tiles if memory runs out."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, Protocol

import torch
from numpy.typing import NDArray

from ...preprocessing.tiling import Tile, tiles
from ...progress import Progress
from ...runtime.retry import Halving
from .transfers import overlapped

if TYPE_CHECKING:
    from ...network.network import Network


class Path(Protocol):
    """A way to work on a device: `device.Fused` or `graphs.Graphs`.

    Attributes
    ----------
    name : str
        For the record of a run.
    note : str
        What the user should know about it, or nothing.
    """

    @property
    def name(self) -> str: ...

    @property
    def note(self) -> str: ...

    def upload(self, x: Any, tile: Tile) -> tuple[NDArray[Any], Any]:
        """What a tile needs of a plane, and what `work` has to know about it."""

    def work(
        self, network: Network, statistics: torch.Tensor
    ) -> Callable[[torch.Tensor, Any], torch.Tensor]:
        """The function from what was uploaded to the tile of the answer, on the device."""


def stream(
    path: Path,
    network: Network,
    plane: Callable[[int], tuple[Any, NDArray[Any]]],
    count: int,
    statistics: torch.Tensor,
    size: int,
) -> Iterator[Progress]:
    """Fill the outputs of planes of one shape, yielding after each tile.

    Parameters
    ----------
    path : Path
    network : Network
        On the device of the statistics.
    plane : callable
        Takes an index below `count` and returns a plane, (3, H, W), see `runner.Source`, and the
        array for its answer, (H, W[, C]). Asked again where memory ran out.
    statistics : Tensor, (1, 12)
    size : int
        Longest tile side, see `tiling.tiles`.
    """
    work = path.work(network, statistics)
    finished = 0  # planes
    note = path.note

    def parts(first: int, size: int) -> Iterator[tuple[NDArray[Any], Any]]:
        for index in range(first, count):
            x, out = plane(index)
            height, width = x.shape[-2:]
            cuts = list(tiles(height, width, size, network.radius))
            for tile in cuts:
                array, context = path.upload(x, tile)
                yield array, (context, out[tile.out], len(cuts))

    def attempt(size: int) -> Iterator[tuple[int, int]]:
        nonlocal finished
        first = finished
        results = overlapped(
            parts(first, size), lambda part, context: work(part, context[0]), statistics.device
        )
        for done, (answer, (_, out, each)) in enumerate(results, 1):
            out[...] = answer
            finished = first + done // each
            yield first * each + done, count * each

    for step in Halving(size, statistics.device).steps(attempt):
        yield step._replace(note=" ".join(filter(None, (note, step.note))))
        note = ""
