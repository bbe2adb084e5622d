"""What the network does inside: functions of a plane run tile by tile, and what they show.

Planes are (3, H, W), normalised to 0..1, and every answer is (C, H, W). All are generators that
yield once a tile, so that a long look can be watched and ended.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from ..array_types import Float32
from ..network.network import Network
from ..network.residual import trim
from ..preprocessing.tiling import tiles

PlaneSteps = Generator[None, None, Float32]

DRAWS = 4  # of noise; each costs two runs of the block
PERIOD = 256  # pixels after which it repeats: longer than any receptive field
PROBE_STEP = 2.0**-12  # its size: far below u, far above the rounding of float32


def tiled(
    function: Callable[[Tensor], Tensor],
    plane: Float32,
    halo: int,
    size: int,
    device: torch.device,
    grid: int = 1,
) -> PlaneSteps:
    """Run a function of (1, 3, h + 2 halo, w + 2 halo) that answers (1, C, h, w) over a plane."""

    def run(patch: Tensor, *_: Any) -> Tensor:
        with torch.inference_mode():
            return function(patch)

    return _walk(run, (plane,), halo, size, device, grid)


def feature_maps(
    network: Network, plane: Float32, statistics: Tensor, size: int
) -> Generator[None, None, Float32]:
    """Activations of the dilated branches, in the order of the dilations.

    Raises
    ------
    ValueError
        If the model's block does not look at its features at all.
    """
    residual = network.block.residual
    caught: list[Tensor] = []

    def catch(_: nn.Module, __: Any, features: Tensor) -> None:
        caught.append(features)

    def look(patch: Tensor) -> Tensor:
        network.block(patch, statistics)
        if not caught:
            raise ValueError("This model is a plain stretch: it has no feature maps.")
        maps = caught[-1][:1, 3:]  # of the finest size, where H sees several
        caught.clear()
        for axis in (2, 3):  # of a smaller image: each value stands for a square
            maps = maps.repeat_interleave(network.config.illumination_scale, dim=axis)
        margin = network.block.feature_margin
        height, width = (n - 2 * network.radius for n in patch.shape[2:])
        return maps[..., margin : margin + height, margin : margin + width]

    handle = residual.features.register_forward_hook(catch)
    try:
        where = statistics.device
        return (yield from tiled(look, plane, network.radius, size, where, network.grid))
    finally:
        handle.remove()


def map_names(network: Network) -> list[str]:
    """One name for each of `feature_maps`."""
    maps = range(1, network.config.branch_width + 1)
    branches = enumerate(network.config.dilations, 1)
    return [
        f"branch {i} (dilation {d})" + (f" map {m}" if len(maps) > 1 else "")
        for i, d in branches
        for m in maps
    ]


def noise_gain_steps(
    network: Network,
    plane: Float32,
    statistics: Tensor,
    size: int,
    *,
    joint: bool,
    origin: tuple[int, int] = (0, 0),
) -> Generator[None, None, Float32]:
    """Deviation of R for small independent noise of deviation 1 in S, to first order.

    It is the root of the row sums of squares of dR/dS, found by random signs: exact where R
    depends on the same pixel of S alone, close where the neighbourhood matters little.

    Parameters
    ----------
    joint : bool
        The three channels are one image: they carry the same noise, and L is their mean.
    origin : (row, column)
        Where the plane begins in the whole, so that a part meets the noise that the whole does.
    """
    signs = np.random.default_rng(0).integers(0, 2, (DRAWS, 3, PERIOD, PERIOD), np.int8) * 2 - 1
    rows, columns = (
        (first + np.arange(length)) % PERIOD
        for first, length in zip(origin, plane.shape[1:], strict=True)
    )
    signs = signs[:, :, rows[:, None], columns]
    if joint:
        signs[:] = signs[:, :1]

    def reflectance(patch: Tensor) -> Tensor:
        if not joint:
            return network.enhance(patch, statistics)
        darkest = network.block.darkest(statistics)[:, None, None, None]
        dividend = torch.maximum(trim(patch, network.radius), darkest)
        return dividend / network.block(patch, statistics).mean(dim=1, keepdim=True)

    def spread(patch: Tensor, *noise: Tensor) -> Tensor:
        step = PROBE_STEP * torch.cat(noise)
        with torch.inference_mode():
            lit = patch.clamp_min(PROBE_STEP)  # a zero can only become brighter
            slope = (reflectance(lit + step) - reflectance(lit - step)) / (2 * PROBE_STEP)
        return slope.square().mean(dim=0, keepdim=True).sqrt()

    planes = (plane, *(s.astype(np.float32) for s in signs))
    return _walk(spread, planes, network.radius, size, statistics.device, network.grid)


def _walk(
    function: Callable[..., Tensor],
    planes: tuple[Float32, ...],
    halo: int,
    size: int,
    device: torch.device,
    grid: int,
) -> PlaneSteps:
    """Cut the same tiles of several planes, and put together what a function makes of them."""
    height, width = planes[0].shape[-2:]
    out: Float32 | None = None
    for part in tiles(height, width, size, halo, grid):
        patches = (np.ascontiguousarray(p[:, part.rows[:, None], part.columns]) for p in planes)
        # The memory format of `inference`: another one rounds differently.
        batches = (
            torch.from_numpy(p)[None].to(device, memory_format=torch.channels_last) for p in patches
        )
        answer = function(*batches)[0].cpu().numpy()
        if out is None:
            out = np.empty((len(answer), height, width), np.float32)
        out[(slice(None), *part.out)] = answer
        yield
    assert out is not None  # a plane has one tile at least
    return out
