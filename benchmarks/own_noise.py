"""Learn from the user's own noisy images, without references, and say what it was worth.

What is printed first is what a user sees: how well each method tells pixels, or frames, that were
kept aside, and how much computing it took. Where averages of the same fields are at hand, the
figures of `evaluate --noisy --clean` follow, on files that training has not seen: those whose names
are in `--aside`.

    python benchmarks/own_noise.py stacks/membrane_timelapse.tif
    python benchmarks/own_noise.py w2s/noisy --clean w2s/clean --aside 017,041,065
"""

from __future__ import annotations

import os
import tempfile
import time
from pathlib import Path
from typing import Annotated

import torch
import typer

from napari_lle.model.data.folders import image_files
from napari_lle.model.data.loading import load_series
from napari_lle.model.evaluation.noisy_pairs import noisy_pairs_steps
from napari_lle.model.network.checkpoint import save_model
from napari_lle.model.progress import Steps, finish
from napari_lle.model.training.loop import train
from napari_lle.model.training.settings import SCIENCE, TrainingSettings
from napari_lle.model.training.verdict import verdict_steps


def parted(source: Path, aside: list[str]) -> tuple[list[Path], list[Path]]:
    """Files to train on, and those whose names begin as one of `aside` does."""
    files = list(image_files(source).values()) if source.is_dir() else [source]
    kept = [file for file in files if any(file.name.startswith(name) for name in aside)]
    return [file for file in files if file not in kept], kept


def against_averages(kept: list[Path], clean: Path, model: Path) -> None:
    """Print how near methods come to averages of fields that were kept aside."""
    with tempfile.TemporaryDirectory() as folder:
        for file in kept:
            (Path(folder) / file.name).symlink_to(file.resolve())
        report = finish(noisy_pairs_steps(folder, clean, ("science", model)))
    print(f"against averages, {report['n']} files kept aside:")
    for name, row in report["methods"].items():
        shown = "after" if name == str(model) else name
        print(f"  {shown:<16}{row['psnr']:6.2f} dB  SSIM {row['ssim']:.3f}  CNR {row['cnr']:.1f}")


def main(
    source: Annotated[Path, typer.Argument(help="A noisy image, a stack, or a folder of them.")],
    clean: Annotated[Path | None, typer.Option(help="Averages, matched by name.")] = None,
    aside: Annotated[str, typer.Option(help="Beginnings of names to keep aside, by commas.")] = "",
    minutes: Annotated[float, typer.Option(help="Time to train.")] = 1.0,
    threads: Annotated[int, typer.Option(help="CPU threads at most.")] = 2,
    seed: Annotated[int, typer.Option(help="Of chance.")] = 0,
) -> None:
    """Print figures after a minute's training on noisy images alone."""
    torch.set_num_threads(threads)
    files, kept = parted(source, [name for name in aside.split(",") if name])
    settings = TrainingSettings.from_dict(
        {**SCIENCE, "objective": "noisy", "minutes": minutes, "seed": seed}
    )
    images = load_series(files)
    began, used = time.perf_counter(), time.process_time()
    run = Steps(train(images, settings, device="cpu"))
    for event in run:
        if event.note:
            print(event.note)
    wall, cpu = time.perf_counter() - began, time.process_time() - used
    network, card = run.answer
    print(
        f"{card['steps']} steps, {wall:.0f} s, {cpu:.0f} s of CPU time, {card['threads']} threads, "
        f"{os.cpu_count()} cores, {network.inference_parameters()} parameters; kept aside:"
    )
    scores, sentence = finish(verdict_steps(network, settings, images))
    for score in scores:
        print(f"  {score.name:<16}{score.psnr:6.2f} dB")
    print(sentence)
    if clean and kept:
        with tempfile.TemporaryDirectory() as folder:
            model = Path(folder) / "own.safetensors"
            save_model(model, network, card)
            against_averages(kept, clean, model)


if __name__ == "__main__":
    typer.run(main)
