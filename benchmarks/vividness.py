"""Fit how vivid a model's colours are to be, by dark images and references.

    python benchmarks/vividness.py photo --low parted/train/low --reference parted/train/high

Prints the two figures of `vivid` in a recipe, see `formulas.vividness`: those that raise the mean
PSNR most if the colours' differences from grey are scaled. What the model has of them is left out.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Annotated, NamedTuple

import numpy as np
import typer
from numpy.typing import NDArray
from scipy.optimize import minimize

from napari_lle.model.data.loading import load_pairs
from napari_lle.model.data.pairs import Pair
from napari_lle.model.evaluation.metrics import Method
from napari_lle.model.evaluation.photographs import method_of
from napari_lle.model.network.checkpoint import Model, load_model
from napari_lle.model.network.config import MOST_VIVID
from napari_lle.model.network.formulas import vividness
from napari_lle.model.network.network import Network
from napari_lle.model.preprocessing.statistics import Statistics


class Shares(NamedTuple):
    """Of one pair: its error, and how it depends on the factor that colours are scaled by."""

    error: float
    power: float
    slope: float
    lit: float
    noise: float


def main(
    model: Annotated[str, typer.Argument(help="A bundled model or a .safetensors file.")],
    low: Annotated[Path, typer.Option(help="Folder of dark images.")],
    reference: Annotated[Path, typer.Option(help="Folder of references.")],
) -> None:
    """Print the figures, and what they bring."""
    method = method_of(without_vividness(load_model(model)), "cpu")
    found = np.array([shares(method, pair) for pair in load_pairs(low, reference)])
    error, power, slope, lit, noise = found.T

    def gain(vivid: NDArray[np.float64]) -> float:
        factor = vividness(lit, noise, (vivid[0], vivid[1]))
        after = error + power * ((factor - slope) ** 2 - (1 - slope) ** 2)
        return float(np.mean(10 * np.log10(error / after)))

    bounds = [(0.0, most) for most in MOST_VIVID]
    start = [most / 4 for most in MOST_VIVID]
    best = minimize(lambda v: -gain(v), start, method="Nelder-Mead", bounds=bounds).x
    each = np.mean(10 * np.log10(error / (error - power * (1 - slope) ** 2)))
    typer.echo(f"vivid: [{best[0]:.2f}, {best[1]:.2f}]: {gain(best):+.2f} dB of {len(found)} pairs")
    typer.echo(f"a factor of its own for each, known from its reference: {each:+.2f} dB")


def without_vividness(model: Model) -> Model:
    network = Network(replace(model.network.config, vivid=(0.0, 0.0)))
    network.load_state_dict(model.network.state_dict())
    return replace(model, source=network.requires_grad_(False).eval())


def shares(method: Method, pair: Pair) -> Shares:
    result = method(pair.low).clip(0, 1)
    mine, theirs = (x - x.mean(axis=-1, keepdims=True) for x in (result, pair.reference))
    power = float((mine**2).mean())
    slope = float((mine * theirs).mean()) / max(power, 1e-12)
    known = Statistics(*pair.statistics.tolist())
    return Shares(
        float(((result - pair.reference) ** 2).mean()), power, slope, known.lit, known.noise
    )


if __name__ == "__main__":
    typer.run(main)
