"""A fused kernel at work on planes: strips for several threads."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ...preprocessing.tiling import reflect, spans
from ...runtime.threads import in_order, thread_count
from ..forms import Packed, pack
from .compiled import Kernel, MixingKernel
from .fused import ring_memory, widest
from .incoming import Passing, Source, Whole, fetching
from .lights import Kept, Lights
from .mixing_runner import mixed_bands
from .reduced_runner import StoredPlane, bands

if TYPE_CHECKING:
    from ...network.network import Network
    from ...network.weights import Weights

MOST_ROWS, LEAST_ROWS = 256, 32  # of a strip: its halo's rows are computed twice
BRINGING = 1 << 17  # numbers that are brought, or taken away, at once: half a megabyte


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
    statistics : ndarray, (1, 12)
    out : ndarray, (H, W) or (H, W, 3), or Lights
    """
    out = Kept(out) if isinstance(out, np.ndarray) else out
    if isinstance(kernel, MixingKernel):
        yield from mixed_bands(kernel, network, _stored_plane(x, out.ndim == 3), statistics, out)
        return
    if network.grid > 1:
        yield from bands(kernel, network, _stored_plane(x, out.ndim == 3), statistics, out)
        return
    _, height, width = x.shape
    colours = 3 if out.ndim == 3 else 1
    some = max(BRINGING // (colours * width), network.radius)
    if isinstance(x, np.ndarray):
        whole = Whole(np.ascontiguousarray(x[:colours]))
        incoming: Callable[[], Whole | Passing] = lambda: whole  # noqa: E731
    else:
        shape = (colours, some + network.radius, width)
        incoming = partial(Passing, fetching(kernel, x, colours), shape)
    job = Strips(kernel.strip, pack(network, statistics, colours), network, incoming, some, out)
    parts = spans(height, _rows_of_a_strip(height))
    for done, _ in enumerate(in_order(job.run, parts), 1):
        yield done, len(parts)


def _rows_of_a_strip(height: int) -> int:
    """As many strips for each thread as for the others, so that none waits for long."""
    threads = thread_count()
    each = -(-height // (threads * max(-(-height // (threads * MOST_ROWS)), 1)))
    return max(each, min(LEAST_ROWS, MOST_ROWS))


def _stored_plane(x: Any, colours: bool) -> StoredPlane:
    """A plane in the order in which images are stored; normalised already unless it says else."""
    if not isinstance(x, np.ndarray):
        return x.stored()
    pixels = np.moveaxis(x, 0, -1) if colours else x[0][..., None]
    return StoredPlane(np.ascontiguousarray(pixels, np.float32), np.float32(0), np.float32(1))


class Strips(NamedTuple):
    """What all strips of a plane share."""

    strip: Any
    packed: Packed
    network: Network | Weights
    incoming: Callable[[], Whole | Passing]
    some: int  # rows that are brought at once
    out: Lights

    def run(self, part: tuple[int, int]) -> None:
        """Fill some rows."""
        (top, bottom), out, halo = part, self.out, self.network.radius
        height, width = out.shape[:2]
        colours = 3 if out.ndim == 3 else 1
        source = self.incoming()
        places = source.places(reflect(top - halo, bottom + halo, height))
        stretches = [self._stretch(ends, width, colours) for ends in spans(width, widest(halo))]
        for begin in range(0, len(places), self.some):
            end = min(begin + self.some, len(places))
            source.bring(begin, end)
            first, last = (max(i - 2 * halo, 0) for i in (begin, end))
            light = out.begin(top + first, top + last)
            lines = light.reshape(last - first, width * colours)
            for left, columns, inner, memory in stretches:
                self.strip(source.planes, places, (begin, end), columns, inner, lines,
                           (first, left), memory, *self.packed)  # fmt: skip
            if last > first:  # wide rows are brought so few at once that these fill rings alone
                out.end(top + first, top + last, light)

    def _stretch(self, ends: tuple[int, int], width: int, colours: int) -> Any:
        """Of columns that the rings hold: where it begins, what it reads, and its memory."""
        (left, right), halo = ends, self.network.radius
        columns = reflect(left - halo, right + halo, width)
        # Those that lie side by side; what is beside them is mirrored.
        inner = (max(halo - left, 0), len(columns) - max(right + halo - width, 0))
        return left, columns, inner, ring_memory(self.network.config, colours)
