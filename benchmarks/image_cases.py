"""Images and stacks of random numbers, as stored and as the network sees them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from scipy.ndimage import gaussian_filter

from napari_lle.model.inference.options import EnhanceOptions
from napari_lle.model.inference.plan import Plan, make_plan, survey
from napari_lle.model.inference.planes import as_channels
from napari_lle.model.network.network import Network
from napari_lle.model.preprocessing.levels import network_input, normalize


@dataclass
class Case:
    """An image or a stack, as stored and as the network sees it."""

    name: str
    pixels: np.ndarray
    model: str
    rgb: bool

    def __post_init__(self) -> None:
        self.plans: dict[int, Plan] = {}
        self.known = known = survey(self.pixels, EnhanceOptions(model=self.model, rgb=self.rgb))
        self.statistics = torch.tensor([known.statistics])
        planes = [self.pixels] if self.rgb else self.pixels
        self.planes = [
            np.ascontiguousarray(
                as_channels(network_input(normalize(plane, known.levels)), self.rgb)
            )
            for plane in planes
        ]

    def plan(self, scale: int) -> Plan:
        if scale not in self.plans:
            options = EnhanceOptions(
                model=self.model, rgb=self.rgb, device="cpu", illumination_scale=scale
            )
            self.plans[scale] = make_plan(self.pixels, options, self.known)
        return self.plans[scale]

    @property
    def count(self) -> int:
        return sum(plane[0].size for plane in self.planes)


def cells(shape: tuple[int, ...], rng: np.random.Generator) -> np.ndarray:
    """Photons of soft spots, which fill half of the image, over an even background."""
    spots = gaussian_filter(rng.normal(size=shape), (0, 6, 6))
    return rng.poisson(20 + 25 * (spots / spots.std()).clip(0)).astype(np.uint16)


def cases(sizes: list[str]) -> list[Case]:
    rng = np.random.default_rng(0)
    found = []
    for size in sizes:
        model, _, size = size.rpartition(":")
        numbers = [int(n) for n in size.split("x")]
        if model == "science":
            shape = (1, numbers[1], numbers[0])
            found.append(Case(f"{size}, uint16, cells", cells(shape, rng), "science", False))
        elif len(numbers) == 2:
            shape = (numbers[1], numbers[0], 3)
            dark = (rng.gamma(2, 0.05, shape).clip(0, 1) * 255).astype(np.uint8)
            found.append(Case(f"{size}, RGB uint8", dark, "photo", True))
        else:
            dark = (rng.gamma(2, 0.05, numbers) * 4000).clip(0, 65535).astype(np.uint16)
            found.append(Case(f"{size}, uint16", dark, "linear", False))
    return found


def macs(network: Network, colours: int) -> int:
    """Multiplications per pixel, where equal channels enter once."""
    c = network.config
    branches = c.branch_width * len(c.dilations)
    first, second = c.widths
    maps = 3 if c.by_channel else colours  # that H sees
    last = second * network.block.residual.conv3.out_channels
    taps = 9 * (maps * branches + (maps + branches) * first + first * second + last)
    return taps * 4 // 3 if c.by_channel else taps  # at full size and at ever smaller ones
