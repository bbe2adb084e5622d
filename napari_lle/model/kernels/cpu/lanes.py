"""The innermost loops, as vector code: numba's own vectoriser cannot keep sums in registers.

A row of several feature maps is made block by block: as many pixels as fill the registers with
running sums, then every weight once. Each pixel's sum is taken in one order whatever its place,
so that the result does not depend on how an image is cut.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from llvmlite import binding, ir
from numba.core import cgutils, types
from numba.core.errors import RequireLiteralValue
from numba.extending import intrinsic

WIDE = bool(binding.get_host_cpu_features().get("avx512f"))
LANES = 16 if WIDE else 8  # of float32 in one register; LLVM splits what does not fit
SUMS = 24 if WIDE else 12  # registers for running sums, the rest being for pixels and weights
LARGEST = 4 * LANES  # pixels in a block at most
GROUP = 8  # feature maps that are summed at once

FLOAT = ir.FloatType()
INDEX = ir.IntType(64)
ROUNDER = np.float32(12582912)  # 1.5 * 2^23: adding it rounds to a whole number
FUSED = ("contract",)  # multiply and add in one instruction where there is one


@intrinsic
def convolve(
    _: Any,
    out: Any,
    start: Any,
    out_pitch: Any,
    source: Any,
    above: Any,
    here: Any,
    below: Any,
    pitch: Any,
    channels: Any,
    dilation: Any,
    weights: Any,
    length: Any,
    maps: Any,
) -> Any:
    """One row of a valid 3x3 convolution and its activation.

    Parameters
    ----------
    out : float array
        Map k goes to ``start + k * out_pitch``, rounded up to whole blocks.
    source : float array
        Channel c of the three rows begins at ``above``, ``here`` and ``below`` plus ``c * pitch``.
    weights : float array
        Biases (maps), slopes below zero (maps), then taps as (channels, 3, 3, maps).
    length : int
        Pixels.
    maps : literal int
        Feature maps.
    """
    if not isinstance(maps, types.IntegerLiteral):
        raise RequireLiteralValue("maps")
    count = maps.literal_value
    names = (out, start, out_pitch, source, above, here, below, pitch, channels, dilation)
    signature = types.void(*names, weights, length, maps)

    def generate(context: Any, b: Any, signature: Any, arguments: Any) -> Any:
        values = plain_values(context, b, signature, arguments)
        for first in range(0, count, GROUP):
            _group(b, values, count, range(first, min(first + GROUP, count)))
        return context.get_dummy_value()

    return signature, generate


def plain_values(context: Any, b: Any, signature: Any, arguments: Any) -> list[Any]:
    """Pointers of arrays and machine integers of the rest."""
    return [
        context.make_array(kind)(context, b, value).data
        if isinstance(kind, types.Array)
        else context.cast(b, value, kind, types.intp)
        for kind, value in zip(signature.args, arguments, strict=True)
    ]


def _group(b: Any, values: Any, count: int, maps: range) -> None:
    """Emit the loop over blocks for some of the maps."""
    out, start, out_pitch, source, *rows, pitch, channels, dilation, weights, length, _ = values
    vectors = max(1, min(LARGEST // LANES, SUMS // len(maps)))
    block = vectors * LANES
    kind = vector_of(out)
    sums = {(k, v): cgutils.alloca_once(b, kind) for k in maps for v in range(vectors)}
    blocks = b.sdiv(b.add(length, index(block - 1)), index(block))
    with cgutils.for_range(b, blocks) as over_blocks:
        x = b.mul(over_blocks.index, index(block))
        for k in maps:
            bias = splat(b, weights, index(k))
            for v in range(vectors):
                b.store(bias, sums[k, v])
        with cgutils.for_range(b, channels) as over_channels:
            c = over_channels.index
            column = b.add(x, b.mul(c, pitch))
            taps = b.add(index(2 * count), b.mul(c, index(9 * count)))
            for tap in range(9):
                place = b.add(b.add(column, rows[tap // 3]), b.mul(dilation, index(tap % 3)))
                pixels = [load(b, source, place, v) for v in range(vectors)]
                for k in maps:
                    weight = splat(b, weights, b.add(taps, index(tap * count + k)))
                    for v in range(vectors):
                        product = b.fmul(pixels[v], weight, flags=FUSED)
                        b.store(b.fadd(b.load(sums[k, v]), product, flags=FUSED), sums[k, v])
        for k in maps:
            slope = splat(b, weights, index(count + k))
            row = b.add(x, b.add(start, b.mul(out_pitch, index(k))))
            for v in range(vectors):
                value = b.load(sums[k, v])
                positive = b.fcmp_ordered(">", value, ir.Constant(kind, [0.0] * LANES))
                value = b.select(positive, value, b.fmul(value, slope))
                b.store(value, at(b, out, row, v), align=4)


def index(value: int) -> Any:
    return ir.Constant(INDEX, value)


def vector_of(array: Any) -> Any:
    """The type of a register full of an array's numbers."""
    return ir.VectorType(array.type.pointee, LANES)


def at(b: Any, array: Any, place: Any, vector: int) -> Any:
    """Where the register of some place is kept, or one so many further on."""
    pointer = b.gep(array, [b.add(place, index(vector * LANES))])
    return b.bitcast(pointer, vector_of(array).as_pointer())


def load(b: Any, array: Any, place: Any, vector: int) -> Any:
    """Consecutive numbers, which need not be aligned."""
    return b.load(at(b, array, place, vector), align=4)


def splat(b: Any, array: Any, place: Any) -> Any:
    """One number in all lanes."""
    scalar = b.load(b.gep(array, [place]))
    lane = ir.Constant(ir.IntType(32), 0)
    nothing = ir.Constant(vector_of(array), ir.Undefined)
    single = b.insert_element(nothing, scalar, lane)
    everywhere = ir.Constant(ir.VectorType(ir.IntType(32), LANES), [0] * LANES)
    return b.shuffle_vector(single, nothing, everywhere)


@intrinsic
def whole_registers(_: Any) -> Any:
    """Let LLVM fill the widest registers in the loops of a function that mentions this.

    By default it takes half of them on many processors, whose clock once fell with whole ones;
    the convolutions beside these loops use whole ones, so the clock is theirs. llvmlite knows no
    such attributes of functions, hence the way around its list of names.
    """

    def generate(context: Any, b: Any, signature: Any, arguments: Any) -> Any:
        set.add(b.function.attributes, f'"prefer-vector-width"="{32 * LANES}"')
        return context.get_dummy_value()

    return types.void(), generate


@intrinsic
def power_of_two(_: Any, rounded: Any) -> Any:
    """``2 ** n`` of ``n + ROUNDER`` in float32, whose last bits are those of n, -126 to 127."""

    def generate(context: Any, b: Any, signature: Any, arguments: Any) -> Any:
        bits = ir.IntType(32)
        exponent = b.shl(b.bitcast(arguments[0], bits), ir.Constant(bits, 23))
        return b.bitcast(b.add(exponent, ir.Constant(bits, 127 << 23)), FLOAT)

    return types.float32(types.float32), generate
