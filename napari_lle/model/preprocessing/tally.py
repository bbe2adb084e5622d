"""Squares of stored integers, counted: statistics follow from counts and few sums of integers.

Sums of integers are exact in whatever order they are taken, so that a `Counter` of compiled code
gives what NumPy's gives, to the last bit.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from typing import Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from .quantiles import Ordered
from .statistics import HIGHLIGHT, Measures, Statistics, described, greys_of

COUNTED = ("uint8", "uint16")
FIXED_ONE = 1 << 28  # what 1 is in whole numbers, whose sums of millions stay below 2^53
TOP = 255
Counts = NDArray[np.int64]
Stored = NDArray[Any]


class ColourCounts(NamedTuple):
    """Of pixels of three colours of 8 bits.

    Attributes
    ----------
    brightest, sums : ndarray
        How often each value is that of the brightest colour, (256,), and the sum of all, (766,).
    power, apart, diagonal : int
        Sums of squares, of three times the distances from grey, and of the differences across the
        diagonals of squares.
    """

    brightest: Counts
    sums: Counts
    power: int
    apart: int
    diagonal: int


class Counter(Protocol):
    """Counts stored integers of 8 and 16 bits."""

    def values(self, stored: Stored) -> Counts:
        """How often each value that the type has occurs."""

    def diagonal(self, corners: Stored, table: NDArray[np.int32]) -> int:
        """The sum of differences across diagonals, of corners (4, N) whose values a table gives."""

    def colours(self, corners: Stored) -> ColourCounts:
        """Of corners (4, 3, N), uint8."""


class PlainCounter:
    """By NumPy."""

    def values(self, stored: Stored) -> Counts:
        """See `Counter`."""
        return np.bincount(stored.ravel(order="K"), minlength=1 << 8 * stored.itemsize)

    def diagonal(self, corners: Stored, table: NDArray[np.int32]) -> int:
        """See `Counter`."""
        a, b, c, d = (table[corner] for corner in corners)
        return int(np.abs(a - b - c + d).sum(dtype=np.int64))

    def colours(self, corners: Stored) -> ColourCounts:
        """See `Counter`."""
        x = corners.astype(np.int16)
        total = x.sum(axis=1, dtype=np.int16)
        apart = sum(int(np.abs(3 * x[:, i] - total).sum(dtype=np.int64)) for i in range(3))
        a, b, c, d = x
        return ColourCounts(
            np.bincount(corners.max(axis=1).ravel(), minlength=TOP + 1),
            np.bincount(total.ravel(), minlength=3 * TOP + 1),
            int(np.square(x, dtype=np.int32).sum(dtype=np.int64)),
            apart,
            int(np.abs(a - b - c + d).sum(dtype=np.int64)),
        )


PLAIN = PlainCounter()


def corners_of(squares: Stored) -> Stored:
    """Squares (N, 2, 2[, C]) as (4[, C], N), pixel after pixel, in the machine's own order."""
    corners = np.moveaxis(squares, 0, -1)
    corners = corners.reshape(4, *corners.shape[2:])
    return np.ascontiguousarray(corners, corners.dtype.newbyteorder("="))


def corner_greys(squares: Stored) -> NDArray[np.float64]:
    """The greys of squares (N, 2, 2[, C]), (4, N)."""
    return squares.reshape(len(squares), 4, -1).mean(axis=2, dtype=np.float64).T


class Tally:
    """Squares of neighbouring pixels, and what is counted of them where it is asked for.

    Parameters
    ----------
    squares : ndarray, (N, 2, 2[, C])
    counter : Counter
    """

    def __init__(self, squares: Stored, counter: Counter = PLAIN) -> None:
        self.squares, self._counter = squares, counter
        self.counted = squares.dtype.name in COUNTED and squares.size > 0

    @cached_property
    def ordered(self) -> Ordered:
        """The values, in order."""
        return Ordered.counted(self._counts) if self.counted else Ordered(self.squares)

    @property
    def complete(self) -> bool:
        """All values are finite."""
        return self.ordered.size == self.squares.size

    @cached_property
    def _counts(self) -> Counts:
        return self._counter.values(corners_of(self.squares))

    def brightest(self) -> Tally:
        """Of the brightest colour of squares that have some."""
        return Tally(self.squares.max(axis=-1), self._counter) if self.squares.ndim > 3 else self

    def photograph(self) -> Statistics:
        """`statistics.image_statistics` of 8-bit colours, whose 255 is 1."""
        found = self._counter.colours(corners_of(self.squares))
        pixels = 4 * len(self.squares)
        total = int(found.sums @ np.arange(len(found.sums)))
        (highlight,) = Ordered.counted(found.brightest).quantiles([HIGHLIGHT])
        measures = Measures(
            mean=total / (3 * pixels) / TOP,
            power=found.power / (3 * pixels) / TOP**2,
            highlight=highlight / TOP,
            greys=greys_of(
                Ordered.counted(found.sums), 3 * TOP, lambda: corner_greys(self.squares) / TOP
            ),
            apart=found.apart / (9 * pixels) / TOP,
            diagonal=found.diagonal / (3 * len(self.squares)) / 2 / TOP,
        )
        return described(measures)

    def grey(self, normalised: Callable[[Stored], NDArray[np.float32]]) -> Statistics:
        """`statistics.image_statistics` of one channel under a function that never falls, to 0..1.

        Of `complete` ones.
        """
        ordered = self.ordered.rising(normalised)
        (highlight,) = ordered.quantiles([HIGHLIGHT])
        if self.counted:
            mean, power, across = self._sums_of_counts(normalised)
        else:
            x = normalised(corners_of(self.squares))
            mean, power = (float(v.mean(dtype=np.float64)) for v in (x, np.square(x)))
            a, b, c, d = x
            across = float(np.abs(a - b - c + d).sum(dtype=np.float64))
        return described(
            Measures(
                mean=mean,
                power=power,
                highlight=highlight,
                greys=greys_of(ordered, 1, lambda: corner_greys(normalised(self.squares))),
                apart=0,
                diagonal=across / len(self.squares) / 2,
            )
        )

    def _sums_of_counts(
        self, normalised: Callable[[Stored], NDArray[np.float32]]
    ) -> tuple[float, float, float]:
        """Means of values and of their squares, and the sum of differences across diagonals."""
        table = normalised(np.arange(len(self._counts)).astype(self.squares.dtype))
        x = table.astype(np.float64)
        means = [float((self._counts * v).sum()) / self.ordered.size for v in (x, x * x)]
        rounded = np.rint(x * FIXED_ONE).astype(np.int32)
        across = self._counter.diagonal(corners_of(self.squares), rounded)
        return means[0], means[1], across / FIXED_ONE
