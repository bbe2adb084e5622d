"""napari's cache of what dask computes, made to bear a job that computes beside the window.

napari registers one `dask.cache.Cache` for all of dask. When a computation ends, it forgets the
start of every task, also of one that another thread is at, which then fails with a KeyError, be it
the window's: https://github.com/dask/dask/issues/10396. This may go when that is closed.
"""

from __future__ import annotations

from contextlib import suppress
from timeit import default_timer
from typing import Any


class Starts(dict[Any, float]):
    """Starts of tasks; of a forgotten one, now: they only tell how much keeping a value saves."""

    def __missing__(self, key: Any) -> float:
        return default_timer()


def bear_threads() -> None:
    """Let napari's cache forget without harm; where napari has none, nothing is done."""
    with suppress(ImportError, AttributeError):
        from napari.utils._dask_utils import _DASK_CACHE  # napari has no public way to it as it is

        if not isinstance(_DASK_CACHE.starttimes, Starts):
            _DASK_CACHE.starttimes = Starts(_DASK_CACHE.starttimes)
