"""Where a crop's feature maps lie in memory, and the two passes of a convolution over them.

All maps of a crop are planes of one shape, row after row without gaps, so that any rows of a layer
are one long line: what a valid convolution makes of the ends of rows is of no use, and never used.
A plane is followed, and the first one led, by enough zeros to read beyond its ends.
"""

from __future__ import annotations

from typing import Any

from numba import njit
from numpy import float32

from ..cpu.elementary import INNER
from ..cpu.lanes import GROUP, LANES, LARGEST, convolve
from .correlate import ROOM, correlate

# Multiply and add at once, and sums in any order: the same one every time.
reordered = njit(fastmath={"contract", "reassoc", "nsz"}, **INNER)
MAPS_AT_ONCE = ROOM // 3  # feature maps whose taps' gradients are summed at once
CACHED_ROWS = 8  # of a band, which stays in the innermost cache

Geometry = tuple[int, int, int, int, int]  # height, width, pitch of rows and of planes, lead


@reordered
def geometry(height: int, width: int, reach: int) -> Geometry:
    """Of planes for a crop with its halo, in numbers from one place to another."""
    pitch = (width + LANES - 1) // LANES * LANES
    lead = reach * pitch + reach + LANES
    return height, width, pitch, height * pitch + 2 * (LARGEST + reach), lead


@reordered
def room(planes: int, shape: Geometry) -> int:
    """Numbers that so many planes take."""
    return shape[4] + planes * shape[3] + shape[4] + LARGEST


@reordered
def row_run(shape: Geometry, margin: int, top: int, bottom: int) -> tuple[int, int]:
    """First place and length of the line that is some rows of a layer."""
    height, width, pitch = shape[0], shape[1], shape[2]
    length = (bottom - top) * pitch
    if bottom == height - margin:
        length += width - 2 * margin - pitch
    return top * pitch + margin, length


@reordered
def clear_ends(
    planes: Any, plane: int, count: int, shape: Geometry, margin: int, reach: int
) -> None:
    """Zero what lies beside the first and last pixel of a layer, which is read with weight 0."""
    height, width, pitch, stride, lead = shape
    for k in range(plane, plane + count):
        first = lead + k * stride + margin * pitch
        last = lead + k * stride + (height - margin) * pitch
        planes[first - reach : first + margin] = 0
        planes[last - pitch + width - margin : last + reach] = 0


@reordered
def pack_taps(taps: Any, outs: int, ins: int, bias: Any, target: Any) -> None:
    """Weights (outs, ins, 3, 3) in the order of `lanes.convolve`, groups of maps one by one."""
    place = 0
    for first in range(0, outs, GROUP):
        maps = min(GROUP, outs - first)
        for k in range(maps):
            target[place + k] = bias[first + k]
            target[place + maps + k] = 1
        place += 2 * maps
        for c in range(ins):
            for tap in range(9):
                for k in range(maps):
                    target[place + k] = taps[((first + k) * ins + c) * 9 + tap]
                place += maps


@reordered
def pack_back(taps: Any, outs: int, ins: int, skip: int, target: Any) -> None:
    """The same of the way back: from `outs` gradients to those of the inputs but the first."""
    place = 0
    for first in range(skip, ins, GROUP):
        maps = min(GROUP, ins - first)
        for k in range(maps):
            target[place + k] = 0
            target[place + maps + k] = 1
        place += 2 * maps
        for o in range(outs):
            for tap in range(9):
                for k in range(maps):
                    target[place + k] = taps[(o * ins + first + k) * 9 + 8 - tap]
                place += maps


@reordered
def conv_line(out: Any, plane: int, maps: int, source: Any, first: int, ins: int, shape: Geometry,
              where: tuple[int, int], dilation: int, packed: Any) -> None:  # fmt: skip
    """One line of a convolution from `ins` planes to `maps` others, without activation."""
    pitch, stride, lead = shape[2], shape[3], shape[4]
    start, length = where
    here = lead + first * stride + start - dilation
    step = dilation * pitch
    place = 0
    for k in range(0, maps, GROUP):
        target = lead + (plane + k) * stride + start
        some = min(GROUP, maps - k)
        w = packed[place:]
        place += some * (2 + 9 * ins)
        a, b = here - step, here + step
        if some == 1:
            convolve(out, target, stride, source, a, here, b, stride, ins, dilation, w, length, 1)
        elif some == 2:
            convolve(out, target, stride, source, a, here, b, stride, ins, dilation, w, length, 2)
        elif some == 3:
            convolve(out, target, stride, source, a, here, b, stride, ins, dilation, w, length, 3)
        elif some == 4:
            convolve(out, target, stride, source, a, here, b, stride, ins, dilation, w, length, 4)
        elif some == 5:
            convolve(out, target, stride, source, a, here, b, stride, ins, dilation, w, length, 5)
        elif some == 6:
            convolve(out, target, stride, source, a, here, b, stride, ins, dilation, w, length, 6)
        elif some == 7:
            convolve(out, target, stride, source, a, here, b, stride, ins, dilation, w, length, 7)
        else:
            convolve(out, target, stride, source, a, here, b, stride, ins, dilation, w, length, 8)


@reordered
def learn(sums: Any, first: int, gradient: Any, plane: int, maps: int, source: Any, origin: int,
          ins: int, shape: Geometry, rows: tuple[int, int], dilation: int) -> None:  # fmt: skip
    """Add what some rows give for the taps of a convolution, its sums from vector `first` on."""
    pitch, stride, lead = shape[2], shape[3], shape[4]
    step, start, length = dilation * pitch, rows[0] * pitch, (rows[1] - rows[0]) * pitch
    s, d = source, dilation
    for k in range(0, maps, MAPS_AT_ONCE):
        some = min(MAPS_AT_ONCE, maps - k)
        g = lead + (plane + k) * stride + start
        for c in range(ins):
            at = (first + 9 * (k * ins + c * some)) * LANES
            at_once = 3 if 9 * some <= ROOM else 1
            for i in range(0, 3, at_once):
                x = lead + (origin + c) * stride + start - dilation + (i - 1) * step
                p = at + 3 * i * some * LANES
                if some == 1:
                    correlate(sums, p, gradient, g, stride, s, x, step, d, length, 1, 3)
                elif some == 2 and at_once == 3:
                    correlate(sums, p, gradient, g, stride, s, x, step, d, length, 2, 3)
                elif some == 2:
                    correlate(sums, p, gradient, g, stride, s, x, step, d, length, 2, 1)
                elif some == 3:
                    correlate(sums, p, gradient, g, stride, s, x, step, d, length, 3, 1)
                elif some == 4:
                    correlate(sums, p, gradient, g, stride, s, x, step, d, length, 4, 1)
                elif some == 5:
                    correlate(sums, p, gradient, g, stride, s, x, step, d, length, 5, 1)
                elif some == 6:
                    correlate(sums, p, gradient, g, stride, s, x, step, d, length, 6, 1)
                elif some == 7:
                    correlate(sums, p, gradient, g, stride, s, x, step, d, length, 7, 1)
                else:
                    correlate(sums, p, gradient, g, stride, s, x, step, d, length, 8, 1)


@reordered
def learned(sums: Any, first: int, outs: int, ins: int, taps: Any) -> None:
    """Put the sums of a convolution's taps into (outs, ins, 3, 3)."""
    for k in range(0, outs, MAPS_AT_ONCE):
        some = min(MAPS_AT_ONCE, outs - k)
        for c in range(ins):
            for tap in range(9):
                for o in range(some):
                    at = (first + 9 * (k * ins + c * some) + tap * some + o) * LANES
                    total = sums[at]
                    for lane in range(1, LANES):
                        total += sums[at + lane]
                    taps[((k + o) * ins + c) * 9 + tap] = total


@reordered
def activate(target: Any, plane: int, source: Any, origin: int, maps: int, shape: Geometry,
             where: tuple[int, int], slopes: Any) -> None:  # fmt: skip
    """Maps on one line, negative ones times their slope."""
    stride, lead = shape[3], shape[4]
    start, length = where
    for k in range(maps):
        z = source[lead + (origin + k) * stride + start :][:length]
        a = target[lead + (plane + k) * stride + start :][:length]
        slope = slopes[k]
        for x in range(length):
            a[x] = z[x] if z[x] > 0 else slope * z[x]


@reordered
def activate_back(g: Any, plane: int, z: Any, origin: int, maps: int, shape: Geometry,
                  rows: tuple[int, int], slopes: Any, g_slopes: Any,
                  g_bias: Any) -> None:  # fmt: skip
    """Turn gradients of `activate`'s results into those before it, in place; add up the rest."""
    pitch, stride, lead = shape[2], shape[3], shape[4]
    start, length = rows[0] * pitch, (rows[1] - rows[0]) * pitch
    for k in range(maps):
        line = g[lead + (plane + k) * stride + start :][:length]
        before = z[lead + (origin + k) * stride + start :][:length]
        slope, lost = slopes[k], line[0] * 0
        for x in range(length):
            lost += line[x] * min(before[x], float32(0))
        for x in range(length):
            line[x] *= float32(1) if before[x] > 0 else slope
        g_slopes[k] += lost
        g_bias[k] += summed(line)


@reordered
def summed(line: Any) -> Any:
    total = line[0] * 0
    for x in range(len(line)):
        total += line[x]
    return total
