"""Many small files by one command: time for each, and as a share of what one stream could do.

    python benchmarks/batch.py --files 1000 --size 600 400 --folder /tmp/batch

Makes PNGs of that size, runs ``napari-lle enhance`` on all of them in one process, and prints
milliseconds of wall and CPU time a file beside those of reading, enhancing and writing one after
another in this process, all on as many threads as torch takes. The share is the time of the
single stream, divided by the number of threads that could do it at once, over the time of the
command: 1 would be perfect.
"""

from __future__ import annotations

import argparse
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import torch
from scipy.ndimage import gaussian_filter

from napari_lle.model import enhance_stored
from napari_lle.model.io.files import read_image, write_image


def make_inputs(folder: Path, count: int, width: int, height: int) -> None:
    """Dark, noisy colours, each of its own."""
    folder.mkdir(parents=True, exist_ok=True)
    for i in range(count):
        rng = np.random.default_rng(i)
        light = gaussian_filter(rng.random((height, width, 3)), (3, 3, 0))
        light = 80 * (light - light.min()) / np.ptp(light) + rng.normal(0, 2, light.shape)
        write_image(folder / f"{i}.png", light.clip(0, 255).astype(np.uint8), rgb=True)


def one_by_one(folder: Path, out: Path) -> dict[str, float]:
    """Seconds of reading, enhancing and writing, each summed over the files."""
    spent = dict.fromkeys(("read", "enhance", "write"), 0.0)
    for file in folder.iterdir():
        begun = time.perf_counter()
        pixels = read_image(file).pixels
        read = time.perf_counter()
        bright = enhance_stored(pixels, device="cpu")
        enhanced = time.perf_counter()
        write_image(out / file.name, bright, rgb=True)
        written = time.perf_counter()
        spent["read"] += read - begun
        spent["enhance"] += enhanced - read
        spent["write"] += written - enhanced
    return spent


def by_command(folder: Path, out: Path) -> tuple[float, float]:
    """Seconds of wall and CPU time of the command, its start included."""
    command = [sys.executable, "-m", "napari_lle.cli", "enhance", str(folder), "-o", f"{out}/"]
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    begun = time.perf_counter()
    subprocess.run([*command, "--device", "cpu"], check=True, stdout=subprocess.DEVNULL)
    wall = time.perf_counter() - begun
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return wall, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def main() -> None:
    """Make files, and time the two ways."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--files", type=int, default=200)
    parser.add_argument("--size", type=int, nargs=2, default=(600, 400))
    parser.add_argument("--folder", type=Path)
    options = parser.parse_args()
    folder = options.folder or Path(tempfile.mkdtemp())
    make_inputs(folder / "in", options.files, *options.size)
    (folder / "one").mkdir(exist_ok=True)
    enhance_stored(read_image(folder / "in" / "0.png").pixels, device="cpu")  # compile
    spent = one_by_one(folder / "in", folder / "one")
    wall, cpu = by_command(folder / "in", folder / "out")
    threads, count = torch.get_num_threads(), options.files
    print(f"{count} PNGs of {options.size[0]}x{options.size[1]}, {threads} threads")
    for name, seconds in spent.items():
        print(f"{name:<10}{1e3 * seconds / count:8.1f} ms a file, one after another")
    single = spent["read"] + spent["write"] + threads * spent["enhance"]  # which uses all threads
    print(
        f"{'command':<10}{1e3 * wall / count:8.1f} ms a file, {1e3 * cpu / count:.1f} of CPU time"
    )
    print(f"share of the single stream's throughput, summed: {single / threads / wall:.2f}")


if __name__ == "__main__":
    main()
