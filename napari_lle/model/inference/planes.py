"""One plane after another through one block: as the network sees them, by torch or a kernel."""

from __future__ import annotations

from collections.abc import Callable, Generator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from .. import kernels
from ..preprocessing.levels import AnyLevels, Levels, network_input, normalized
from ..preprocessing.normalizing import plain_levels
from ..progress import Progress
from ..runtime.arrays import as_writable

if TYPE_CHECKING:
    from ..kernels.cpu.reduced_runner import StoredPlane
    from ..network.network import Network
    from ..network.weights import Weights

AUTO_TILE = {"cpu": 512, "cuda": 4096, "mps": 2048}  # on a CPU the activations stay in cache
READ_AS_STORED = ("uint8", "uint16")  # pixels that kernels read as they are stored
UNIT = Levels(0, 1, "float32")


def see(
    pixels: NDArray[Any], levels: AnyLevels, rgb: bool, per: bool, luminance: bool = False
) -> NDArray[np.float32]:
    """What the network sees of pixels: (...) or, where each colour counts, (..., 3), 0..1.

    Jointly treated colours enter as their maximum: L then bounds every channel, R stays <= 1. Or
    as their mean, which pure colours exceed.
    """
    x = network_input(normalized(pixels[..., :3] if rgb else pixels, levels))
    if per or not rgb:
        return x
    if luminance:
        return x.mean(axis=-1)
    return np.maximum(np.maximum(x[..., 0], x[..., 1]), x[..., 2])  # a tenth of the time of `max`


@dataclass(frozen=True)
class Seen:
    """A plane as the network sees it, (3, H, W), made where and when it is looked at."""

    pixels: NDArray[Any]
    levels: AnyLevels
    rgb: bool
    per: bool

    @property
    def shape(self) -> tuple[int, int, int]:
        return 3, *self.pixels.shape[:2]

    @property
    def kept(self) -> bool:
        """Whether kernels read the pixels just as they are stored."""
        return self.pixels.dtype.name in READ_AS_STORED and plain_levels(self.levels)

    def stored(self) -> StoredPlane:
        """The pixels for a kernel that reads these, where float32 is all that they need."""
        from ..kernels.cpu.reduced_runner import StoredPlane

        pixels, levels = self.pixels, UNIT
        if self.kept:
            levels = self.levels.common
        else:
            pixels = pixels[..., :3] if self.rgb else pixels
            pixels = network_input(normalized(pixels, self.levels))
        pixels = pixels if self.rgb else pixels[..., None]
        pixels = pixels.astype(pixels.dtype.newbyteorder("="), copy=False)
        known = np.float32(levels.black), np.float32(levels.span)
        return StoredPlane(as_writable(np.ascontiguousarray(pixels)), *known)

    def __getitem__(self, where: tuple[slice, Any, Any]) -> NDArray[np.float32]:
        channels, rows, columns = where
        part = self.pixels[rows, columns]
        if self.per:  # small integers are sorted by colour sooner than what becomes of them
            part = np.ascontiguousarray(np.moveaxis(part[..., :3], -1, 0))
            return network_input(normalized(part, self.levels.moved(-3)))[channels]
        return as_channels(see(part, self.levels, self.rgb, False), False)[channels]


def fill_planes(
    network: Network | Weights,
    plane: Callable[[int], tuple[Seen | NDArray[np.float32], NDArray[np.float32]]],
    count: int,
    statistics: NDArray[np.float32],
    size: int,
    kernel: Any = None,
) -> Generator[Progress, None, None]:
    """Fill the outputs of all planes; a kernel, see `kernels.find`, takes the place of torch."""
    if kernel is not None:
        yield from kernels.fill(kernel, network, plane, count, statistics, size)
        return
    from .torch_tiles import fill_by_torch

    yield from fill_by_torch(network, plane, count, statistics, size)


def fill_plane(
    network: Network | Weights,
    x: Seen | NDArray[np.float32],
    statistics: NDArray[np.float32],
    out: NDArray[np.float32],
    size: int,
    kernel: Any = None,
) -> Generator[Progress, None, None]:
    """Fill `out`, (H, W) or (H, W, 3), from `x`, (3, H, W)."""
    return fill_planes(network, lambda _: (x, out), 1, statistics, size, kernel)


def as_channels(x: NDArray[np.float32], per: bool) -> NDArray[np.float32]:
    """What `see` returns of a plane, (H, W) or (H, W, 3), as the network's (3, H, W)."""
    if per:
        return np.ascontiguousarray(x.transpose(2, 0, 1))
    return as_writable(np.broadcast_to(x, (3, *x.shape)))
