"""Train one recipe with several seeds and print how much its scores depend on chance.

    python benchmarks/seeds.py --config photo.yaml --low lol/train/low \\
      --reference lol/train/high --runs runs --steps 8000 --seed 0 --seed 1 --seed 2

Runs resume where they were stopped. ``--card MODEL`` writes the figures into a model's card, too.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import numpy as np
import typer
import yaml

from napari_lle.model.data.loading import load_pairs
from napari_lle.model.network.checkpoint import load_model, save_model
from napari_lle.model.progress import finish
from napari_lle.model.training.loop import TrainingSettings, train

FIGURES = ("psnr", "ssim")


def main(
    config: Annotated[Path, typer.Option(help="YAML file of training settings.")],
    low: Annotated[Path, typer.Option(help="Folder of dark images.")],
    reference: Annotated[Path, typer.Option(help="Folder of references.")],
    runs: Annotated[Path, typer.Option(help="Folder for the runs and models.")],
    seed: Annotated[list[int], typer.Option(help="A seed; give several.")],
    steps: Annotated[int | None, typer.Option(help="Steps of each run.")] = None,
    card: Annotated[Path | None, typer.Option(help="Model file to tell the figures in.")] = None,
) -> None:
    """Print held-out scores for each seed, their mean and standard deviation."""
    values = yaml.safe_load(config.read_text())
    pairs = load_pairs(low, reference)
    rows = []
    for one in seed:
        settings = {**values, "seed": one, **({"steps": steps} if steps else {})}
        run = train(pairs, TrainingSettings.from_dict(settings), run=runs / f"seed-{one}")
        trained = finish(run)
        save_model(runs / f"seed-{one}.safetensors", trained.network, trained.card)
        rows.append([trained.card["held_out"][figure] for figure in FIGURES])
        typer.echo(f"seed {one}: PSNR {rows[-1][0]:.2f} dB, SSIM {rows[-1][1]:.4f}")
    mean, deviation = np.mean(rows, axis=0), np.std(rows, axis=0, ddof=1)
    typer.echo(
        f"{len(rows)} seeds: PSNR {mean[0]:.2f} ± {deviation[0]:.2f} dB, "
        f"SSIM {mean[1]:.4f} ± {deviation[1]:.4f}"
    )
    if card:
        model = load_model(card)
        figures = {
            figure: {"mean": float(m), "deviation": float(d), "of": [row[i] for row in rows]}
            for i, (figure, m, d) in enumerate(zip(FIGURES, mean, deviation, strict=True))
        }
        told = {"seeds": seed, "steps": trained.card["steps"], **figures}
        save_model(card, model.network, {**model.card, "chance": told})


if __name__ == "__main__":
    typer.run(main)
