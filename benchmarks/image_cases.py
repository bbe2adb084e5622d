"""Images and stacks of random numbers, as stored and as the network sees them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch

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
        self.known = known = survey(self.pixels, EnhanceOptions(rgb=self.rgb))
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


def cases(sizes: list[str]) -> list[Case]:
    rng = np.random.default_rng(0)
    found = []
    for size in sizes:
        numbers = [int(n) for n in size.split("x")]
        if len(numbers) == 2:
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
    per_tap = colours * branches + (colours + branches) * first + first * second + second * 3
    return 9 * per_tap
