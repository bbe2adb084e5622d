"""Gradients of a convolution's weights, as vector code: products of two images, shifted."""

from __future__ import annotations

from typing import Any

from llvmlite import ir
from numba.core import cgutils, types
from numba.core.errors import RequireLiteralValue
from numba.extending import intrinsic

from ..cpu.lanes import FUSED, LANES, WIDE, at, index, load, plain_values, vector_of

ROOM = 18 if WIDE else 9  # registers for running sums, the rest being for pixels


@intrinsic
def correlate(
    _: Any,
    sums: Any,
    place: Any,
    gradient: Any,
    start: Any,
    pitch: Any,
    source: Any,
    corner: Any,
    step: Any,
    dilation: Any,
    length: Any,
    maps: Any,
    rows: Any,
) -> Any:
    """Add up what each tap of some maps has seen, in vectors of `LANES` partial sums.

    Parameters
    ----------
    sums : float array
        The vector of map k, tap row i and column j is number ``(3 i + j) maps + k`` from `place`.
    gradient : float array
        Of map k from ``start + k * pitch`` on; 0 where the output has no pixels.
    source : float array
        What the first tap of the first row has seen, from `corner` on; tap rows are `step` and
        taps `dilation` apart.
    length : int
        Pixels, a multiple of `LANES`.
    maps, rows : literal int
        Feature maps, and rows of taps, 1 or 3, that are summed at once.
    """
    if not isinstance(maps, types.IntegerLiteral) or not isinstance(rows, types.IntegerLiteral):
        raise RequireLiteralValue("maps and rows")
    count, lines = maps.literal_value, rows.literal_value
    arguments = (sums, place, gradient, start, pitch, source, corner, step, dilation, length)
    signature = types.void(*arguments, maps, rows)

    def generate(context: Any, b: Any, signature: Any, values: Any) -> Any:
        _emit(b, plain_values(context, b, signature, values)[:-2], count, lines)
        return context.get_dummy_value()

    return signature, generate


def _emit(b: Any, values: Any, maps: int, rows: int) -> None:
    sums, place, gradient, start, pitch, source, corner, step, dilation, length = values
    kind = vector_of(sums)
    total = [cgutils.alloca_once(b, kind) for _ in range(3 * rows * maps)]
    for i, register in enumerate(total):
        b.store(load(b, sums, place, i), register)
    with cgutils.for_range(b, b.sdiv(length, index(LANES))) as blocks:
        x = b.mul(blocks.index, index(LANES))
        pixels = [
            load(b, source, _sum(b, corner, x, _times(b, step, i), _times(b, dilation, j)), 0)
            for i in range(rows)
            for j in range(3)
        ]
        for k in range(maps):
            g = load(b, gradient, _sum(b, start, x, _times(b, pitch, k)), 0)
            for tap, pixel in enumerate(pixels):
                register = total[tap * maps + k]
                product = b.fmul(pixel, g, flags=FUSED)
                b.store(b.fadd(b.load(register), product, flags=FUSED), register)
    for i, register in enumerate(total):
        b.store(b.load(register), at(b, sums, place, i), align=4)


def _sum(b: Any, *terms: Any) -> Any:
    total = terms[0]
    for term in terms[1:]:
        total = b.add(total, term)
    return total


def _times(b: Any, value: Any, factor: int) -> ir.Value:
    return b.mul(value, index(factor))
