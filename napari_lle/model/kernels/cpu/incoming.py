"""Rows of an image on their way into a strip: a few at a time, which cache still holds then."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from .compiled import Kernel
    from .reduced_runner import StoredPlane

Planes = NDArray[np.float32]
Rows = NDArray[np.intp]
Fetch = Callable[[Rows, Rows, Planes], object]  # fills places of planes with rows of an image


class Source(Protocol):
    """A plane that is read in parts, (3, H, W): what makes one when asked."""

    @property
    def shape(self) -> tuple[int, ...]: ...

    @property
    def kept(self) -> bool:
        """Whether `stored` gives integers just as they are."""

    def stored(self) -> StoredPlane: ...

    def __getitem__(self, where: tuple[slice, slice, slice]) -> Planes: ...


class Whole:
    """Planes that lie in memory, (colours, H, W)."""

    def __init__(self, planes: Planes) -> None:
        self.planes = planes

    def places(self, rows: Rows) -> Rows:
        """Where in the planes these rows of a strip will lie."""
        return rows

    def bring(self, begin: int, end: int) -> None:
        """See that a range of the strip's rows lies there."""


class Passing:
    """A ring of rows, in which a strip finds those that it reads and some that it has read."""

    def __init__(self, fetch: Fetch, shape: tuple[int, int, int]) -> None:
        self._fetch = fetch
        self.planes = np.empty(shape, np.float32)

    def places(self, rows: Rows) -> Rows:
        """Where in the ring these rows of a strip will lie."""
        self._rows = rows
        self._places = np.arange(len(rows)) % self.planes.shape[1]
        return self._places

    def bring(self, begin: int, end: int) -> None:
        """Put a range of the strip's rows into the ring."""
        self._fetch(self._rows[begin:end], self._places[begin:end], self.planes)


def fetching(kernel: Kernel, x: Source, colours: int) -> Fetch:
    """How rows of a plane get into a ring: integers by compiled code."""
    if not x.kept:
        return partial(_make, x, colours)
    pixels, black, span = x.stored()
    take = kernel.take[pixels.dtype.name]
    return lambda rows, places, planes: take(pixels, rows, places, black, span, planes)


def _make(x: Any, colours: int, rows: Rows, places: Rows, planes: Planes) -> None:
    first, last = int(rows.min()), int(rows.max())
    planes[:, places] = x[:colours, first : last + 1, :][:, rows - first]
