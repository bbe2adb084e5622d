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
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import median
from typing import Annotated

import torch
import typer
from image_cases import Case, cases, macs
from inference_paths import KERNEL, paths
from machine import copy_rate, cpu_seconds, draw_roofline, extra_memory, seconds, sgemm_rate

from napari_lle.model import kernels, load_model

ABOUT_SIZES = "WxH, NxHxW for a stack, science:WxH for noisy cells by that model."
SIZES = [
    "600x400",
    "1920x1080",
    "3840x2160",
    "8x512x512",
    "50x512x512",
    "1x2048x2048",
    "science:2048x2048",
]
SURVEY, PICTURE = "levels and statistics", "enhance_stored()"
TARGETS = {  # of a case: a path, what it is measured by (another, or so many ms), and the share
    "1920x1080, RGB uint8": [
        (SURVEY, 6.0, 1.0),
        (PICTURE, "SCI's shape, channels_last", 0.4),
        (f"{PICTURE}, quarter size", "OpenCV CLAHE", 1.0),
    ],
    "1x2048x2048, uint16": [
        (SURVEY, 8.0, 1.0),
        (PICTURE, "NumPy's percentiles and asinh", 1.0),
    ],
}
VIEWER = "import os; os.environ['QT_QPA_PLATFORM'] = 'offscreen'; import napari.qt, napari.viewer;"
AGAIN = "t = time.perf_counter();"  # the clock starts here
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


def aims(name: str, rows: list[Row]) -> list[str]:
    """Lines of a table of what is aimed at, for a case of that name."""
    known, lines = {row.name: row for row in rows}, []
    for path, beside, share in TARGETS.get(name, []):
        if path not in known or (isinstance(beside, str) and beside not in known):
            continue
        ours, work = median(known[path].times), median(known[path].work)
        theirs = median(known[beside].times) if isinstance(beside, str) else beside / 1e3
        spent = f"{work / median(known[beside].work):.2f}" if isinstance(beside, str) else ""
        told = beside if isinstance(beside, str) else f"{beside:g} ms"
        met = "met" if ours <= share * theirs else "missed"
        lines.append(
            f"| {name} | {path} | {told} | {ours / theirs:.2f} | {spent} | {share:g} | {met} |"
        )
    return lines


def targets(lines: list[str], flops: float) -> str:
    """The table of these lines, and what keeps the one that is missed the furthest."""
    if not lines:
        return ""
    found = cases(["1920x1080"])[0]
    work = macs(load_model(found.model).network, 3)
    least = 2e3 * work * found.count / flops
    return "\n".join(
        [
            "## Targets",
            "",
            f"At full size the network multiplies {work:,} times a pixel, SCI's shape 243 times: "
            f"at sgemm's rate that alone takes {least:.1f} ms of 1920x1080.",
            "",
            "| image | path | beside | ratio of medians | of CPU time | target | |",
            "|---|---|---|--:|--:|--:|---|",
            *lines,
            "",
        ]
    )


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
        widget = "import napari_lle.widgets.enhance.widget;"
        runs = [
            ("import of the plugin's widget", widget, {}),
            ("the same after napari's viewer", f"{VIEWER}{AGAIN}{widget}", {}),
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
    size: Annotated[list[str] | None, typer.Option(help=ABOUT_SIZES)] = None,
    repeats: int = 5,
    threads: int = 0,
) -> None:
    if threads:
        torch.set_num_threads(threads)
    os.environ[kernels.SWITCH] = "auto"
    list(kernels.warm_up())
    for scale in (2, 4):
        linear = load_model("linear")
        list(kernels.warm_up([replace(linear, source=linear.source.at_scale(scale))]))
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
    points, aimed = [], []
    for case in cases(size or SIZES):
        rows = measure(case, repeats)
        aimed += aims(case.name, rows)
        parts.append(table(case, rows, flops, bandwidth))
        typer.echo(parts[-1])
        if case.rgb:
            rate = [
                (r.name, 2 * r.macs / 24, 2 * r.macs * case.count / median(r.times)) for r in rows
            ]
            points = [point for point in rate if point[1]]
    parts.append(targets(aimed, flops))
    parts += ["## Linear in pixels\n", linearity(3 * repeats), "## First use\n", first_use()]
    typer.echo("\n".join(parts[-5:]))
    if output:
        plot = output.with_suffix(".png")
        draw_roofline(flops, bandwidth, points).save(plot)
        parts.append(f"## Roofline\n\n![Roofline]({plot.name})\n")
        output.write_text("\n".join(parts))


if __name__ == "__main__":
    typer.run(main)
