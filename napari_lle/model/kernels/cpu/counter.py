"""The compiled counter of stored integers, in several threads."""

from __future__ import annotations

from collections.abc import Callable
from threading import Lock
from typing import Any, TypeVar

import numpy as np
from numba import int32, int64, types, uint8, uint16
from numpy.typing import NDArray

from ...preprocessing.tally import ColourCounts, Counts, Stored
from ...preprocessing.tiling import spans
from ...runtime.arrays import as_writable
from ...runtime.threads import in_order, thread_count
from .compiled import Piece, compile_functions, load_functions
from .counting import build_colours, build_diagonal, build_values

THREAD_PIXELS = 1 << 15  # pixels for a thread: fewer are counted sooner than shared out
T = TypeVar("T")
NUMBERS = int64[::1]
COUNTED_TYPES = {"uint8": uint8, "uint16": uint16}
RANGE = (types.intp, types.intp)
_lock = Lock()


class CompiledCounter:
    """See `preprocessing.tally.Counter`."""

    def __init__(self, functions: dict[Piece, Any]) -> None:
        self._functions = functions

    def values(self, stored: Stored) -> Counts:
        """How often each value occurs."""
        line = as_writable(stored.ravel(order="K"))
        count = self._functions["values", line.dtype.name]

        def part(begin: int, end: int) -> Counts:
            counts = np.zeros(1 << 8 * line.itemsize, np.int64)
            count(line[begin:end], counts)
            return counts

        return np.sum(_in_parts(part, len(line)), axis=0)

    def diagonal(self, corners: Stored, table: NDArray[np.int32]) -> int:
        """The sum of differences across diagonals, of values that a table gives."""
        add = self._functions["diagonal", corners.dtype.name]
        return sum(_in_parts(lambda *ends: int(add(corners, *ends, table)), corners.shape[-1]))

    def colours(self, corners: Stored) -> ColourCounts:
        """Of corners (4, 3, N), uint8."""
        count = self._functions["colours", "uint8"]

        def part(begin: int, end: int) -> tuple[Counts, ...]:
            found = tuple(np.zeros(n, np.int64) for n in (256, 766, 3))
            count(corners, begin, end, *found)
            return found

        each = zip(*_in_parts(part, corners.shape[-1]), strict=True)
        brightest, sums, totals = (np.sum(parts, axis=0) for parts in each)
        return ColourCounts(brightest, sums, *totals.tolist())


def _in_parts(work: Callable[[int, int], T], length: int) -> list[T]:
    """What several threads make of parts."""
    parts = spans(length, max(-(-length // thread_count()), THREAD_PIXELS))
    return list(in_order(lambda ends: work(*ends), parts))


def load_counter() -> CompiledCounter | None:
    """The counter if it is compiled; never compiles."""
    with _lock:
        found = load_functions(_counter_parts(), _counter_maker)
    return CompiledCounter(found) if found else None


def compile_counter() -> float:
    """Compile the counter unless it is compiled; the seconds that this took."""
    with _lock:
        return compile_functions(_counter_parts(), _counter_maker)


def _counter_parts() -> list[Piece]:
    both = [(name, dtype) for name in ("values", "diagonal") for dtype in COUNTED_TYPES]
    return [*both, ("colours", "uint8")]


def _counter_maker(part: Piece) -> tuple[Callable[..., Any], tuple[Any, ...]]:
    name, dtype = part
    stored = COUNTED_TYPES[dtype]
    if name == "values":
        return build_values, (stored[::1], NUMBERS)
    if name == "diagonal":
        return build_diagonal, (stored[:, ::1], *RANGE, int32[::1])
    return build_colours, (stored[:, :, ::1], *RANGE, *(NUMBERS,) * 3)
