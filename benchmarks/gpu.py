"""Every path of inference on a CUDA device beside what the device can do at most, in one run.

    python benchmarks/gpu.py [--output docs/measurements/cuda.md]

Without a device it prints what each path has to move and to compute, and the floors that follow
for a device of `--bandwidth` and `--flops`; nothing is measured then.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from statistics import median
from typing import Annotated, Any

import numpy as np
import torch
import typer
from gpu_floors import Device, Row, computed
from image_cases import Case, cases, macs
from machine import draw_roofline

from napari_lle.model import load_model
from napari_lle.model.inference.options import EnhanceOptions
from napari_lle.model.inference.plan import survey
from napari_lle.model.inference.planes import AUTO_TILE, Seen
from napari_lle.model.network.network import Network, pad
from napari_lle.model.preprocessing.tiling import tiles
from napari_lle.model.runtime.devices import full_precision

SIZES = ["600x400", "1920x1080", "3840x2160", "16x2048x2048"]
LAST = torch.channels_last

UNMEASURED = """\
Written by `benchmarks/gpu.py`. **Nothing on this page was measured: no CUDA device was at hand.**
Floors are computed for a device of {bandwidth:.2f} TB/s and {flops:.0f} TFLOP/s (float32), of which
each path's is the longer of its traffic at the one and its arithmetic at the other. A path is taken
to read and write every map of every step once; the network is that of `{model}`, {macs}
multiplications per pixel of RGB. Where there is a device, the same command measures all of it.
"""
MEASURED = """\
Written by `benchmarks/gpu.py` on {device}, torch {torch}, medians of {repeats} repeats.
Measured in the same run: copy on the device {bandwidth:.2f} TB/s, matrix products at {flops:.0f}
TFLOP/s in float32 and {half:.0f} in float16, copy from pinned memory {host:.1f} GB/s. A path's
floor is the longer of its traffic at the first and its float32 arithmetic at the second; from host
memory on, it is the copy that takes longest.
"""


def calls(case: Case, network: Network, device: torch.device) -> Iterator[Callable[[], object]]:
    """What to call for each row, in order."""
    from napari_lle.model.kernels.cuda.block import Fused
    from napari_lle.model.kernels.cuda.graphs import Repeated
    from napari_lle.model.kernels.cuda.runner import stream
    from napari_lle.model.kernels.cuda.transfers import overlapped
    from napari_lle.model.kernels.forms import layout

    statistics = case.statistics.to(device)
    floats = [
        pad(torch.from_numpy(plane.copy())[None].to(device), network.radius)
        for plane in case.planes
    ]

    def eager(kind: torch.memory_format, block: Callable[[torch.Tensor], Any]) -> Any:
        batches = [x.contiguous(memory_format=kind) for x in floats]

        def call() -> None:
            with torch.inference_mode(), full_precision():
                for batch in batches:
                    block(batch)

        return call

    def block(x: torch.Tensor) -> Any:
        return network.block(x, statistics)

    yield eager(torch.contiguous_format, block)
    yield eager(LAST, block)
    yield eager(LAST, Repeated(block))
    known = survey(case.pixels, EnhanceOptions(rgb=case.rgb))
    planes = [case.pixels] if case.rgb else list(case.pixels)
    size, colours = AUTO_TILE["cuda"], 3 if case.rgb else 1

    def seen(plane: np.ndarray) -> Seen:
        return Seen(plane, known.levels, case.rgb, case.rgb)

    def prepared(path: Fused, plane: np.ndarray) -> tuple[np.ndarray, Any]:
        x = seen(plane)
        return path.upload(x, next(tiles(*x.shape[1:], size, network.radius)))

    for half in (False, True):
        for picture in (False, True):
            path = Fused(layout(network.config, colours), half, picture)
            work = path.work(network, statistics)
            ready = [prepared(path, plane) for plane in planes]
            here = [(torch.from_numpy(a).to(device), part) for a, part in ready]
            yield lambda work=work, here=here: [work(*each) for each in here]
    copies = [torch.from_numpy(plane.copy()) for plane in planes]
    pinned = [copy.pin_memory() for copy in copies] if device.type == "cuda" else copies
    sent = [prepared(path, plane.numpy()) for plane in pinned]
    outs = [np.empty_like(plane) for plane in planes]
    yield lambda: [None for _ in overlapped(sent, work, device)]

    def pageable() -> None:
        everything = network, lambda i: (seen(planes[i]), outs[i]), len(planes), statistics, size
        list(stream(path, *everything))

    yield pageable


def measure(case: Case, network: Network, repeats: int) -> list[Row]:
    rows = computed(case, network)
    for row, call in zip(rows, calls(case, network, torch.device("cuda")), strict=True):
        for _ in range(3):  # compiles, records, and fills what is kept for later
            call()
        torch.cuda.synchronize()
        torch.cuda.reset_peak_memory_stats()
        before = torch.cuda.memory_allocated()
        row.times = [_seconds(call) for _ in range(repeats)]
        row.memory = (torch.cuda.max_memory_allocated() - before) / 2**20
    return rows


def _seconds(call: Callable[[], object], times: int = 1) -> float:
    torch.cuda.synchronize()
    start = time.perf_counter()
    for _ in range(times):
        call()
    torch.cuda.synchronize()
    return (time.perf_counter() - start) / times


def measured_device(n: int = 8192, size: int = 1 << 30) -> Device:
    """The device's own floors, each the best of some tries."""
    a = torch.zeros(size, dtype=torch.uint8, device="cuda")
    b, host = torch.empty_like(a), torch.zeros(size, dtype=torch.uint8, pin_memory=True)

    def best(call: Callable[[], object]) -> float:
        call()
        return min(_seconds(call, 3) for _ in range(5))

    def product(dtype: torch.dtype) -> float:
        x = torch.randn(n, n, device="cuda", dtype=dtype)
        return 2 * n**3 / best(lambda: x @ x)

    torch.backends.cuda.matmul.fp32_precision = "ieee"
    return Device(
        2 * size / best(lambda: b.copy_(a)),
        product(torch.float32),
        product(torch.float16),
        size / best(lambda: b.copy_(host, non_blocking=True)),
    )


def table(case: Case, rows: list[Row], device: Device) -> str:
    timed = bool(rows[0].times)
    heads = ["path", "bytes per pixel", "FLOP per pixel", "floor, ms"]
    heads += ["median, ms", "ratio to floor", "extra MB on the device"] if timed else []
    lines = [f"### {case.name}", "", f"| {' | '.join(heads)} |", "|---" + "|--:" * 3]
    lines[-1] += "|--:" * (3 if timed else 0) + "|"
    for row in rows:
        rate = device.bandwidth if row.flops else device.host
        floor = f"{row.floor(device) * 1e3:.3f}" if rate else ""
        cells = [row.path, f"{row.bytes:.0f}", f"{row.flops:.0f}" if row.flops else "", floor]
        if timed:
            took = median(row.times)
            cells += [f"{took * 1e3:.3f}", f"{took / row.floor(device):.2f}", f"{row.memory:.0f}"]
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join([*lines, ""])


def points(rows: list[Row], device: Device) -> list[tuple[str, float, float]]:
    """(name, FLOP per byte, FLOP/s): reached where that was measured, else allowed by the roofs."""
    found = {}
    for row in rows:
        if row.flops and not row.path.endswith("to L"):
            took = median(row.times) if row.times else row.floor(device)
            name = row.path if row.times or "Triton" in row.path else "torch"
            found[name] = (row.flops / row.bytes, row.flops * row.pixels / took)
    return [(name, *place) for name, place in found.items()]


def main(
    output: Annotated[Path | None, typer.Option(help="Markdown; a plot goes beside it.")] = None,
    size: Annotated[list[str] | None, typer.Option(help="WxH, or NxHxW for a stack.")] = None,
    bandwidth: Annotated[float, typer.Option(help="TB/s of a device that is not here.")] = 4.8,
    flops: Annotated[float, typer.Option(help="TFLOP/s of it, in float32.")] = 67.0,
    repeats: int = 20,
) -> None:
    here = torch.cuda.is_available()
    device = measured_device() if here else Device(bandwidth * 1e12, flops * 1e12)
    rates = {"bandwidth": device.bandwidth / 1e12, "flops": device.flops / 1e12}
    models = {name: load_model(name).network for name in ("photo", "linear")}
    if here:
        about = MEASURED.format(
            device=torch.cuda.get_device_name(0),
            torch=torch.__version__,
            repeats=repeats,
            half=device.half / 1e12,
            host=device.host / 1e9,
            **rates,
        )
    else:
        about = UNMEASURED.format(model="photo", macs=macs(models["photo"], 3), **rates)
    parts = ["# Speed on CUDA devices\n", about]
    typer.echo("\n".join(parts))
    drawn = None
    for case in cases(size or SIZES):
        network = models[case.model].to("cuda" if here else "cpu")
        rows = measure(case, network, repeats) if here else computed(case, network)
        drawn = points(rows, device) if case.rgb or drawn is None else drawn
        parts.append(table(case, rows, device))
        typer.echo(parts[-1])
    if output and drawn:
        plot = output.with_suffix(".png")
        roof = "measured" if here else "given"
        draw_roofline(device.flops, device.bandwidth, drawn, roof, apart=14).save(plot)
        title = "Roofline" if here else "Roofline: what the roofs allow, nothing measured"
        parts.append(f"## {title}\n\n![{title}]({plot.name})\n")
        output.write_text("\n".join(parts))


if __name__ == "__main__":
    typer.run(main)
