"""A fused kernel at work on planes: strips for several threads."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from numpy.typing import NDArray

from ...preprocessing.tiling import reflect, spans
from ...runtime.threads import in_order, thread_count
from ..forms import Packed, pack
from .compiled import Kernel, MixingKernel
from .fused import widest
from .lights import Kept, Lights
from .mixing_runner import mixed_bands
from .reduced_runner import StoredPlane, bands

if TYPE_CHECKING:
    from ...network.network import Network
    from ...network.weights import Weights

MOST_ROWS, LEAST_ROWS = 128, 32  # of a strip: its halo's rows are computed twice


class Source(Protocol):
    """A plane that is read in parts, (3, H, W): an array, or what makes one when asked."""

    @property
    def shape(self) -> tuple[int, ...]: ...

    def __getitem__(self, where: tuple[slice, slice, slice]) -> NDArray[np.float32]: ...


def strips(
    kernel: Kernel | MixingKernel,
    network: Network | Weights,
    x: Source,
    statistics: NDArray[np.float32],
    out: NDArray[np.float32] | Lights,
) -> Iterator[tuple[int, int]]:
    """Fill `out` from `x`, yielding (done, total) after each strip.

    Parameters
    ----------
    kernel : Kernel or MixingKernel
        Of the network's layout for the colours of `out`.
    network : Network or Weights
    x : array-like, (3, H, W)
        Normalised, 0..1; of equal channels where `out` has none.
    statistics : ndarray, (1, 11)
    out : ndarray, (H, W) or (H, W, 3), or Lights
    """
    out = Kept(out) if isinstance(out, np.ndarray) else out
    if isinstance(kernel, MixingKernel):
        yield from mixed_bands(kernel, network, _stored(x, out.ndim == 3), statistics, out)
        return
    if network.grid > 1:
        yield from bands(kernel, network, _stored(x, out.ndim == 3), statistics, out)
        return
    height = x.shape[1]
    colours = 3 if out.ndim == 3 else 1
    if isinstance(x, np.ndarray):
        x = np.ascontiguousarray(x[:colours])
    packed = pack(network, statistics, colours)
    threads = thread_count()
    size = min(max(-(-height // (2 * threads)), LEAST_ROWS), MOST_ROWS)
    parts = spans(height, size)
    work = partial(_strip, kernel.strip, packed, x, out, network.radius)
    for done, _ in enumerate(in_order(work, parts), 1):
        yield done, len(parts)


def _stored(x: Any, colours: bool) -> StoredPlane:
    """A plane in the order in which images are stored; normalised already unless it says else."""
    if not isinstance(x, np.ndarray):
        return x.stored()
    pixels = np.moveaxis(x, 0, -1) if colours else x[0][..., None]
    return StoredPlane(np.ascontiguousarray(pixels, np.float32), np.float32(0), np.float32(1))


def _strip(
    strip: Any,
    packed: Packed,
    x: Source,
    out: Lights,
    halo: int,
    part: tuple[int, int],
) -> None:
    top, bottom = part
    _, height, width = x.shape
    rows = reflect(top - halo, bottom + halo, height)
    colours = 3 if out.ndim == 3 else 1
    if isinstance(x, np.ndarray):
        source, first = x, 0
    else:
        first, last = int(rows.min()), int(rows.max())
        source = np.ascontiguousarray(x[:colours, first : last + 1, :])
    target = out.begin(top, bottom)
    lines = target.reshape(bottom - top, width * colours)
    for left, right in spans(width, widest(halo)):
        columns = reflect(left - halo, right + halo, width)
        # The stretch of columns that lie side by side; what is beside it is mirrored.
        inner = (max(halo - left, 0), len(columns) - max(right + halo - width, 0))
        corner = (top - first, left)
        strip(source, rows - first, columns, inner, lines, corner, *packed)
    out.end(top, bottom, target)
