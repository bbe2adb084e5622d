"""What this machine can do at most, and what it does: floors, memory, and a roofline plot."""

from __future__ import annotations

import ctypes
import math
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from PIL import Image, ImageDraw

SIZE, MARGIN = (760, 460), 70
INK, GRID, ROOF = (40, 40, 40), (225, 225, 225), (120, 120, 120)
COLOURS = [(31, 119, 180), (255, 127, 14), (44, 160, 44), (214, 39, 40), (148, 103, 189)]


def seconds(work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def cpu_seconds(work: Callable[[], object]) -> float:
    """Of all threads together."""
    start = time.process_time()
    work()
    return time.process_time() - start


def sgemm_rate(repeats: int = 8, n: int = 2048) -> float:
    """FLOP/s of float32 matrix products, by the better of NumPy's and torch's library."""
    a = np.random.default_rng(0).random((n, n), np.float32)
    t = torch.from_numpy(a)
    best = min(min(seconds(lambda: a @ a), seconds(lambda: t @ t)) for _ in range(repeats))
    return 2 * n**3 / best


def copy_rate(repeats: int = 8, size: int = 1 << 28) -> float:
    """Bytes/s read and written by a copy that no cache holds."""
    a, b = torch.zeros(size // 4), torch.zeros(size // 4)
    return 2 * size / min(seconds(lambda: b.copy_(a)) for _ in range(repeats))


def extra_memory(work: Callable[[], object]) -> float | None:
    """Peak megabytes of a call beyond what was held before it, its result included; Linux."""
    try:
        ctypes.CDLL(None).malloc_trim(0)  # what was freed is not held
        Path("/proc/self/clear_refs").write_text("5")  # forget the peak so far
        before = _status("VmRSS")
        work()
        return (_status("VmHWM") - before) / 1024
    except (OSError, AttributeError):
        return None


def _status(field: str) -> int:
    lines = Path("/proc/self/status").read_text().splitlines()
    return int(next(line for line in lines if line.startswith(field)).split()[1])


def draw_roofline(
    flops: float,
    bandwidth: float,
    points: list[tuple[str, float, float]],
    roof_name: str = "sgemm",
    apart: int = 0,
) -> Image.Image:
    """Draw (name, FLOP per byte, FLOP/s) under the machine's two roofs, both axes logarithmic.

    Each name stands `apart` pixels lower beside its point than the one before.
    """
    picture = Image.new("RGB", SIZE, "white")
    draw = ImageDraw.Draw(picture)
    left, right, upper, lower = MARGIN, SIZE[0] - 20, 20, SIZE[1] - 50
    ticks_x = [4.0**i for i in range(6)]
    top = 10 ** math.ceil(math.log10(max(flops, *(rate for _, _, rate in points))))
    ticks_y = [top / 10**i for i in range(4, -1, -1)]

    def place(intensity: float, rate: float) -> tuple[float, float]:
        x = math.log(intensity / ticks_x[0]) / math.log(ticks_x[-1] / ticks_x[0])
        y = math.log(rate / ticks_y[0]) / math.log(ticks_y[-1] / ticks_y[0])
        return left + (right - left) * x, lower - (lower - upper) * y

    for intensity in ticks_x:
        x = place(intensity, top)[0]
        draw.line([(x, upper), (x, lower)], fill=GRID)
        draw.text((x - 8, lower + 6), f"{intensity:g}", fill=INK)
    for rate in ticks_y:
        y = place(1.0, rate)[1]
        draw.line([(left, y), (right, y)], fill=GRID)
        draw.text((8, y - 6), f"{rate / 1e9:g}", fill=INK)
    draw.text((left, lower + 26), "FLOP per byte that has to move; GFLOP/s upwards", fill=INK)
    ridge = flops / bandwidth
    start = max(ticks_x[0], ticks_y[0] / bandwidth)
    roof = [place(start, start * bandwidth), place(ridge, flops), place(ticks_x[-1], flops)]
    draw.line(roof, fill=ROOF, width=2)
    words = f"{roof_name} {flops / 1e9:.0f} GFLOP/s"
    draw.text((roof[2][0] - 6 * len(words), roof[2][1] - 16), words, fill=ROOF)
    for i, (name, intensity, rate) in enumerate(points):
        x, y = place(intensity, rate)
        colour = COLOURS[i % len(COLOURS)]
        draw.ellipse([x - 4, y - 4, x + 4, y + 4], fill=colour)
        # Below the ridge there is room on the left, above it on the right.
        beside = x - 10 - 6 * len(name) if x > SIZE[0] / 2 and not apart else x + 10
        draw.text((beside, y - 6 + apart * i), name, fill=colour)
    return picture
