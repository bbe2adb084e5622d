"""A block of the network on a CUDA device by the kernels of `device_layers`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

import numpy as np
import torch
import triton
from numpy.typing import NDArray

from ...preprocessing.normalizing import plain_levels
from ...preprocessing.tiling import Tile, tiles
from ..forms import Layout, layout, pack
from .layers import branch_layer, last_layer, network_view

if TYPE_CHECKING:
    from ...network.network import Network

MOST_MAPS = 32  # of a layer: its sums stay in registers
ALIGNED = 16  # maps' rows begin at multiples of it, so that one compilation serves all sizes
STORED_DTYPES = (np.dtype(np.uint8), np.dtype(np.uint16))
HIGHEST_VALUES = {torch.uint8: 255, torch.uint16: 65535, torch.float32: 0}


_work: set[tuple[Layout, torch.device]] = set()


class TilePart(NamedTuple):
    """A tile's place in what goes to the device: the part of the image that it needs.

    Where the tile's halo leaves the image, only what it mirrors is there.
    """

    corner: tuple[int, int]  # of the tile with its halo, counted from the part's
    first: tuple[int, int]  # the part's corner in the image
    image: tuple[int, int]
    inner: tuple[int, int]  # the tile without its halo
    levels: tuple[float, float] | None  # black and span, of stored integers only


class DeviceWeights(NamedTuple):
    """Those of `forms.pack` on the device; the scalars hold for one image or stack."""

    reaches: torch.Tensor  # dilations of the branches
    branches: torch.Tensor
    first: torch.Tensor
    second: torch.Tensor
    last: torch.Tensor
    scalars: torch.Tensor


class Maps(NamedTuple):
    """How all maps of a tile with its halo lie in memory, and how programs divide them."""

    height: int
    width: int
    rows: int  # of a program
    columns: int

    @property
    def size(self) -> tuple[int, int]:
        return self.height, self.width

    @property
    def pitch(self) -> int:
        return -(-self.width // ALIGNED) * ALIGNED

    @property
    def plane(self) -> int:
        return self.height * self.pitch

    def grid(self, inset: int, branches: int = 1) -> tuple[int, int, int]:
        """Programs: branches of one place come one after another and share what is cached."""
        columns = triton.cdiv(self.width - 2 * inset, self.columns)
        return branches, columns, triton.cdiv(self.height - 2 * inset, self.rows)

    def options(self) -> dict[str, Any]:
        """What all kernels are launched with."""
        shape = {"plane": self.plane, "pitch": self.pitch}
        return {**shape, "BLOCK_Y": self.rows, "BLOCK_X": self.columns, "enable_fp_fusion": True}


@dataclass(frozen=True)
class Fused:
    """Triton's kernels for the networks of one layout.

    Attributes
    ----------
    layout : Layout
    half : bool
        What the layers hand on is kept in float16, half the memory and traffic: R within 1e-3.
    picture : bool
        The answer is the enhanced picture in the dtype of uint8 or uint16 input, not L.
    block : (int, int)
        Rows and columns that a program works on, powers of two.
    """

    layout: Layout
    half: bool = False
    picture: bool = False
    block: tuple[int, int] = (8, 64)
    name: ClassVar[str] = "triton"
    note: ClassVar[str] = ""

    def upload(self, x: Any, tile: Tile) -> tuple[NDArray[Any], TilePart]:
        """What a tile needs of a plane, (rows, columns, channels); stored integers as they are."""
        first = int(tile.rows.min()), int(tile.columns.min())
        here = slice(first[0], int(tile.rows.max()) + 1), slice(first[1], tile.columns.max() + 1)
        pixels = getattr(x, "pixels", None)
        levels = None
        if pixels is not None and pixels.dtype in STORED_DTYPES and plain_levels(x.levels):
            array = pixels[here].reshape(*pixels[here].shape[:2], -1)
            levels = x.levels.common.black, x.levels.common.span
        elif self.picture:
            raise ValueError("Pictures are made of uint8 and uint16 only: take the illumination.")
        else:
            array = np.moveaxis(x[slice(self.layout.colours), *here], 0, -1)
        top, left = (span.start for span in tile.out)
        inner = tile.out[0].stop - top, tile.out[1].stop - left
        halo = (len(tile.rows) - inner[0]) // 2
        corner = top - halo - first[0], left - halo - first[1]
        return array, TilePart(corner, first, x.shape[-2:], inner, levels)

    def work(
        self, network: Network, statistics: torch.Tensor
    ) -> Callable[[torch.Tensor, TilePart], torch.Tensor]:
        """The function from a part to L, or the picture, on the device of the statistics."""
        device, halo = statistics.device, network.radius
        packed = pack(network, statistics.cpu().numpy(), self.layout.colours)
        weights = DeviceWeights(*(torch.from_numpy(values).to(device) for values in packed))

        @lru_cache(1)  # a copy to the device waits for all that is under way there
        def scale(levels: tuple[float, float] | None) -> torch.Tensor:
            return torch.tensor(levels or (0.0, 1.0), dtype=torch.float64, device=device)

        return lambda source, part: self._block(source, part, halo, scale(part.levels), weights)

    def _block(
        self,
        source: torch.Tensor,
        part: TilePart,
        halo: int,
        levels: torch.Tensor,
        weights: DeviceWeights,
    ) -> torch.Tensor:
        form, colours, branch, first, second, _ = self.layout
        channels, device = source.shape[2], source.device
        maps = Maps(part.inner[0] + 2 * halo, part.inner[1] + 2 * halo, *self.block)
        spliced = colours + branch * len(weights.reaches)
        kind = torch.float16 if self.half else torch.float32
        even = torch.empty((max(spliced, second), maps.plane), dtype=kind, device=device)
        odd = torch.empty((first, maps.plane), dtype=kind, device=device)
        depth, answer = (channels, source.dtype) if self.picture else (colours, torch.float32)
        out = torch.empty((*part.inner, depth), dtype=answer, device=device)
        merged, stored = channels > 1 and colours == 1, part.levels is not None
        kinds = {"FORM": form, "COLOURS": colours, "CHANNELS": channels}
        options = {**kinds, "MERGED": merged, "STORED": stored, **maps.options()}
        seeing = source, weights.scalars, levels, source.shape[1] * channels, *part.corner

        network_view[maps.grid(0)](*seeing, even, *part.first, *part.image, *maps.size, **options)

        def convolve(begin: Any, taps: Any, end: Any, inset: int, **kinds: int) -> None:
            grid = maps.grid(inset, 1 if kinds["NEAR"] else len(weights.reaches))
            every = *maps.size, inset
            branch_layer[grid](begin, taps, weights.reaches, end, *every, **kinds, **maps.options())

        near, spliced_on = {"NEAR": True}, even[colours:]  # behind what the network sees
        convolve(even, weights.branches, spliced_on, halo - 3, MAPS=colours, OUT=branch, NEAR=False)
        convolve(even, weights.first, odd, halo - 2, MAPS=spliced, OUT=first, **near)
        convolve(odd, weights.second, even, halo - 1, MAPS=first, OUT=second, **near)
        ending = even, weights.last, out, *maps.size, halo
        top = {"MAPS": second, "HIGHEST": HIGHEST_VALUES[answer]}
        last_layer[maps.grid(halo)](*seeing, *ending, **top, **options)
        return out if depth > 1 else out[..., 0]


def tried(network: Network, colours: int, device: torch.device) -> Fused | None:
    """The kernels of a network, tried on one pixel; None for a layout that they are not made for.

    Raises
    ------
    Exception
        Of any kind, if Triton cannot compile or run them here.
    """
    fused = Fused(layout(network.config, colours))
    if max(fused.layout[2:]) > MOST_MAPS:
        return None
    if (fused.layout, device) not in _work:
        pixel = np.zeros((3, 1, 1), np.float32)
        source, part = fused.upload(pixel, next(tiles(1, 1, 1, network.radius)))
        statistics = torch.zeros((1, 12), device=device)
        here = torch.from_numpy(np.ascontiguousarray(source)).to(device)
        fused.work(network, statistics)(here, part).cpu()
        _work.add((fused.layout, device))
    return fused
