"""A fused kernel at work on planes: strips for several threads."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import product
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from numpy.typing import NDArray

from ..tiling import reflect, spans
from .forms import Packed, pack
from .fused import widest

if TYPE_CHECKING:
    from ..network import Network

ROWS = 128  # of a strip at most: the halo's rows are computed twice


def strips(
    kernel: Any,
    network: Network,
    x: NDArray[np.float32],
    statistics: torch.Tensor,
    out: NDArray[np.float32],
) -> Iterator[tuple[int, int]]:
    """Fill `out` from `x`, yielding (done, total) after each strip.

    Parameters
    ----------
    kernel : callable
        Of the network's layout for as many colours as `x` has.
    network : Network
    x : ndarray, (1 or 3, H, W)
        Normalised, 0..1.
    statistics : Tensor, (1, 7)
    out : ndarray, (H, W) or (H, W, 3)
        Contiguous.
    """
    colours, height, width = x.shape
    halo = network.radius
    packed = pack(network, statistics, colours)
    rows, columns = spans(height, ROWS), spans(width, widest(halo))
    source, target = np.ascontiguousarray(x), out.reshape(height, -1)
    parts = list(product(rows, columns))
    with ThreadPoolExecutor(min(torch.get_num_threads(), len(parts))) as pool:
        jobs = [pool.submit(_strip, kernel, packed, source, target, part, halo) for part in parts]
        try:
            for done, job in enumerate(jobs, 1):
                job.result()
                yield done, len(parts)
        finally:
            pool.shutdown(wait=True, cancel_futures=True)


def _strip(
    kernel: Any,
    packed: Packed,
    source: NDArray[np.float32],
    target: NDArray[np.float32],
    part: tuple[tuple[int, int], tuple[int, int]],
    halo: int,
) -> None:
    (top, bottom), (left, right) = part
    height, width = source.shape[1:]
    rows = reflect(top - halo, bottom + halo, height)
    columns = reflect(left - halo, right + halo, width)
    # The stretch of columns that lie side by side; what is beside it is mirrored.
    inner = (max(halo - left, 0), len(columns) - max(right + halo - width, 0))
    kernel(
        source,
        rows,
        columns,
        inner,
        target,
        (top, left),
        packed.dilations,
        packed.branches,
        packed.first,
        packed.second,
        packed.last,
        packed.scalars,
    )
