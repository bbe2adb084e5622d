"""Arithmetic on planes by bands of rows: what is in between stays in cache, on every core."""

from __future__ import annotations

from collections.abc import Callable

from .threads import in_order

BAND_VALUES = 1 << 17  # of a band: half a megabyte of float32


def by_bands(work: Callable[[slice], None], rows: int, row_values: int) -> None:
    """Call `work` with slices that cover `rows` once; NumPy lets go of Python's lock in it."""
    step = max(BAND_VALUES // max(row_values, 1), 1)
    for _ in in_order(work, [slice(top, min(top + step, rows)) for top in range(0, rows, step)]):
        pass
