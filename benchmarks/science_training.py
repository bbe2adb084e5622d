"""Train the model `science` on the pairs of `science_pairs.py`.

    python benchmarks/science_training.py pairs.npz -o science.safetensors

The loss is the logarithm of each pair's mean square error on the screen stretch, which counts an
image with little noise as much as one with a lot; the same of the error smoothed over 5 pixels
beside it, because faint objects are told by means. The recipe goes by time, so that weights differ
from machine to machine. The averaged weights so far are written every 500 steps; --base goes on
from a model of the same form.
"""

from __future__ import annotations

import time
from pathlib import Path
from typing import Annotated

import numpy as np
import torch
import typer
from torch import Tensor
from torch.nn import functional as F

from napari_lle.model.network.blocks import screen_stretch
from napari_lle.model.network.checkpoint import load_model, save_model
from napari_lle.model.network.formulas import FLOOR_PLACE, GRAIN_PLACE, SHOT_PLACE, SOFT_PLACE
from napari_lle.model.network.network import Network, NetworkConfig, pad
from napari_lle.model.preprocessing.screen import TYPICAL
from napari_lle.model.preprocessing.statistics import Statistics

CONFIG = NetworkConfig(
    "mixing",
    dilations=(1, 2, 3),
    branch_width=2,
    widths=(6, 5),
    activation="prelu",
    modulated=2,
    stages=1,
)
BATCH, SIDE, RATE = 4, 128, 0.006
SHARES = (0.6, 0.22, 0.18)  # of simulated exposures, frames and excitation in a batch
DOUBT = (0.15, 0.08)  # log deviation by which noise and grain are told wrongly
LEAST = 3e-6  # of a mean square error: 55 dB are as good as any
SMOOTH = 0.3  # weight of the smoothed error
AVERAGE = 0.999  # of the weights that are saved

Pairs = tuple[Tensor, Tensor, Tensor]


def loss(network: Network, x: Tensor, y: Tensor, figures: Tensor) -> Tensor:
    """Of noisy planes and their expectations, (N, H, W), told (N, 5)."""
    statistics = torch.zeros(len(x), len(Statistics._fields))
    statistics[:, [TYPICAL, SHOT_PLACE, FLOOR_PLACE, GRAIN_PLACE, SOFT_PLACE]] = figures
    shown = network.block.reflectance(pad(x[:, None].clamp(0, 1), network.radius), statistics)
    error = shown - screen_stretch(y[:, None].clamp(0, 1), statistics)
    smoothed = F.avg_pool2d(F.avg_pool2d(error, 3, 1), 3, 1)
    return _log(error, LEAST) + SMOOTH * _log(smoothed, LEAST / 4)


def _log(error: Tensor, least: float) -> Tensor:
    return torch.log(error.square().mean(dim=(1, 2, 3)) + least).mean()


def draw(kinds: list[Pairs], rng: np.random.Generator) -> Pairs:
    """Crops of random pairs, turned and mirrored."""
    rows = []
    for _ in range(BATCH):
        x, y, figures = kinds[rng.choice(len(kinds), p=SHARES)]
        i, (top, left) = rng.integers(len(x)), rng.integers(x.shape[1] - SIDE + 1, size=2)
        both = torch.stack([a[i, top : top + SIDE, left : left + SIDE] for a in (x, y)])
        both = torch.rot90(both, int(rng.integers(4)), (1, 2))
        both = both.flip(1) if rng.random() < 0.5 else both
        told = figures[i].clone()
        told[1:3] *= float(np.exp(rng.normal(0, DOUBT[0])))
        told[3] = max(1.0, float(told[3] * np.exp(rng.normal(0, DOUBT[1]))))
        rows.append((*both, told))
    x, y, figures = (torch.stack(part) for part in zip(*rows, strict=True))
    return x, y, figures


def main(
    pairs: Annotated[Path, typer.Argument(help="Of science_pairs.py.")],
    output: Annotated[Path, typer.Option("-o", help="The model file to write.")],
    minutes: Annotated[float, typer.Option(help="Training time.")] = 46.0,
    seed: Annotated[int, typer.Option(help="Of all chance.")] = 0,
    base: Annotated[Path | None, typer.Option(help="A model file to go on from.")] = None,
    rate: Annotated[float, typer.Option(help="Adam's at first.")] = RATE,
) -> None:
    """Train, and write the averaged weights."""
    torch.manual_seed(seed)
    torch.set_num_threads(1)
    rng = np.random.default_rng(seed)
    data = np.load(pairs)
    kind, all_pairs = data["kind"], [data[name] for name in ("x", "y", "figures")]
    kinds: list[Pairs] = []
    for k in range(len(SHARES)):
        x, y, figures = (torch.from_numpy(a[kind == k]) for a in all_pairs)
        kinds.append((x, y, figures))
    network = Network(CONFIG) if base is None else load_model(base).network
    network.train().requires_grad_(True)
    weights = list(network.block.parameters())
    optimiser = torch.optim.Adam(weights, lr=rate, betas=(0.9, 0.98))
    average = {name: value.clone() for name, value in network.state_dict().items()}
    start, step = time.monotonic(), 0
    while (done := (time.monotonic() - start) / 60 / minutes) < 1:
        eased = min(1, (step + 1) / 100) * (0.51 + 0.5 * np.cos(np.pi * done))
        optimiser.param_groups[0]["lr"] = rate * eased
        value = loss(network, *draw(kinds, rng))
        optimiser.zero_grad()
        value.backward()
        torch.nn.utils.clip_grad_norm_(weights, 1.0)
        optimiser.step()
        keep = min(AVERAGE, step / (step + 50))
        with torch.no_grad():
            for name, now in network.state_dict().items():
                average[name].lerp_(now, 1 - keep)
        step += 1
        if step % 500 == 0:
            typer.echo(f"step {step}, {60 * done * minutes:.0f} s, loss {value.item():.3f}")
            save(output, network.config, average, step)
    save(output, network.config, average, step)


def save(output: Path, config: NetworkConfig, weights: dict[str, Tensor], step: int) -> None:
    """Write a model file of these weights."""
    network = Network(config)
    network.load_state_dict(weights)
    save_model(output, network, {"command": "benchmarks/science_training.py", "steps": step})


if __name__ == "__main__":
    typer.run(main)
