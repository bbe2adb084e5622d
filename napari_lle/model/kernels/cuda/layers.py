"""A block of the network on a CUDA device, in three kernels that Triton compiles.

`network_view` reads the image and writes what the convolutions see of it, mirrored at the image's
ends; `branch_layer` is a convolution with its activation, once for the branches and for each hidden
layer; `last_layer` is the last convolution, the form's arithmetic and the output. All maps of a
tile have the shape of the tile with its halo, so that a place has one index in all of them; each
layer fills what its neighbourhoods allow, a frame of `inset` pixels less.

Weights are arguments: one compilation serves all models of a layout.
"""

from __future__ import annotations

import triton
import triton.language as tl

from .forms import illumination, seen

EVEN_ROUNDER = tl.constexpr(
    1.5 * 2.0**52
)  # adding and taking it away rounds to even, as NumPy does


@triton.jit
def frame(height, width, inset, BLOCK_Y: tl.constexpr, BLOCK_X: tl.constexpr):
    """Rows (Y, 1) and columns (1, X) of a program, and which of them lie inside of the frame."""
    y = inset + tl.program_id(2) * BLOCK_Y + tl.arange(0, BLOCK_Y)[:, None]
    x = inset + tl.program_id(1) * BLOCK_X + tl.arange(0, BLOCK_X)[None, :]
    return y.to(tl.int64), x, (y < height - inset) & (x < width - inset)


@triton.jit
def mirrored(place, length):
    """An index of an axis extended by reflection, see `tiling.reflect`."""
    period = tl.maximum(2 * length - 2, 1)
    place = tl.abs(place) % period
    return tl.minimum(place, period - place)


@triton.jit
def normalized(stored, levels):
    """See `estimate.normalized`: to the last bit, so the division is the exact one."""
    black, span = tl.load(levels).to(tl.float32), tl.load(levels + 1).to(tl.float32)
    return tl.div_rn(stored.to(tl.float32) - black, span + tl.zeros_like(stored).to(tl.float32))


@triton.jit
def pixel(place, levels, mask, MERGED: tl.constexpr, STORED: tl.constexpr):
    """A normalised value in 0..1, see `normalizing.network_input`; the largest of merged ones."""
    value = tl.load(place, mask=mask, other=0)
    if MERGED:
        value = tl.maximum(value, tl.load(place + 1, mask=mask, other=0))
        value = tl.maximum(value, tl.load(place + 2, mask=mask, other=0))
    if STORED:
        value = tl.minimum(tl.maximum(normalized(value, levels), 0.0), 1.0)
    return value


@triton.jit
def convolved(
    source, weights, index, mask, plane, pitch, reach, MAPS: tl.constexpr, OUT: tl.constexpr
):
    """A tile of OUT maps: 3x3 taps `reach` apart over MAPS maps, and the activation.

    Weights are packed as biases, slopes and taps, (MAPS, 3, 3, OUT), see `forms.pack`.
    """
    sums = ()
    for k in tl.static_range(OUT):
        sums = sums + (tl.load(weights + k) + tl.zeros_like(index).to(tl.float32),)
    for c in range(MAPS):
        for tap in tl.static_range(9):
            row = source + c * plane + index + (tap // 3 - 1) * reach * pitch
            pixels = tl.load(row + (tap % 3 - 1) * reach, mask=mask, other=0)
            taps = weights + 2 * OUT + (9 * c + tap) * OUT
            more = ()
            for k in tl.static_range(OUT):
                more = more + (sums[k] + tl.load(taps + k) * pixels.to(tl.float32),)
            sums = more
    active = ()
    for k in tl.static_range(OUT):
        below = sums[k] * tl.load(weights + OUT + k)
        active = active + (tl.where(sums[k] > 0, sums[k], below),)
    return active


@triton.jit(
    do_not_specialize=[
        "row_step",
        "top",
        "left",
        "first_row",
        "first_column",
        "rows",
        "columns",
        "height",
        "width",
    ]
)
def network_view(
    source,  # the corner of the part of the image that is here, (rows, columns, CHANNELS)
    scalars,
    levels,
    row_step,  # of the source
    top,  # of the tile with its halo, counted from that corner ...
    left,
    target,  # maps: these are the first
    first_row,  # ... which is this of the image
    first_column,
    rows,  # of the image
    columns,
    height,  # of the tile with its halo
    width,
    plane,
    pitch,
    FORM: tl.constexpr,
    COLOURS: tl.constexpr,
    CHANNELS: tl.constexpr,
    MERGED: tl.constexpr,
    STORED: tl.constexpr,
    BLOCK_Y: tl.constexpr,
    BLOCK_X: tl.constexpr,
):
    """From the image to the network's scale."""
    plane = plane.to(tl.int64)  # maps may have more than 2^31 values together
    y, x, mask = frame(height, width, 0, BLOCK_Y, BLOCK_X)
    row = mirrored(top + first_row + y, rows) - first_row
    column = mirrored(left + first_column + x, columns) - first_column
    for k in tl.static_range(COLOURS):
        place = source + row * row_step + column * CHANNELS + k
        v = seen(pixel(place, levels, mask, MERGED, STORED), scalars, FORM)
        tl.store(target + k * plane + y * pitch + x, v.to(target.dtype.element_ty), mask=mask)


@triton.jit(do_not_specialize=["height", "width", "inset"])
def branch_layer(
    source,
    weights,  # a row for each branch
    reaches,  # of each branch
    target,
    height,
    width,
    inset,
    plane,
    pitch,
    MAPS: tl.constexpr,
    OUT: tl.constexpr,
    NEAR: tl.constexpr,
    BLOCK_Y: tl.constexpr,
    BLOCK_X: tl.constexpr,
):
    """Branches, or a hidden layer, which is a single one."""
    branch = tl.program_id(0)
    plane = plane.to(tl.int64)
    y, x, mask = frame(height, width, inset, BLOCK_Y, BLOCK_X)
    index = y * pitch + x
    weights += branch * (2 + 9 * MAPS) * OUT
    if NEAR:  # neighbours at fixed distances take fewer instructions to find
        maps = convolved(source, weights, index, mask, plane, pitch, 1, MAPS, OUT)
    else:
        reach = tl.load(reaches + branch)
        maps = convolved(source, weights, index, mask, plane, pitch, reach, MAPS, OUT)
    for k in tl.static_range(OUT):
        place = target + (branch * OUT + k) * plane + index
        tl.store(place, maps[k].to(target.dtype.element_ty), mask=mask)


@triton.jit(do_not_specialize=["row_step", "top", "left", "height", "width", "halo"])
def last_layer(
    source,
    scalars,
    levels,
    row_step,
    top,
    left,
    hidden,
    weights,
    target,  # (rows, columns, COLOURS or, for a picture, CHANNELS)
    height,
    width,
    halo,
    plane,
    pitch,
    MAPS: tl.constexpr,
    FORM: tl.constexpr,
    COLOURS: tl.constexpr,
    CHANNELS: tl.constexpr,
    MERGED: tl.constexpr,
    STORED: tl.constexpr,
    HIGHEST: tl.constexpr,  # integer of the picture; 0 if the illumination is asked for
    BLOCK_Y: tl.constexpr,
    BLOCK_X: tl.constexpr,
):
    """The last layer, and the illumination or the enhanced picture."""
    plane = plane.to(tl.int64)
    y, x, mask = frame(height, width, halo, BLOCK_Y, BLOCK_X)
    index = y * pitch + x
    h = convolved(hidden, weights, index, mask, plane, pitch, 1, MAPS, 3)
    place = source + (top + y) * row_step + (left + x) * CHANNELS
    here = (y - halo) * (width - 2 * halo) + x - halo
    v = ()
    for k in tl.static_range(3):
        own = place + k if COLOURS == 3 else place
        v = v + (pixel(own, levels, mask, MERGED, STORED),)
    light = illumination(h, v, scalars, FORM)
    mean = (light[0] + light[1] + light[2]) * (1.0 / 3)
    if HIGHEST == 0:
        for k in tl.static_range(COLOURS):
            one = light[k] if COLOURS == 3 else mean
            tl.store(target + here * COLOURS + k, one, mask=mask)
    else:
        for k in tl.static_range(CHANNELS):
            value = tl.load(place + k, mask=mask, other=0)
            if k < 3:  # the fourth is alpha
                one = light[k] if COLOURS == 3 else mean
                value = stored_result(value, one, levels, tl.load(scalars + 4), MERGED, HIGHEST)
            to = target + here * CHANNELS + k
            tl.store(to, value.to(target.dtype.element_ty), mask=mask)


@triton.jit
def stored_result(stored, light, levels, darkest, MERGED: tl.constexpr, HIGHEST: tl.constexpr):
    """See `estimate.in_input_dtype`: R on the input's own scale, rounded, as a whole number."""
    v = normalized(stored, levels)
    if not MERGED:  # joint colours keep their ratios instead
        v = tl.where((v < darkest) & (0 * v + darkest > 0), v + (darkest - v), v)
    r = tl.div_rn(v, light).to(tl.float64) * tl.load(levels + 1) + tl.load(levels)
    r = (tl.minimum(tl.maximum(r, 0.0), HIGHEST) + EVEN_ROUNDER) - EVEN_ROUNDER
    return r.to(tl.int32)
