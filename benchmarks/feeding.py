"""How much of a training step is making its batch: whether worker processes would pay.

python benchmarks/feeding.py --low lol/train/low --reference lol/train/high
"""

from __future__ import annotations

import time
from pathlib import Path
from statistics import median
from typing import Annotated

import torch
import typer

from napari_lle.model.data.crops import draw_batch
from napari_lle.model.data.loading import load_pairs
from napari_lle.model.training.loop import read_settings
from napari_lle.model.training.run_state import RunState


def main(
    low: Annotated[Path, typer.Option(help="Folder of dark images.")],
    reference: Annotated[Path, typer.Option(help="Folder of references.")],
    model: Annotated[str, typer.Option(help="Whose recipe to follow.")] = "photo",
    repeats: Annotated[int, typer.Option(help="Steps to time.")] = 50,
) -> None:
    """Print the medians of drawing a batch and of a whole step, and their ratio."""
    pairs = load_pairs(low, reference)
    settings = read_settings({"base": model, "batch": 6, "crop": 96})
    state = RunState(settings, torch.device("cpu"), repeats)
    draws, steps = [], []
    for _ in range(repeats):
        start = time.perf_counter()
        s, radius = settings, state.network.radius
        draw_batch(pairs, state.rng, s.batch, s.crop, radius, s.augmentation)
        draws.append(time.perf_counter() - start)
        start = time.perf_counter()
        state.advance(pairs)
        steps.append(time.perf_counter() - start)
    draw, step = 1000 * median(draws), 1000 * median(steps)
    typer.echo(f"batch {draw:.1f} ms, step {step:.1f} ms: {100 * draw / step:.1f} % is feeding")


if __name__ == "__main__":
    typer.run(main)
