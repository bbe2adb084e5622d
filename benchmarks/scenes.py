"""Part the pairs of LOL by scene: some to train on, some that only judge.

    python benchmarks/scenes.py lol/train --table lol/scenes.csv -o parted

The table names the scene of each number and what speaks against a pair: the scene or view of a test
picture, a shift of its reference, a dark image that is not dark. Every fifth scene
judges. The folders that are made hold links: train/low, train/high, held/low and held/high.

With --brackets FOLDER, dark and middle exposures of daylight are added, every pair of LOL then
twice: every ninth goes to brackets/low and brackets/high, to judge; those with highlights are left
out, for their references are burnt there.
"""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Annotated

import numpy as np
import typer

from napari_lle.model.data.folders import image_files
from napari_lle.model.io.files import read_image

SHIFT = 0.7  # pixels that a reference may be off
DARK = 0.2  # mean of a dark image
EVERY, FIRST = 5, 2  # scenes that judge
NINTH, THIRD = 9, 2  # brackets that judge
HIGHLIGHT = 0.5  # 98th percentile of the brightest colour


def usable(row: dict[str, str]) -> bool:
    """Whether a pair is aligned, dark, and of no scene of the test pictures."""
    aligned = all(abs(float(row[f"shift_{axis}"])) <= SHIFT for axis in "xy")
    apart = row["shares_scene_with_eval15"] == row["overlaps_view_of_eval15"] == "0"
    return apart and aligned and float(row["low_mean"]) <= DARK


def link(file: Path, target: Path) -> None:
    """Let a name in another folder stand for a file."""
    target.parent.mkdir(parents=True, exist_ok=True)
    target.symlink_to(file.resolve())


def add_brackets(folder: Path, output: Path) -> dict[str, int]:
    """Link exposure brackets, and count them."""
    low, high = (image_files(folder / kind) for kind in ("low", "high"))
    names = sorted(low.keys() & high.keys())
    judging = set(names[THIRD::NINTH])
    counts = {"brackets": len(judging), "train of brackets": 0}
    for name in names:
        if name not in judging:
            brightest = read_image(low[name]).pixels.max(axis=-1)
            if np.percentile(brightest, 98) >= 255 * HIGHLIGHT:
                continue
            counts["train of brackets"] += 1
        part = "brackets" if name in judging else "train"
        for kind, files in (("low", low), ("high", high)):
            link(files[name], output / part / kind / files[name].name)
    return counts


def main(
    folder: Annotated[Path, typer.Argument(help="Holds low and high.")],
    table: Annotated[Path, typer.Option(help="Number, scene and figures of each pair.")],
    output: Annotated[Path, typer.Option("-o", help="The folder to make.")],
    brackets: Annotated[Path | None, typer.Option(help="Holds low and high, too.")] = None,
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
                link(file, output / part / kind / file.name)
                if brackets and part == "train":
                    link(file, output / part / kind / f"twice-{file.name}")
                counts[part] += kind == "low"
    if brackets:
        counts |= add_brackets(brackets, output)
    typer.echo(", ".join(f"{count} pairs in {part}" for part, count in counts.items()))


if __name__ == "__main__":
    typer.run(main)
