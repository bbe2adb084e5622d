"""The kernels of a reduced illumination at work on planes: bands for several threads."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ...network.extent import inner_radius
from ...preprocessing.tiling import reflect, spans
from ...runtime.threads import in_order, thread_count
from ..forms import Packed, outputs, pack
from .fused import ring_memory, widest
from .lights import Lights

if TYPE_CHECKING:
    from ...network.config import NetworkConfig
    from ...network.network import Network
    from ...network.weights import Weights
    from .compiled import Kernel

ROWS = 256  # of a band: what is computed for its neighbours, too, is a tenth of H


class StoredPlane(NamedTuple):
    """A plane as it is stored: (H, W, channels) of uint8, uint16 or float32, and its levels."""

    pixels: NDArray[Any]
    black: np.float32
    span: np.float32


class Work(NamedTuple):
    """What all bands share."""

    kernel: Kernel
    packed: Packed
    stored: StoredPlane
    colours: int
    scale: int
    radius: int  # of H, in squares
    config: NetworkConfig


def bands(
    kernel: Kernel,
    network: Network | Weights,
    stored: StoredPlane,
    statistics: NDArray[np.float32],
    out: Lights,
) -> Iterator[tuple[int, int]]:
    """Fill `out` with L, yielding (done, total) after each band."""
    colours = 3 if out.ndim == 3 else 1
    config = network.config
    packed = pack(network, statistics, colours)
    scale, radius = config.illumination_scale, inner_radius(config)
    work = Work(kernel, packed, stored, colours, scale, radius, config)
    height = out.shape[0]
    threads = thread_count()
    each = -(-height // (threads * -(-height // (threads * ROWS))))
    parts = spans(height, max(each, work.scale), work.scale)
    for done, _ in enumerate(in_order(partial(_reduced_band, work, out), parts), 1):
        yield done, len(parts)


def _reduced_band(work: Work, out: Lights, part: tuple[int, int]) -> None:
    """L of some rows, from a multiple of the scale on."""
    pixels, black, span = work.stored
    top, bottom = part
    h = _correction(work, top, bottom)
    light = out.begin(top, bottom)
    lines = light.reshape(bottom - top, -1)
    spread = work.kernel.spread[pixels.dtype.name]
    spread(h, pixels[top:bottom], black, span, work.packed.scalars, lines)
    out.end(top, bottom, light)


def _correction(work: Work, top: int, bottom: int) -> NDArray[np.float32]:
    """H of the squares of some rows, and of one more on each side: (3 or 4, h, w)."""
    pixels, black, span = work.stored
    height, width = pixels.shape[:2]
    scale, radius = work.scale, work.radius
    outer = scale * (radius + 1)
    rows = reflect(top - outer, _up(bottom, scale) + outer, height)
    columns = reflect(-outer, _up(width, scale) + outer, width)
    low = np.empty((work.colours, len(rows) // scale, len(columns) // scale), np.float32)
    work.kernel.shrink[pixels.dtype.name](pixels, rows, columns, scale, black, span, low)
    tall, wide = (n - 2 * radius for n in low.shape[1:])
    answers = outputs(work.config)
    h = np.empty((answers, tall, wide), np.float32)
    every = np.arange(low.shape[1])
    for left, right in spans(wide, widest(radius)):
        seen = np.arange(left, right + 2 * radius)
        inner = (0, len(seen))
        memory = ring_memory(work.config, work.colours)
        work.kernel.strip(
            low, every, (0, len(every)), seen, inner, h.reshape(answers * tall, wide), (0, left),
            memory, *work.packed,
        )  # fmt: skip
    return h


def _up(length: int, scale: int) -> int:
    return -(-length // scale) * scale
