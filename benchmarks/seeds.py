"""Train one recipe with several seeds and print how much its scores depend on chance.

    python benchmarks/seeds.py --config photo.yaml --low parted/train/low \\
      --reference parted/train/high --runs runs --steps 8000 --seed 0 --seed 1 --seed 2

Runs resume where they were stopped. With ``--held-low`` and ``--held-reference`` the last weights
are judged by these pairs, not by those that the run held out; ``--change auxiliary=0.1`` changes
the recipe, and may be given often. ``--card MODEL`` writes the figures into a model's card, too.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import numpy as np
import typer
import yaml

from napari_lle.model.data.loading import load_pairs
from napari_lle.model.evaluation.metrics import score
from napari_lle.model.evaluation.photographs import method_of
from napari_lle.model.network.checkpoint import load_model, save_model
from napari_lle.model.progress import finish
from napari_lle.model.training.loop import TrainingSettings, train

FIGURES = ("psnr", "ssim", "psnr_gt_mean")


def main(
    config: Annotated[Path, typer.Option(help="YAML file of training settings.")],
    low: Annotated[Path, typer.Option(help="Folder of dark images.")],
    reference: Annotated[Path, typer.Option(help="Folder of references.")],
    runs: Annotated[Path, typer.Option(help="Folder for the runs and models.")],
    seed: Annotated[list[int], typer.Option(help="A seed; give several.")],
    steps: Annotated[int | None, typer.Option(help="Steps of each run.")] = None,
    held_low: Annotated[Path | None, typer.Option(help="Dark images that judge.")] = None,
    held_reference: Annotated[Path | None, typer.Option(help="Their references.")] = None,
    change: Annotated[list[str] | None, typer.Option(help="name=value of a setting.")] = None,
    card: Annotated[Path | None, typer.Option(help="Model file to tell the figures in.")] = None,
) -> None:
    """Print scores for each seed, their mean and standard deviation."""
    values = yaml.safe_load(config.read_text())
    for each in change or []:
        name, _, value = each.partition("=")
        values[name] = yaml.safe_load(value)
    if steps:
        values["steps"] = steps
    pairs = load_pairs(low, reference)
    held = load_pairs(held_low, held_reference) if held_low and held_reference else []
    rows = []
    for one in seed:
        settings = TrainingSettings.from_dict({**values, "seed": one})
        trained = finish(train(pairs, settings, run=runs / f"seed-{one}"))
        save_model(runs / f"seed-{one}.safetensors", trained.network, trained.card)
        found = judged(runs / f"seed-{one}.safetensors", held) if held else trained.card["held_out"]
        rows.append([found[figure] for figure in FIGURES if figure in found])
        typer.echo(f"seed {one}: " + told(rows[-1]))
    if len(rows) < 2:  # one says nothing of chance
        return
    mean, deviation = np.mean(rows, axis=0), np.std(rows, axis=0, ddof=1)
    typer.echo(f"{len(rows)} seeds: " + told(mean) + "; deviation " + told(deviation))
    if card:
        model = load_model(card)
        figures = {
            figure: {"mean": float(m), "deviation": float(d), "of": [row[i] for row in rows]}
            for i, (figure, m, d) in enumerate(zip(FIGURES, mean, deviation, strict=False))
        }
        chance = {"seeds": seed, "steps": trained.card["steps"], **figures}
        save_model(card, model.network, {**model.card, "chance": chance})


def judged(model: Path, held: list[Any]) -> dict[str, float]:
    """Means of `metrics.score` over pairs."""
    method = method_of(load_model(model))
    rows = [score(method(pair.low), pair.reference) for pair in held]
    return {name: float(np.mean([row[name] for row in rows])) for name in rows[0]}


def told(figures: Any) -> str:
    """PSNR, SSIM, and PSNR at the reference's brightness where it was found."""
    words = [f"PSNR {figures[0]:.2f} dB", f"SSIM {figures[1]:.4f}"]
    words += [f"GT-mean {each:.2f} dB" for each in figures[2:]]
    return ", ".join(words)


if __name__ == "__main__":
    typer.run(main)
