"""Enhance a Zarr much larger than the memory allowed, then kill the run and take it up again.

    python benchmarks/big_zarr.py --side 20000 --folder /tmp/big

Makes a uint16 Zarr of side x side x 3, runs ``napari-lle enhance`` on it, and prints time and the
peak of resident memory, beside a plain copy chunk by chunk. Then the same run is killed with
SIGKILL at random moments and started again until it ends: of the chunks that a killed run wrote,
none but those of the block under way may be written again, and the result must equal the
uninterrupted run's bit for bit.
"""

from __future__ import annotations

import argparse
import os
import random
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import zarr

CHUNK = 1024


def make_input(path: Path, side: int) -> None:
    """Dim, uneven, noisy colours with bright spots, made a chunk at a time."""
    if path.exists():
        return
    array = zarr.create_array(
        path, shape=(side, side, 3), chunks=(CHUNK, CHUNK, 3), dtype=np.uint16, overwrite=True
    )
    for top in range(0, side, CHUNK):
        for left in range(0, side, CHUNK):
            rng = np.random.default_rng([top, left])
            shape = min(CHUNK, side - top), min(CHUNK, side - left)
            rows = np.arange(top, top + shape[0])[:, None] / side
            columns = np.arange(left, left + shape[1]) / side
            light = 200 + 1500 * np.exp(-4 * ((rows - 0.4) ** 2 + (columns - 0.6) ** 2))
            scene = light[..., None] * rng.gamma(4, 0.25, (*shape, 1)) * (1.0, 0.7, 0.5)
            scene[rng.random(shape) < 1e-4] *= 20
            array[top : top + shape[0], left : left + shape[1]] = scene.clip(0, 65535)


def copy(source: Path, target: Path) -> float:
    """The seconds that it takes to read all chunks and write them again, one after another."""
    start = time.perf_counter()
    given = zarr.open(source, mode="r")
    made = zarr.create_array(
        target, shape=given.shape, chunks=given.chunks, dtype=given.dtype, overwrite=True
    )
    for top in range(0, given.shape[0], CHUNK):
        for left in range(0, given.shape[1], CHUNK):
            here = slice(top, top + CHUNK), slice(left, left + CHUNK)
            made[here] = given[here]
    return time.perf_counter() - start


def command(source: Path, target: Path) -> list[str]:
    words = [sys.executable, "-m", "napari_lle.cli", "enhance", str(source), "-o", str(target)]
    return [*words, "--device", "cpu"]


def journal(target: Path) -> list[str]:
    """Finished blocks of a run under way."""
    file = target.with_name(f".{target.name}.partial") / "journal.txt"
    return file.read_text().split("\n")[1:-1] if file.exists() else []


def chunks(target: Path) -> dict[str, int]:
    """Chunks of a run, under way or done, with the time that each was written at."""
    partial = target.with_name(f".{target.name}.partial")
    folder = partial if partial.exists() else target
    files = [f for f in folder.rglob("*") if f.is_file() and "c" in f.relative_to(folder).parts]
    return {str(f.relative_to(folder)): f.stat().st_mtime_ns for f in files}


def run_with_kills(source: Path, target: Path, kills: int, pause: float) -> None:
    """Kill at random moments, once a block more is done; count the chunks written twice."""
    again, done, written = [], 0, chunks(target)
    for kill in range(kills + 1):
        process = subprocess.Popen(command(source, target), stderr=subprocess.DEVNULL)
        while kill < kills and process.poll() is None and len(journal(target)) <= done:
            time.sleep(0.01)
        if kill < kills:
            time.sleep(random.uniform(0, pause))
            process.send_signal(signal.SIGKILL)
        failed = process.wait() > 0
        if failed:
            raise SystemExit("the run failed")
        now, done = chunks(target), len(journal(target))
        again.append(sum(now.get(name) != moment for name, moment in written.items()))
        written = {name: moment for name, moment in now.items() if not name.endswith(".partial")}
        print(f"{'killed' if kill < kills else 'ended'}: {done} blocks in the journal")
    print(f"chunks written again after each kill: {again[1:]} (at most 16 make a block)")


def same(one: Path, other: Path) -> bool:
    """Compare arrays block by block."""
    a, b = zarr.open(one, mode="r"), zarr.open(other, mode="r")
    return a.shape == b.shape and all(
        (a[top : top + CHUNK] == b[top : top + CHUNK]).all() for top in range(0, a.shape[0], CHUNK)
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--side", type=int, default=20_000)
    parser.add_argument("--kills", type=int, default=5)
    parser.add_argument("--pause", type=float, default=8.0, help="seconds, at most, before a kill")
    parser.add_argument("--folder", type=Path, help="where to work; removed only if not given")
    options = parser.parse_args()
    folder = options.folder or Path(tempfile.mkdtemp(prefix="big-zarr-"))
    folder.mkdir(parents=True, exist_ok=True)
    source = folder / f"in-{options.side}.zarr"
    make_input(source, options.side)
    print(f"input {options.side} x {options.side} x 3 uint16, {os.cpu_count()} cores")

    start = time.perf_counter()
    subprocess.run(command(source, folder / "whole.zarr"), check=True, stderr=subprocess.DEVNULL)
    seconds = time.perf_counter() - start
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024**2
    megabytes = options.side**2 * 3 * 2 / 1e6
    rate = f"{megabytes / seconds:.0f} MB/s"
    print(f"enhanced in {seconds:.0f} s, {rate}, peak resident memory {peak:.2f} GiB")
    seconds = copy(source, folder / "copy.zarr")
    print(f"copied in {seconds:.0f} s, {megabytes / seconds:.0f} MB/s")
    if options.kills:
        run_with_kills(source, folder / "resumed.zarr", options.kills, options.pause)
        equal = same(folder / "whole.zarr", folder / "resumed.zarr")
        print(f"equal to the run left in peace: {equal}")
    if not options.folder:
        shutil.rmtree(folder)


if __name__ == "__main__":
    main()
