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

from ..estimate import working_dtype
from ..tiling import Tile, tiles
from .device_layers import finish, layer, see
from .forms import Layout, layout, pack

if TYPE_CHECKING:
    from ..network import Network

MOST_MAPS = 32  # of a layer: its sums stay in registers
ALIGNED = 16  # maps' rows begin at multiples of it, so that one compilation serves all sizes
STORED = (np.dtype(np.uint8), np.dtype(np.uint16))
HIGHEST = {torch.uint8: 255, torch.uint16: 65535, torch.float32: 0}


_work: set[tuple[Layout, torch.device]] = set()


class Part(NamedTuple):
    """A tile's place in what goes to the device: the part of the image that it needs.

    Where the tile's halo leaves the image, only what it mirrors is there.
    """

    corner: tuple[int, int]  # of the tile with its halo, counted from the part's
    first: tuple[int, int]  # the part's corner in the image
    image: tuple[int, int]
    inner: tuple[int, int]  # the tile without its halo
    levels: tuple[float, float] | None  # black and span, of stored integers only


class Weights(NamedTuple):
    """Those of `forms.pack` on the device; the scalars hold for one image or stack."""

    reaches: torch.Tensor  # dilations of the branches ...
    near: torch.Tensor  # ... and of the other layers: 1
    branches: torch.Tensor
    first: torch.Tensor
    second: torch.Tensor
    last: torch.Tensor
    scalars: torch.Tensor


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

    def upload(self, x: Any, tile: Tile) -> tuple[NDArray[Any], Part]:
        """What a tile needs of a plane, (rows, columns, channels); stored integers as they are."""
        first = int(tile.rows.min()), int(tile.columns.min())
        here = slice(first[0], int(tile.rows.max()) + 1), slice(first[1], tile.columns.max() + 1)
        pixels = getattr(x, "pixels", None)
        levels = None
        if pixels is not None and pixels.dtype in STORED and working_dtype(x.levels).itemsize == 4:
            array = pixels[here].reshape(*pixels[here].shape[:2], -1)
            levels = x.levels.black, x.levels.span
        elif self.picture:
            raise ValueError("Pictures are made of uint8 and uint16 only: take the illumination.")
        else:
            array = np.moveaxis(x[slice(self.layout.colours), *here], 0, -1)
        top, left = (span.start for span in tile.out)
        inner = tile.out[0].stop - top, tile.out[1].stop - left
        halo = (len(tile.rows) - inner[0]) // 2
        corner = top - halo - first[0], left - halo - first[1]
        return array, Part(corner, first, x.shape[-2:], inner, levels)

    def work(
        self, network: Network, statistics: torch.Tensor
    ) -> Callable[[torch.Tensor, Part], torch.Tensor]:
        """The function from a part to L, or the picture, on the device of the statistics."""
        device, halo = statistics.device, network.radius
        packed = pack(network, statistics, self.layout.colours)
        reaches, *rest = (torch.from_numpy(values).to(device) for values in packed)
        weights = Weights(reaches, torch.ones_like(reaches[:1]), *rest)

        @lru_cache(1)  # a copy to the device waits for all that is under way there
        def scale(levels: tuple[float, float] | None) -> torch.Tensor:
            return torch.tensor(levels or (0.0, 1.0), dtype=torch.float64, device=device)

        return lambda source, part: self._block(source, part, halo, scale(part.levels), weights)

    def _block(
        self, source: torch.Tensor, part: Part, halo: int, levels: torch.Tensor, weights: Weights
    ) -> torch.Tensor:
        form, colours, branch, first, second = self.layout
        channels, device = source.shape[2], source.device
        spliced = colours + branch * len(weights.reaches)
        size = part.inner[0] + 2 * halo, part.inner[1] + 2 * halo
        pitch = -(-size[1] // ALIGNED) * ALIGNED
        plane = size[0] * pitch
        common = {"plane": plane, "pitch": pitch, "enable_fp_fusion": True}
        common |= dict(zip(("BLOCK_Y", "BLOCK_X"), self.block, strict=True))
        reading = {
            "row_step": source.shape[1] * channels,
            "FORM": form,
            "COLOURS": colours,
            "CHANNELS": channels,
            "MERGED": channels > 1 and colours == 1,
            "STORED": part.levels is not None,
        }
        kind = torch.float16 if self.half else torch.float32
        maps = torch.empty(max(spliced, second) * plane, dtype=kind, device=device)
        hidden = torch.empty(first * plane, dtype=kind, device=device)
        depth, answer = (channels, source.dtype) if self.picture else (colours, torch.float32)
        out = torch.empty((*part.inner, depth), dtype=answer, device=device)

        def grid(inset: int, branches: int = 1) -> tuple[int, int, int]:
            rows, columns = (
                triton.cdiv(length - 2 * inset, block)
                for length, block in zip(size, self.block, strict=True)
            )
            return (
                branches,
                columns,
                rows,
            )  # branches of one place side by side share what is cached

        def convolve(reaches: torch.Tensor, inset: int, *tensors: Any, **widths: int) -> None:
            begin, taps, end = tensors
            every = *size, inset
            layer[grid(inset, len(reaches))](begin, taps, reaches, end, *every, **widths, **common)

        tensors = source, weights.scalars, levels
        place = *part.corner, *part.first, *part.image
        reaches, near, *taps = weights[:-1]
        see[grid(0)](*tensors, maps, *place, *size, **reading, **common)
        spliced_on = maps[colours * plane :]  # behind what the network sees
        convolve(reaches, halo - 3, maps, taps[0], spliced_on, MAPS=colours, OUT=branch)
        convolve(near, halo - 2, maps, taps[1], hidden, MAPS=spliced, OUT=first)
        convolve(near, halo - 1, hidden, taps[2], maps, MAPS=first, OUT=second)
        finish[grid(halo)](
            *tensors,
            maps,
            taps[3],
            out,
            *part.corner,
            *size,
            halo,
            MAPS=second,
            HIGHEST=HIGHEST[answer],
            **reading,
            **common,
        )
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
        statistics = torch.zeros((1, 7), device=device)
        here = torch.from_numpy(np.ascontiguousarray(source)).to(device)
        fused.work(network, statistics)(here, part).cpu()
        _work.add((fused.layout, device))
    return fused
