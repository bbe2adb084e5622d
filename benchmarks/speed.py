"""Every path of inference and its rivals, in one interleaved run on one machine.

    python benchmarks/speed.py [--output docs/measurements/speed.md]

Times are medians; the ratios to plain torch are of times taken in the same run, as a machine that
others use, too, is faster at one time than at another.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from statistics import median
from typing import Annotated, Any

import numpy as np
import torch
import typer
from machine import copy_rate, cpu_seconds, draw_roofline, extra_memory, seconds, sgemm_rate

from napari_lle.model import enhance, enhance_stored, kernels, load_model
from napari_lle.model.inference.estimate import in_input_dtype
from napari_lle.model.inference.options import EnhanceOptions
from napari_lle.model.inference.plan import Plan, make_plan, survey
from napari_lle.model.inference.planes import AUTO_TILE, as_channels, fill_plane
from napari_lle.model.inference.stored import pictures
from napari_lle.model.network.network import Network, pad
from napari_lle.model.preprocessing.levels import network_input, normalize

PLAIN = "torch, NCHW, whole"
KERNEL = "fused kernel (numba)"
LAST = torch.channels_last
SIZES = {1: "", 2: "half size, ", 4: "quarter size, "}  # of the illumination

ABOUT = """\
Written by `benchmarks/{script}` with {threads} threads ({vectors}), load {load:.1f}, torch {torch}.
Measured in the same run: sgemm {gflops:.0f} GFLOP/s, copy {bandwidth:.1f} GB/s. The floor of a
network is the longer of its arithmetic at the one and its float32 planes, in and out, at the other;
the ratio to it is the least time's. Medians of {repeats} interleaved repeats. Where others use the
machine, too, CPU time, summed over threads, is the steadier figure. Extra memory is the peak beyond
what was held before, the result included.

*Integers in and out*: from the stored pixels to those of the enhanced picture, levels and
statistics known; half and quarter size are the illumination's. `enhance_stored()` finds these, too,
and `enhance()` makes R and the exact L as floats, and then pixels.
"""


@dataclass
class Row:
    name: str
    times: list[float]
    work: list[float]
    memory: float | None
    macs: int = 0


@dataclass
class Case:
    """An image or a stack, as stored and as the network sees it."""

    name: str
    pixels: np.ndarray
    model: str
    rgb: bool

    def __post_init__(self) -> None:
        self.plans: dict[int, Plan] = {}
        self.known = known = survey(self.pixels, EnhanceOptions(rgb=self.rgb))
        self.statistics = torch.tensor([known.statistics])
        planes = [self.pixels] if self.rgb else self.pixels
        self.planes = [
            np.ascontiguousarray(
                as_channels(network_input(normalize(plane, known.levels)), self.rgb)
            )
            for plane in planes
        ]

    def plan(self, scale: int) -> Plan:
        if scale not in self.plans:
            options = EnhanceOptions(
                model=self.model, rgb=self.rgb, device="cpu", illumination_scale=scale
            )
            self.plans[scale] = make_plan(self.pixels, options, self.known)
        return self.plans[scale]

    @property
    def count(self) -> int:
        return sum(plane[0].size for plane in self.planes)


def cases(sizes: list[str]) -> list[Case]:
    rng = np.random.default_rng(0)
    found = []
    for size in sizes:
        numbers = [int(n) for n in size.split("x")]
        if len(numbers) == 2:
            shape = (numbers[1], numbers[0], 3)
            dark = (rng.gamma(2, 0.05, shape).clip(0, 1) * 255).astype(np.uint8)
            found.append(Case(f"{size}, RGB uint8", dark, "photo", True))
        else:
            dark = (rng.gamma(2, 0.05, numbers) * 4000).clip(0, 65535).astype(np.uint16)
            found.append(Case(f"{size}, uint16", dark, "linear", False))
    return found


def sci() -> torch.nn.Module:
    """A network of the shape of SCI's at inference: three 3x3 convolutions of three maps."""
    layers = [m for _ in range(3) for m in (torch.nn.Conv2d(3, 3, 3, padding=1), torch.nn.ReLU())]
    return torch.nn.Sequential(*layers).requires_grad_(False).to(memory_format=LAST)


def macs(network: Network, colours: int) -> int:
    """Multiplications per pixel, where equal channels enter once."""
    c = network.config
    branches = c.branch_width * len(c.dilations)
    first, second = c.widths
    per_tap = colours * branches + (colours + branches) * first + first * second + second * 3
    return 9 * per_tap


def paths(case: Case) -> dict[str, tuple[Callable[[], object], int]]:
    """Name -> what to call, and its multiplications per pixel."""
    network = load_model(case.model).network
    rival = sci()
    colours = 3 if case.rgb else 1
    work = macs(network, colours)

    def whole(layout: torch.memory_format) -> None:
        with torch.inference_mode():
            for plane in case.planes:
                x = pad(torch.from_numpy(plane)[None], network.radius)
                network.block(x.contiguous(memory_format=layout), case.statistics)

    def tiled(kernel: Any) -> None:
        for plane in case.planes:
            shape = (*plane.shape[1:], 3) if case.rgb else plane.shape[1:]
            out = np.empty(shape, np.float32)
            list(fill_plane(network, plane, case.statistics, out, AUTO_TILE["cpu"], kernel))

    def rivalled() -> None:
        with torch.inference_mode():
            for plane in case.planes:
                rival(torch.from_numpy(plane)[None].contiguous(memory_format=LAST))

    def enhanced(switch: str) -> None:
        os.environ[kernels.SWITCH] = switch
        in_input_dtype(enhance(case.pixels, case.model, rgb=case.rgb, device="cpu"))
        os.environ[kernels.SWITCH] = "auto"

    def stored(scale: int) -> None:
        options = {"rgb": case.rgb, "device": "cpu", "illumination_scale": scale}
        enhance_stored(case.pixels, case.model, **options)

    def pictured(scale: int) -> None:
        plan = case.plan(scale)
        list(pictures(case.pixels, plan))

    found: dict[str, tuple[Callable[[], object], int]] = {
        PLAIN: (lambda: whole(torch.contiguous_format), work),
        "torch, channels_last, whole": (lambda: whole(LAST), work),
        "torch, channels_last, tiled": (lambda: tiled(None), work),
        "enhance(), torch": (lambda: enhanced("torch"), 0),
        "levels and statistics": (lambda: survey(case.pixels, EnhanceOptions(rgb=case.rgb)), 0),
    }
    kernel = kernels.find(network, colours)
    if kernel is not None:
        found[KERNEL] = (lambda: tiled(kernel), work)
        for scale, name in SIZES.items():
            found[f"{KERNEL}, {name}integers in and out"] = (partial(pictured, scale), 0)
        found["enhance(), kernel"] = (lambda: enhanced("auto"), 0)
        for scale, name in SIZES.items():
            found[f"enhance_stored(){', ' * bool(name)}{name.strip(', ')}"] = (
                partial(stored, scale),
                0,
            )
    found["SCI's shape, channels_last"] = (rivalled, 243)
    found.update({name: (call, 0) for name, call in clahe(case).items()})
    return found


def clahe(case: Case) -> dict[str, Callable[[], object]]:
    from skimage.exposure import equalize_adapthist

    planes = [case.pixels] if case.rgb else list(case.pixels)
    found: dict[str, Callable[[], object]] = {
        "skimage CLAHE": lambda: [equalize_adapthist(plane) for plane in planes]
    }
    try:
        import cv2
    except ModuleNotFoundError:
        return found
    cv2.setNumThreads(torch.get_num_threads())
    equalizer = cv2.createCLAHE(2.0, (8, 8))

    def opencv() -> None:
        for plane in planes:
            if case.rgb:  # as is usual: on the lightness alone
                lab = cv2.cvtColor(plane, cv2.COLOR_RGB2LAB)
                lab[..., 0] = equalizer.apply(np.ascontiguousarray(lab[..., 0]))
                cv2.cvtColor(lab, cv2.COLOR_LAB2RGB)
            else:
                equalizer.apply(plane)

    return found | {"OpenCV CLAHE": opencv}


def measure(case: Case, repeats: int) -> list[Row]:
    rows, calls = [], paths(case)
    for name, (call, work) in calls.items():
        call()  # what happens once happens here
        rows.append(Row(name, [], [], extra_memory(call), work))
    for _ in range(repeats):
        for row in rows:
            row.work.append(cpu_seconds(lambda: row.times.append(seconds(calls[row.name][0]))))  # noqa: B023
    return rows


def table(case: Case, rows: list[Row], flops: float, bandwidth: float) -> str:
    plain, worked = median(rows[0].times), median(rows[0].work)
    lines = [
        f"### {case.name}",
        "",
        "| path | median, ms | least, ms | CPU, ms | ratio to plain torch | the same of CPU time "
        "| ratio to floor | extra MB |",
        "|---|--:|--:|--:|--:|--:|--:|--:|",
    ]
    for row in rows:
        lower = max(2 * row.macs * case.count / flops, 24 * case.count / bandwidth)
        floor = f"{min(row.times) / lower:.1f}" if row.macs else ""
        memory = "" if row.memory is None else f"{row.memory:.0f}"
        lines.append(
            f"| {row.name} | {median(row.times) * 1e3:.1f} | {min(row.times) * 1e3:.1f} "
            f"| {median(row.work) * 1e3:.1f} | {median(row.times) / plain:.3f} "
            f"| {median(row.work) / worked:.3f} | {floor} | {memory} |"
        )
    return "\n".join([*lines, ""])


def linearity(repeats: int) -> str:
    """Least CPU times of an image and of one with ten times its pixels."""
    small, large = cases(["1920x540", "1920x5400"])
    lines = ["| path | CPU time of 10x the pixels |", "|---|--:|"]
    calls = paths(small), paths(large)
    for name in (KERNEL, "enhance(), kernel"):
        if name in calls[0]:
            times = [[cpu_seconds(found[name][0]) for found in calls] for _ in range(repeats + 1)][
                1:
            ]
            low, high = (min(column) for column in zip(*times, strict=True))
            lines.append(f"| {name} | {high / low:.2f}x |")
    return "\n".join([*lines, ""])


def first_use() -> str:
    """Fresh processes: imports, and the first result with and without compiled kernels."""
    start = "import time; t = time.perf_counter(); import numpy as np;"
    image = "x = np.full((400, 600, 3), 20, np.uint8);"
    first = f"from napari_lle.model import enhance; {image} enhance(x);"
    warm = "from napari_lle.model import kernels; list(kernels.warm_up(['photo']));"
    with tempfile.TemporaryDirectory() as empty:
        runs = [
            ("import of the plugin's widget", "import napari_lle.widgets.enhance.widget;", {}),
            ("first 600x400 result, torch only", first, {kernels.SWITCH: "torch"}),
            ("first 600x400 result, kernel on disk", first, {}),
            ("first 600x400 result, nothing compiled", first, {"NUMBA_CACHE_DIR": empty}),
            ("`napari-lle warmup photo`", warm, {"NUMBA_CACHE_DIR": empty}),
        ]
        lines = ["| in a fresh process | seconds |", "|---|--:|"]
        for name, code, variables in runs:
            command = [sys.executable, "-c", start + code + "print(time.perf_counter() - t)"]
            answer = subprocess.run(
                command, env=os.environ | variables, capture_output=True, text=True, check=True
            )
            lines.append(f"| {name} | {float(answer.stdout.split()[-1]):.1f} |")
    return "\n".join([*lines, ""])


def main(
    output: Annotated[Path | None, typer.Option(help="Markdown; a plot goes beside it.")] = None,
    size: Annotated[list[str] | None, typer.Option(help="WxH, or NxHxW for a stack.")] = None,
    repeats: int = 5,
    threads: int = 0,
) -> None:
    if threads:
        torch.set_num_threads(threads)
    os.environ[kernels.SWITCH] = "auto"
    list(kernels.warm_up())
    for scale in (2, 4):
        linear = load_model("linear")
        list(kernels.warm_up([replace(linear, network=linear.network.at_scale(scale))]))
    flops, bandwidth = sgemm_rate(), copy_rate()
    parts = [
        "# Speed\n",
        ABOUT.format(
            script=Path(sys.argv[0]).name,
            vectors=torch.backends.cpu.get_cpu_capability(),
            threads=torch.get_num_threads(),
            load=os.getloadavg()[0],
            torch=torch.__version__,
            gflops=flops / 1e9,
            bandwidth=bandwidth / 1e9,
            repeats=repeats,
        ),
    ]
    points = []
    for case in cases(size or ["600x400", "1920x1080", "3840x2160", "8x512x512"]):
        rows = measure(case, repeats)
        parts.append(table(case, rows, flops, bandwidth))
        typer.echo(parts[-1])
        if case.rgb:
            rate = [
                (r.name, 2 * r.macs / 24, 2 * r.macs * case.count / median(r.times)) for r in rows
            ]
            points = [point for point in rate if point[1]]
    parts += ["## Linear in pixels\n", linearity(3 * repeats), "## First use\n", first_use()]
    typer.echo("\n".join(parts[-4:]))
    if output:
        plot = output.with_suffix(".png")
        draw_roofline(flops, bandwidth, points).save(plot)
        parts.append(f"## Roofline\n\n![Roofline]({plot.name})\n")
        output.write_text("\n".join(parts))


if __name__ == "__main__":
    typer.run(main)
