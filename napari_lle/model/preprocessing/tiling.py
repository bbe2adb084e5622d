"""Tiles and halos as integers on one axis at a time.

A plane is cut into output spans; each span reads its source pixels through `reflect`, which
extends the axis by mirror images. The network then runs valid convolutions only, so a tile
computes exactly what the whole plane would, whatever the tile size and however short the axis.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise, product
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray


class Tile(NamedTuple):
    """One output rectangle and the source rows and columns (halo included) that it reads."""

    out: tuple[slice, slice]
    rows: NDArray[np.intp]
    columns: NDArray[np.intp]


def spans(length: int, size: int, grid: int = 1) -> list[tuple[int, int]]:
    """Cut `length` into consecutive half-open spans of nearly equal extent.

    Parameters
    ----------
    length : int
        Pixels along the axis, at least 1.
    size : int
        The longest span allowed, at least 1.
    grid : int
        Spans begin at multiples of it; longer than `size` where that is less.

    Returns
    -------
    list of (start, stop)
        They cover 0..length once, in order.

    Raises
    ------
    ValueError
        If `length` or `size` is below 1.
    """
    if length < 1 or size < 1:
        raise ValueError(f"Length and size must be at least 1, not {length} and {size}.")
    squares = -(-length // grid)
    count = -(-squares // max(size // grid, 1))
    edges = [grid * round(i * squares / count) for i in range(count)]
    return list(pairwise([*edges, length]))


def widen(start: int, stop: int, length: int, halo: int, grid: int = 1) -> tuple[int, int]:
    """The part of an axis to read for `start..stop`: its halo included, from a multiple of `grid`.

    What is read is then extended by reflection wherever it ends. At a cut that is wrong, but
    reaches no further than the halo.
    """
    return max(start - halo, 0) // grid * grid, min(stop + halo, length)


def reflect(start: int, stop: int, length: int) -> NDArray[np.intp]:
    """Indices `start..stop` of an axis extended by reflection about its end pixels.

    Equal to `numpy.pad(mode="reflect")` for any extent, also where the halo is wider than the
    axis; an axis of one pixel repeats it.
    """
    index = np.arange(start, stop, dtype=np.intp)
    if length == 1:
        return np.zeros_like(index)
    period = 2 * (length - 1)
    index = np.abs(index) % period
    return np.minimum(index, period - index)


def tiles(height: int, width: int, size: int, halo: int, grid: int = 1) -> Iterator[Tile]:
    """Walk a plane of `height` by `width` pixels in tiles of at most `size` by `2 * size`.

    Rows are the slow axis of memory, so tiles are wide: fewer row starts for the same halo.
    """
    rows, columns = spans(height, size, grid), spans(width, 2 * size, grid)
    for (top, bottom), (left, right) in product(rows, columns):
        yield Tile(
            (slice(top, bottom), slice(left, right)),
            reflect(top - halo, bottom + halo, height),
            reflect(left - halo, right + halo, width),
        )
