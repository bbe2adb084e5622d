"""What each path of inference on a CUDA device has to move and to compute."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import torch
from image_cases import Case, macs
from torch.utils._python_dispatch import TorchDispatchMode

from napari_lle.model.network.network import Network
from napari_lle.model.preprocessing.statistics import Statistics

VIEWS = {"view", "select", "slice", "expand", "permute", "unsqueeze", "transpose", "reshape"}


@dataclass
class Device:
    """What a device can do at most: bytes/s and FLOP/s."""

    bandwidth: float
    flops: float
    half: float = 0.0
    host: float = 0.0


@dataclass
class Row:
    path: str
    bytes: float  # per pixel
    flops: float
    pixels: int
    times: list[float] = field(default_factory=list)
    memory: float = 0.0

    def floor(self, device: Device) -> float:
        rate = device.bandwidth if self.flops else device.host
        return self.pixels * max(self.bytes / rate, self.flops / device.flops)


class Traffic(TorchDispatchMode):
    """Counts the bytes of all tensors that operations read and write."""

    def __init__(self) -> None:
        super().__init__()
        self.bytes = 0

    def __torch_dispatch__(self, function: Any, types: Any, arguments: Any = (), named: Any = None):
        result = function(*arguments, **(named or {}))
        if function.overloadpacket.__name__ not in VIEWS:
            read = [part for a in arguments for part in (a if isinstance(a, list) else [a])]
            tensors = [t for t in (*read, result) if isinstance(t, torch.Tensor)]
            self.bytes += sum(t.numel() * t.element_size() for t in tensors)
        return result


def by_torch(network: Network, length: int = 512) -> float:
    """Bytes per pixel of one call of the block, from its operations."""
    dark = Statistics(0.1, lit=0, colour=1, contrast=0, chroma=0, noise=0, typical=0.1, adapted=0.1)
    statistics = torch.tensor([dark])
    x = torch.rand(1, 3, length + 2 * network.radius, length + 2 * network.radius)
    with torch.inference_mode(), Traffic() as traffic:
        network.block(x, statistics)
    return traffic.bytes / length**2


def by_kernels(network: Network, colours: int, kept: int, stored: int, answer: int) -> float:
    """Bytes per pixel of the fused kernels: `kept` per value of a map, `stored` of the image."""
    c = network.config
    spliced = colours + c.branch_width * len(c.dilations)
    first, second = c.widths
    see = colours * (stored + kept)
    layers = kept * (spliced + (spliced + first) + (first + second))
    return see + layers + kept * second + colours * (stored + answer)


def computed(case: Case, network: Network) -> list[Row]:
    """What is known of each path without running it."""
    colours, stored = (3, 1) if case.rgb else (1, 2)
    work = 2 * macs(network, colours)
    torch_work = 2 * macs(network, 3)  # which knows no equal channels
    unfused = by_torch(network)
    rows = [(name, unfused, torch_work) for name in ("eager, NCHW", "eager, channels_last")]
    rows.append(("CUDA graphs, channels_last", unfused, torch_work))
    for kind, kept in (("float32", 4), ("float16", 2)):
        rows.append((f"Triton, {kind}, to L", by_kernels(network, colours, kept, stored, 4), work))
        traffic = by_kernels(network, colours, kept, stored, stored)
        rows.append((f"Triton, {kind}, to integers", traffic, work))
    rows += [(f"end to end, {kind}", colours * stored, 0) for kind in ("pinned", "pageable")]
    return [Row(name, moved, flops, case.count) for name, moved, flops in rows]
