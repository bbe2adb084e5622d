"""A step of training and a validation: torch beside compiled code, interleaved in one process.

    python benchmarks/training.py [--repeats 5]

The recipe is `photo`'s: six crops of 96 pixels, later stages included. CPU time is summed over
threads, and steadier than the clock's where others use the machine, too. *Around it* is what a step
takes beside all arithmetic on pixels: one of crops so small that there is hardly any.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from dataclasses import replace
from statistics import median
from typing import Annotated

import numpy as np
import torch
import typer
import yaml

from napari_lle.model import kernels
from napari_lle.model.data.crops import draw_batch
from napari_lle.model.data.pairs import Pair
from napari_lle.model.kernels.training.compiled import compile_training
from napari_lle.model.network.bundled import FOLDER
from napari_lle.model.progress import finish
from napari_lle.model.training.loop import read_settings
from napari_lle.model.training.pace import Counted
from napari_lle.model.training.run_state import RunState
from napari_lle.model.training.settings import FROM_SCIENCE, TrainingSettings
from napari_lle.model.training.validation import judge_steps

CPU = torch.device("cpu")
SMALL = {"crop": 16, "batch": 3}


def pictures(count: int) -> list[Pair]:
    """Striped, noisy pairs of 600 x 400 pixels."""
    rng = np.random.default_rng(0)
    x = np.arange(600)[:, None] / 7
    found = []
    for i in range(count):
        stripes = 0.5 + 0.2 * np.sin(x + i) * np.array([1, 0.8, 0.6])
        bright = (stripes + 0.1 * rng.normal(size=(400, 600, 3))).clip(0, 1).astype(np.float32)
        dark = (bright * 0.15 * 255 + rng.normal(size=bright.shape)).round().clip(0, 255) / 255
        found.append(Pair(str(i), dark.astype(np.float32), bright))
    return found


def timed(call: Callable[[], object], times: int) -> tuple[float, float]:
    """Milliseconds by the clock and of CPU time, of one of several calls."""
    clock, work = time.perf_counter(), time.process_time()
    for _ in range(times):
        call()
    return 1e3 * (time.perf_counter() - clock) / times, 1e3 * (time.process_time() - work) / times


def state(settings: TrainingSettings, switch: str) -> RunState:
    os.environ[kernels.SWITCH] = switch
    begun = RunState(settings, CPU)
    begun.pace = Counted(settings.steps, settings.validate_every)
    return begun


def judging(of: RunState, pairs: list[Pair], switch: str) -> Callable[[], object]:
    def call() -> object:
        os.environ[kernels.SWITCH] = switch
        return finish(judge_steps(of.averaged(), of.objective, pairs, of.settings.crop, CPU))

    return call


def colourless(image: np.ndarray) -> np.ndarray:
    return np.repeat(image.mean(axis=-1, keepdims=True), 3, axis=-1)


def tasks(settings: TrainingSettings, pairs: list[Pair]) -> dict[str, tuple[str, int, int, object]]:
    """Name -> what is compared, threads, how often in a row, what to call."""
    found: dict[str, tuple[str, int, int, object]] = {}
    grey = [Pair(p.name, *(colourless(x) for x in (p.low, p.reference))) for p in pairs]
    for switch, name in (("torch", "torch"), ("auto", "compiled")):
        whole = state(settings, switch)
        small = state(replace(settings, **SMALL), switch)
        # Threads of torch's that wait for each other spin: of no use where others work, too.
        for threads in (1, 2) if switch == "auto" else (1,):
            found[f"step, {name}, threads {threads}"] = (
                "step",
                threads,
                5,
                lambda whole=whole: whole.advance(pairs),
            )
        found[f"around it, {name}"] = ("around it", 1, 10, lambda small=small: small.advance(pairs))
        mixing = state(read_settings(FROM_SCIENCE), switch)
        found[f"step from science, grey, {name}"] = (
            "science",
            1,
            1,
            lambda mixing=mixing: mixing.advance(grey),
        )
        found[f"validation of {len(pairs)} pairs, {name}"] = (
            "validation",
            1,
            1,
            judging(whole, pairs, switch),
        )
    draw = (settings.batch, settings.crop, 8, settings.augmentation)
    rng = np.random.default_rng(0)
    large = [Pair("large", *(np.tile(x, (7, 7, 1)) for x in (pairs[0].low, pairs[0].reference)))]
    for name, of in (("", pairs), (" of 12 megapixels", large)):
        found[f"drawing crops{name}, part of each step"] = (
            "step",
            1,
            10,
            lambda of=of: draw_batch(of, rng, *draw),
        )
    return found


def main(
    repeats: int = 5, count: Annotated[int, typer.Option(help="Pairs of a validation.")] = 20
) -> None:
    os.environ[kernels.SWITCH] = "auto"
    compile_training()
    recipe = yaml.safe_load((FOLDER / "photo.yaml").read_text())  # type: ignore[attr-defined]
    settings, pairs = read_settings(recipe), pictures(count)
    calls = tasks(settings, pairs)
    times: dict[str, list[tuple[float, float]]] = {name: [] for name in calls}
    for _ in range(repeats + 1):
        for name, (_, threads, often, call) in calls.items():
            torch.set_num_threads(threads)
            times[name].append(timed(call, often))  # type: ignore[arg-type]
    print("| what | clock, ms | CPU, ms | CPU time by torch's |\n|---|--:|--:|--:|")
    plain: dict[str, float] = {}
    for name, (what, *_) in calls.items():
        clock, work = (median(column) for column in zip(*times[name][1:], strict=True))
        first = plain.setdefault(what, work)
        print(f"| {name} | {clock:.1f} | {work:.1f} | {work / first:.2f} |")


if __name__ == "__main__":
    typer.run(main)
