"""Kill ``napari-lle train`` at random moments, resume it, and compare with a run left in peace.

    python benchmarks/kill_training.py --kills 100

After each kill the state must be whole, no older than the last one, and no staler than the
checkpoint interval allows; at the end weights and log must equal the uninterrupted run's bit for
bit. The interval is short here; it is a minute for users.
"""

from __future__ import annotations

import argparse
import csv
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from itertools import pairwise
from pathlib import Path

import numpy as np
import torch
import yaml
from safetensors.torch import load_file

from napari_lle.model.io.files import write_image

# Enough steps that the kills fall into training, small enough that each takes milliseconds.
SETTINGS = {
    "network": {"dilations": [1, 2], "branch_width": 1, "widths": [4, 4], "stages": 2},
    "batch": 1,
    "crop": 16,
    "validate_every": 25,
    "augmentation": {"exposure": 0.5, "lit": 0.2},
}
STEP_SECONDS = 5.0  # allowed on top of the interval: the first validation imports what it needs


def write_data(folder: Path) -> None:
    rng = np.random.default_rng(0)
    for name in ("low", "high"):
        (folder / name).mkdir()
    for i in range(5):
        scene = rng.random((6, 8, 3)).repeat(6, 0).repeat(6, 1)
        bright = (scene * 255).astype(np.uint8)
        dark = (rng.poisson(scene * 30)).clip(0, 255).astype(np.uint8)
        write_image(folder / "high" / f"{i}.png", bright, rgb=True)
        write_image(folder / "low" / f"{i}.png", dark, rgb=True)
    (folder / "run.yaml").write_text(yaml.safe_dump(SETTINGS))


def start(folder: Path, name: str, steps: int, interval: float) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "napari_lle.cli", "train", "-o", f"{name}.safetensors"]
    command += ["--low", "low", "--reference", "high", "--config", "run.yaml", "--device", "cpu"]
    command += ["--steps", str(steps), "--resume", name, "--checkpoint-seconds", str(interval)]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    with (folder / f"{name}.err").open("wb") as errors:
        return subprocess.Popen(
            command, cwd=folder, env=environment, stdout=subprocess.DEVNULL, stderr=errors
        )


def story(run: Path) -> dict[str, object]:
    """What a resumed run reads; raises if it is not whole."""
    state = torch.load(run / "state.pt", weights_only=True)
    found: dict[str, object] = json.loads(state["story"])
    return found


def finished(process: subprocess.Popen[bytes], folder: Path, name: str) -> None:
    if process.wait() != 0:
        raise SystemExit(f"{name} failed: {(folder / f'{name}.err').read_text()[-2000:]}")


def kill_once(folder: Path, process: subprocess.Popen[bytes], chance: random.Random) -> float:
    """Kill after a random time; return the age of the state then, 0 before training began."""
    state = folder / "killed" / "state.pt"
    begun = state.stat().st_mtime_ns if state.exists() else 0
    if chance.random() < 0.9:  # the others die while they start
        while process.poll() is None and (not state.exists() or state.stat().st_mtime_ns == begun):
            time.sleep(0.005)
        time.sleep(chance.uniform(0, 3))
    else:
        time.sleep(chance.uniform(0, 4))
    running = state.exists() and state.stat().st_mtime_ns != begun
    process.send_signal(signal.SIGKILL)
    age = time.time() - state.stat().st_mtime if running else 0.0
    process.wait()
    return age


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--kills", type=int, default=100)
    parser.add_argument("--steps", type=int, default=6000)
    parser.add_argument("--interval", type=float, default=0.3, help="seconds between checkpoints")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    chance = random.Random(options.seed)
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        write_data(folder)
        began = time.monotonic()
        finished(start(folder, "peace", options.steps, 60), folder, "peace")
        print(f"uninterrupted: {time.monotonic() - began:.0f} s", flush=True)
        ages, steps, kills = [], [0], 0
        while kills < options.kills:
            process = start(folder, "killed", options.steps, options.interval)
            age = kill_once(folder, process, chance)
            if process.returncode != -signal.SIGKILL:
                finished(process, folder, "killed")
                print("The run ended before the last kill: give it more --steps.")
                break
            kills += 1
            ages.append(age)
            if (folder / "killed" / "state.pt").exists():
                steps.append(int(str(story(folder / "killed")["step"])))
            if steps != sorted(steps):
                raise SystemExit(f"kill {kills}: the state went back to step {steps[-1]}")
            if age > options.interval + STEP_SECONDS:
                raise SystemExit(f"kill {kills}: the state was {age:.1f} s old")
            if kills % 10 == 0:
                print(
                    f"{kills} kills, step {steps[-1]}, {time.monotonic() - began:.0f} s", flush=True
                )
        finished(start(folder, "killed", options.steps, options.interval), folder, "killed")
        compare(folder)
        training = sum(b > a for a, b in pairwise(steps))
        print(
            f"{kills} kills, {training} of them after progress; oldest state at a kill "
            f"{max(ages):.2f} s (interval {options.interval:g} s); weights and log equal the "
            "uninterrupted run's bit for bit"
        )


def compare(folder: Path) -> None:
    a, b = (load_file(folder / f"{name}.safetensors") for name in ("peace", "killed"))
    if a.keys() != b.keys() or not all(torch.equal(a[k], b[k]) for k in a):
        raise SystemExit("The weights differ from the uninterrupted run's.")
    logs = [(folder / name / "log.csv").read_text() for name in ("peace", "killed")]
    rows = [row["step"] for row in csv.DictReader(logs[1].splitlines())]
    if logs[0] != logs[1] or len(set(rows)) < len(rows):
        raise SystemExit("The log differs from the uninterrupted run's.")
    left = [f.name for f in (folder / "killed").iterdir() if f.name.startswith(".")]
    if left:
        raise SystemExit(f"Leftovers of killed runs: {left}")


if __name__ == "__main__":
    main()
