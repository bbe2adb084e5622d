"""Planes through one block by torch, tile by tile: where there is no kernel."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np
import torch
from numpy.typing import NDArray

from ..network.network import Network
from ..network.weights import Weights
from ..preprocessing.tiling import tiles
from ..progress import Progress
from ..runtime.devices import full_precision
from ..runtime.retry import Halving

if TYPE_CHECKING:
    from .planes import Seen


_in_torch = lru_cache(maxsize=4)(Network.of_weights)  # of plans that lost their kernel


def fill_by_torch(
    network: Network | Weights,
    plane: Callable[[int], tuple[Seen | NDArray[np.float32], NDArray[np.float32]]],
    count: int,
    statistics: NDArray[np.float32],
    size: int,
) -> Iterator[Progress]:
    """Fill the outputs of all planes, see `planes.fill_planes`."""
    network = _in_torch(network) if isinstance(network, Weights) else network
    figures = torch.as_tensor(statistics, device=next(network.parameters()).device)
    memory = Halving(size, figures.device)
    for i in range(count):
        for done, total, note in _filled(network, *plane(i), figures, memory):
            yield Progress(i * total + done, count * total, note)


def _filled(
    network: Network,
    x: Seen | NDArray[np.float32],
    out: NDArray[np.float32],
    statistics: torch.Tensor,
    memory: Halving,
) -> Iterator[Progress]:
    height, width = x.shape[-2:]

    def attempt(size: int) -> Iterator[tuple[int, int]]:
        parts = list(tiles(height, width, size, network.radius, network.grid))
        for done, part in enumerate(parts, 1):
            alone = out.ndim == 2 and network.config.by_channel
            seen = slice(1) if alone else slice(None)
            light = _run_tile(network, x[seen, part.rows[:, None], part.columns], statistics)
            out[part.out] = light.transpose(1, 2, 0) if out.ndim == 3 else light.mean(axis=0)
            yield done, len(parts)

    return memory.steps(attempt)


def _run_tile(
    network: Network, patch: NDArray[np.float32], statistics: torch.Tensor
) -> NDArray[np.float32]:
    """One block on one padded tile."""
    with torch.inference_mode(), full_precision():
        batch = torch.from_numpy(np.require(patch, requirements=("C", "W")))[None]
        batch = batch.to(statistics.device, memory_format=torch.channels_last)
        return network.block(batch, statistics)[0].cpu().numpy()
