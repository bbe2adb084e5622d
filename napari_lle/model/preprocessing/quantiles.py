"""Quantiles as NumPy's, to the last bit, without sorting: by counting where values are few.

Values of 8 and 16 bits are counted, which one pass does; of others, only those around the wanted
places are put in order.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from copy import copy
from functools import cached_property
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

KEYS = {"float32": (np.uint32, 16), "float64": (np.uint64, 48)}  # the whole, and what is left out
SIGN = np.uint16(1 << 15)
NORMAL = 1.4826  # from the median of distances to the deviation of normal noise
COUNTED_DTYPES = ("bool", "int8", "uint8", "int16", "uint16")


class Ordered:
    """The finite values of an array, as far as they must be in order.

    Parameters
    ----------
    values : ndarray
        Integers, floats or booleans, of any shape.

    Attributes
    ----------
    size : int
        How many values are finite.
    """

    def __init__(self, values: NDArray[Any]) -> None:
        values = values.ravel(order="K").astype(values.dtype.newbyteorder("="), copy=False)
        if values.dtype.kind == "f":
            finite = np.isfinite(values)
            values = values if finite.all() else values[finite]
        self.size = values.size
        self._counts: NDArray[np.integer[Any]] | None = None
        if values.dtype.name in COUNTED_DTYPES:
            lowest = 0 if values.dtype.kind == "b" else int(np.iinfo(values.dtype).min)
            found = np.bincount(values if lowest == 0 else values.astype(np.int64) - lowest)
            present = np.flatnonzero(found)
            values, self._counts = present + lowest, found[present]
        self._values = values
        self._function: Callable[[NDArray[Any]], NDArray[Any]] | None = None

    @classmethod
    def counted(cls, counts: NDArray[np.int64]) -> Self:
        """Whole numbers from 0 on that occur so often."""
        found = cls(np.empty(0))
        found._values = np.flatnonzero(counts)
        found._counts = counts[found._values]
        found.size = int(counts.sum())
        return found

    def rising(self, function: Callable[[NDArray[Any]], NDArray[Any]]) -> Self:
        """What a function that never falls makes of the values, for quantiles and the median."""
        found = copy(self)
        found._function = function
        return found

    def quantiles(self, percents: Sequence[float]) -> list[float]:
        """Percentiles, in float64, linear between neighbours; at least one value is needed."""
        wanted = np.true_divide(percents, 100) * (self.size - 1)
        below = np.floor(wanted).astype(np.intp)
        above = np.minimum(below + 1, self.size - 1)
        places, where = np.unique([below, above], return_inverse=True)
        a, b = self._at(places).astype(np.float64)[where].reshape(2, -1)
        return [_interpolated(*each) for each in zip(a, b, wanted - below, strict=True)]

    def median(self) -> float:
        """The middle value, or the mean of the two; at least one value is needed."""
        middle = self._at(np.unique([(self.size - 1) // 2, self.size // 2]))
        return float(middle.astype(np.float64).mean())

    def spread(self, middle: float) -> float:
        """The median of distances from a value; at least one value is needed."""
        apart = np.abs(self._values.astype(np.float64) - middle)
        if self._counts is None:
            return Ordered(apart).median()
        order = np.argsort(apart, kind="stable")
        ends = np.cumsum(self._counts[order])
        places = np.unique([(self.size - 1) // 2, self.size // 2])
        return float(apart[order][np.searchsorted(ends, places, side="right")].mean())

    def extremes(self) -> tuple[float, float]:
        """The least and the greatest value."""
        return float(self._values.min()), float(self._values.max())

    def _at(self, places: NDArray[np.intp]) -> NDArray[Any]:
        """The values at rising places of the order."""
        if self._counts is not None:
            found = self._values[np.searchsorted(np.cumsum(self._counts), places, side="right")]
        elif self._values.dtype.name not in KEYS:
            found = np.partition(self._values, places)[places]
        else:
            found = self._selected(places)
        return found if self._function is None else self._function(found)

    @cached_property
    def _keys(self) -> tuple[NDArray[np.uint16], NDArray[np.intp]]:
        """The first 16 bits of floats, their sign minded, which are in the order of the values.

        And how many values have each, or one before it.
        """
        whole, shift = KEYS[self._values.dtype.name]
        keys = (self._values.view(whole) >> shift).astype(np.uint16)
        keys = np.where(keys & SIGN, ~keys, keys | SIGN)
        return keys, np.cumsum(np.bincount(keys, minlength=1 << 16))

    def _selected(self, places: NDArray[np.intp]) -> NDArray[Any]:
        """Floats at rising places: only those in the same narrow range are sorted."""
        values, (keys, ends) = self._values, self._keys
        ranges = np.searchsorted(ends, places, side="right")
        found = np.empty(len(places), values.dtype)
        for each in np.unique(ranges):
            here = ranges == each
            own = places[here] - (ends[each - 1] if each else 0)
            found[here] = np.partition(values[keys == each], own)[own]
        return found


def quantile(values: NDArray[Any], share: float) -> float:
    """A quantile, 0..1, of finite floats, of which there is one at least, linear in between.

    One place is put in order and its successor looked up: NumPy, which asks for two places at
    once, does that many times more slowly.
    """
    wanted = share * (values.size - 1)
    place = int(wanted)
    parted = np.partition(values, place, axis=None)
    after = parted[place + 1 :].min() if wanted > place else parted[place]
    return _interpolated(float(parted[place]), float(after), wanted - place)


def _interpolated(a: float, b: float, share: float) -> float:
    """As NumPy interpolates, rounding included."""
    step = b - a
    return float(b - step * (1 - share)) if share >= 0.5 else float(a + step * share)
