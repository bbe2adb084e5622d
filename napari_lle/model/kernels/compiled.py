"""Compiled kernels: those of this process, and numba's cache on disk.

numba keeps the cache beside this file, in the user's cache folder, or where ``NUMBA_CACHE_DIR``
says, whichever can be written. Without any of them kernels last as long as the process.
"""

from __future__ import annotations

from contextlib import suppress
from threading import Lock
from time import perf_counter
from typing import Any

from numba import float32, intp, types

from .forms import Layout
from .fused import build

ROW, INDICES = float32[::1], intp[::1]
PAIR = types.UniTuple(types.intp, 2)
SIGNATURE = (
    float32[:, :, ::1],  # source
    INDICES,  # rows
    INDICES,  # columns
    PAIR,  # inner
    float32[:, ::1],  # out
    PAIR,  # corner
    INDICES,  # dilations
    float32[:, ::1],  # branches
    *(ROW,) * 4,  # the three layers and the scalars
)

_ready: dict[Layout, Any] = {}
_lock = Lock()


def load(layout: Layout) -> Any | None:
    """The kernel of a layout if it is compiled; never compiles."""
    with _lock:
        if layout not in _ready:
            # Whatever is wrong with a cache, the image can be enhanced without it.
            with suppress(Exception):
                strip = build(*layout, cache=True)
                if strip._cache.load_overload(SIGNATURE, strip.targetctx) is not None:
                    strip.compile(SIGNATURE)
                    _ready[layout] = strip
        return _ready.get(layout)


def compile_kernel(layout: Layout) -> float:
    """Compile a kernel unless it is compiled; the seconds that this took."""
    start = perf_counter()
    if load(layout) is None:
        with _lock:
            _ready[layout] = _compile(layout)
    return perf_counter() - start


def _compile(layout: Layout) -> Any:
    # No folder can be written, the disk is full, or what lies on it is damaged.
    with suppress(Exception):
        strip = build(*layout, cache=True)
        with suppress(OSError):  # compiled, but not saved
            strip.compile(SIGNATURE)
        if strip.signatures:
            return strip
    strip = build(*layout, cache=False)
    strip.compile(SIGNATURE)
    return strip
