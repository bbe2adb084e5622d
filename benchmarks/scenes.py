"""Part the pairs of LOL by scene: some to train on, some that only judge.

    python benchmarks/scenes.py lol/train --table lol/scenes.csv -o parted

The table names the scene of each number and what speaks against a pair: the scene or view of a test
picture, a shift of its reference, a dark image that is not dark. Every fifth scene
judges. The folders that are made hold links: train/low, train/high, held/low and held/high.
"""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Annotated

import typer

SHIFT = 0.7  # pixels that a reference may be off
DARK = 0.2  # mean of a dark image
EVERY, FIRST = 5, 2  # scenes that judge


def usable(row: dict[str, str]) -> bool:
    """Whether a pair is aligned, dark, and of no scene of the test pictures."""
    aligned = all(abs(float(row[f"shift_{axis}"])) <= SHIFT for axis in "xy")
    apart = row["shares_scene_with_eval15"] == row["overlaps_view_of_eval15"] == "0"
    return apart and aligned and float(row["low_mean"]) <= DARK


def main(
    folder: Annotated[Path, typer.Argument(help="Holds low and high.")],
    table: Annotated[Path, typer.Option(help="Number, scene and figures of each pair.")],
    output: Annotated[Path, typer.Option("-o", help="The folder to make.")],
) -> None:
    """Make the folders, and say how many pairs are in each."""
    with table.open(newline="") as file:
        rows = {int(row["number"]): row for row in csv.DictReader(file) if usable(row)}
    scenes = sorted({row["scene"] for row in rows.values()}, key=int)
    judging = set(scenes[FIRST::EVERY])
    counts = dict.fromkeys(("train", "held"), 0)
    for kind in ("low", "high"):
        for file in sorted((folder / kind).iterdir()):
            row = rows.get(int(file.stem)) if file.stem.isdigit() else None
            if row:
                part = "held" if row["scene"] in judging else "train"
                target = output / part / kind
                target.mkdir(parents=True, exist_ok=True)
                (target / file.name).symlink_to(file.resolve())
                counts[part] += kind == "low"
    typer.echo(", ".join(f"{count} pairs in {part}" for part, count in counts.items()))


if __name__ == "__main__":
    typer.run(main)
