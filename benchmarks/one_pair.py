"""Train on a part of one pair for a minute and judge on another part, as the training widget does.

The left of the image is marked to train on and the right to judge by, with a gap between them that
no receptive field reaches across; what is printed is of the right part alone. A reference without
a dark image is darkened first, by the camera of `napari_lle.model.evaluation.simulate`: it is taken
for values on a screen, of gamma 2.2, and the camera is linear:

    dark = round((Poisson(e) + N(0, s)) / g + o),  e = electrons * (reference / its maximum) ^ 2.2

with s electrons of read noise, g electrons a unit and an offset of o units, 16 bits.

    python benchmarks/one_pair.py --low low/1.png --reference high/1.png
    python benchmarks/one_pair.py --reference cells.tif --darken
"""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Annotated

import numpy as np
import torch
import typer

from napari_lle.model.data.project import Draft
from napari_lle.model.data.splitting import TRAIN, VALIDATE
from napari_lle.model.evaluation.simulate import camera
from napari_lle.model.io.files import read_image
from napari_lle.model.progress import Steps
from napari_lle.widgets.training.controls import Controls
from napari_lle.widgets.training.quick_settings import TrainingRequest
from napari_lle.widgets.training.runner import Outcome, begin, train_steps

READ_NOISE, GAIN, OFFSET = 2.0, 1.0, 100.0  # of the camera that darkens
GAMMA = 2.2  # of the screen


def darkened(reference: np.ndarray, electrons: float) -> np.ndarray:
    """What the camera sees of a reference with so many electrons at its brightest, uint16."""
    light = electrons * (reference / reference.max()) ** GAMMA
    rng = np.random.default_rng(0)
    return camera(light, rng, gain=GAIN, read_noise=READ_NOISE, offset=OFFSET)


def regions(shape: tuple[int, int], share: float) -> np.ndarray:
    """The annotation: so much of the width to train on, the rest to judge by."""
    mask = np.full(shape, VALIDATE, np.uint8)
    mask[:, : round(share * shape[1])] = TRAIN
    return mask


def trained(folder: Path, draft: Draft, request: TrainingRequest) -> Outcome:
    """What the widget's button does, without the window."""
    begin(folder, [draft], request)
    steps = Steps(train_steps(folder, Controls(), request.device))
    for tick in steps:
        if tick.row:
            print(f"step {tick.done} of {tick.total}: {tick.row['psnr']:.2f} dB", flush=True)
    return steps.answer


def main(
    reference: Annotated[Path, typer.Option(help="The well-exposed image.")],
    low: Annotated[Path | None, typer.Option(help="The dark image of the same scene.")] = None,
    darken: Annotated[bool, typer.Option(help="Darken the reference instead.")] = False,
    electrons: Annotated[float, typer.Option(help="At the brightest, when darkening.")] = 1000,
    minutes: Annotated[float, typer.Option(help="Time to train.")] = 1.0,
    base: Annotated[str, typer.Option(help="The model to go on from; empty: none.")] = "photo",
    share: Annotated[float, typer.Option(help="Of the width, to train on.")] = 0.6,
    threads: Annotated[int, typer.Option(help="CPU threads at most.")] = 2,
) -> None:
    """Print PSNR and SSIM on the held-out region before and after, beside what needs no network."""
    if darken == (low is not None):
        raise typer.BadParameter("give --low, or --darken to make the dark image.")
    torch.set_num_threads(threads)
    bright = read_image(reference)
    dark = bright.pixels if low is None else read_image(low).pixels
    dark = darkened(dark, electrons) if darken else dark
    mask = regions(bright.pixels.shape[:2], share)
    draft = Draft(reference.stem, dark, bright.pixels, bright.rgb, mask)
    with tempfile.TemporaryDirectory() as folder:
        outcome = trained(Path(folder) / "run", draft, TrainingRequest(base, minutes=minutes))
    card = outcome.card
    seconds = f"{card['steps']} steps in {60 * minutes:.0f} s, {card['threads']} threads"
    print(f"\n{reference.name}: {seconds}, from {base or 'scratch'}\n")
    print("| method | PSNR | SSIM |\n|---|--:|--:|")
    for score in outcome.scores:
        print(f"| {score.name} | {score.psnr:.2f} | {score.ssim:.3f} |")
    print(f"\n{outcome.verdict}")


if __name__ == "__main__":
    typer.run(main)
