"""Compiled kernels: those of this process, and numba's cache on disk.

numba keeps the cache beside this file, in the user's cache folder, or where ``NUMBA_CACHE_DIR``
says, whichever can be written. Without any of them kernels last as long as the process.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import suppress
from functools import partial
from threading import Lock
from time import perf_counter
from typing import Any, NamedTuple

from numba import float32, intp, types, uint8, uint16
from numba.core.runtime import rtsys

from ..forms import MIXING, Layout
from .calming import build_calm
from .choosing import build_choose
from .fused import build
from .halving import build_tame, build_thin
from .hearing import build_listen
from .reduced import build_divide, build_shrink, build_spread
from .smoothing import build_finish
from .taking import build_take

ROW, INDICES, PLANE, PLANES = float32[::1], intp[::1], float32[:, ::1], float32[:, :, ::1]
PAIR = types.UniTuple(types.intp, 2)
STORED = {"uint8": uint8, "uint16": uint16, "float32": float32}  # pixels that kernels read
INTEGERS = ("uint8", "uint16")  # that they write
STRIP = (
    PLANES,  # source
    INDICES,  # rows
    PAIR,  # part
    INDICES,  # columns
    PAIR,  # inner
    PLANE,  # out
    PAIR,  # corner
    ROW,  # memory
    INDICES,  # dilations
    PLANE,  # branches
    *(ROW,) * 4,  # the three layers and the scalars
)


NOISE, LIMITS = types.UniTuple(float32, 3), types.UniTuple(float32, 2)
FINER = (PLANE, PAIR, PLANES, types.intp, NOISE)  # means, where they begin, the size before
CHOOSE = (*FINER, PLANES, float32, *STRIP[8:13])  # and H's weights
MIXES: dict[str, tuple[Callable[..., Any], tuple[Any, ...]]] = {
    "thin": (build_thin, (PLANE, NOISE, PLANE, PLANE)),
    "calm": (build_calm, (PLANE, NOISE, LIMITS, float32, PLANES)),
    "listen": (build_listen, (*FINER, LIMITS, PLANES)),
    "finish": (build_finish, (PLANE, PLANE, PAIR, float32, float32, PLANE, types.intp)),
}


class Kernel(NamedTuple):
    """The compiled functions that one block needs.

    Attributes
    ----------
    strip : callable
        See `fused`.
    shrink, spread : dict of str to callable
        By dtype of the pixels, see `reduced`; empty at full size.
    take, divide : dict of str to callable
        By dtype of the pixels in, and of those in and out.
    """

    strip: Any
    shrink: dict[str, Any]
    spread: dict[str, Any]
    take: dict[str, Any]
    divide: dict[str, Any]


class MixingKernel(NamedTuple):
    """The compiled functions of the form mixing, see `halving` and `hearing`.

    Attributes
    ----------
    tame, divide : dict of str to callable
        By dtype of the pixels.
    thin, calm, listen, choose, finish : callable
    """

    tame: dict[str, Any]
    thin: Any
    calm: Any
    listen: Any
    choose: Any
    finish: Any
    divide: dict[str, Any]


class NotCompiled(LookupError):
    """A part of a kernel is not there."""


Piece = tuple[Any, ...]  # a name, what it depends on, and the dtype of pixels
_ready: dict[Piece, Any] = {}
_lock = Lock()


def load_kernel(layout: Layout) -> Kernel | MixingKernel | None:
    """The kernel of a layout if it is compiled; never compiles."""
    try:
        return _kernel(layout, _load)
    except NotCompiled:
        return None


def compile_kernel(layout: Layout) -> float:
    """Compile a kernel unless it is compiled; the seconds that this took."""
    start = perf_counter()
    _kernel(layout, lambda part: load_function(part, _maker) or compile_function(part, _maker))
    return perf_counter() - start


def _kernel(layout: Layout, find: Callable[[Piece], Any]) -> Kernel | MixingKernel:
    with _lock:
        if layout.form == MIXING:
            return _mixing(layout, find)
        strip = find(("strip", *layout[:5], layout.scale > 1, ""))  # one for all smaller sizes
        divide = {name: find(("divide", name)) for name in INTEGERS}
        shrink, spread, take = {}, {}, {}
        if layout.scale > 1:
            ends = layout.form, layout.colours, layout.scale
            shrink = {name: find(("shrink", name)) for name in STORED}
            spread = {name: find(("spread", *ends, name)) for name in STORED}
        else:
            take = {name: find(("take", name)) for name in INTEGERS}
        return Kernel(strip, shrink, spread, take, divide)


def _mixing(layout: Layout, find: Callable[[Piece], Any]) -> MixingKernel:
    tame = {name: find(("tame", name)) for name in STORED}
    divide = {name: find(("divide", name)) for name in INTEGERS}
    thin, calm, listen, finish = (find((n, "")) for n in ("thin", "calm", "listen", "finish"))
    choose = find(("choose", layout.branch, layout.first, layout.second, ""))
    return MixingKernel(tame, thin, calm, listen, choose, finish, divide)


def _maker(part: Piece) -> tuple[Callable[..., Any], tuple[Any, ...]]:
    """How to make a part, and the types of its arguments."""
    name, *rest, dtype = part
    stored = STORED[dtype][:, :, ::1] if dtype else None
    levels = (float32, float32)
    if name == "strip":
        return partial(build, *rest), STRIP
    if name in MIXES:
        return MIXES[name]
    if name == "tame":
        ends = (PLANE, PLANE, types.intp)
        places = (INDICES, INDICES, PAIR)
        return build_tame, (stored, types.intp, *places, *levels, NOISE, *ends)
    if name == "choose":
        return partial(build_choose, *rest), CHOOSE
    if name == "shrink":
        return build_shrink, (stored, INDICES, INDICES, types.intp, *levels, PLANES)
    if name == "spread":
        # Of H, a view of some rows.
        return partial(build_spread, *rest), (PLANES, stored, *levels, ROW, PLANE)
    if name == "take":
        return build_take, (stored, INDICES, INDICES, *levels, PLANES)
    return build_divide, (stored, PLANE, *levels, float32, float32, stored)


def _load(part: Piece) -> Any:
    # One that is missing ends the search: to look for all of them on disk takes 10 ms.
    found = load_function(part, _maker)
    if found is None:
        raise NotCompiled
    return found


Maker = Callable[[Piece], tuple[Callable[..., Any], tuple[Any, ...]]]


def load_function(part: Piece, maker: Maker) -> Any | None:
    """A function of this process, or on disk; never compiles."""
    if part not in _ready:
        # Whatever is wrong with a cache, the image can be enhanced without it.
        with suppress(Exception):
            make, signature = maker(part)
            function = make(cache=True)
            found = _on_disk(function, signature)
            if found is not None:
                function.add_overload(found)
                _ready[part] = function
    return _ready.get(part)


def _on_disk(function: Any, signature: tuple[Any, ...]) -> Any | None:
    """The compiled code of a function where it is on disk; never compiles.

    By private names: numba has no public way to ask for code without compiling it where there is
    none, and the way by `load_overload` first imports, in half a second, all that may be compiled
    (SciPy's linear algebra, too). We know of no issue that asks for either. It may go when there
    are; until then a test that loads code in a fresh process tells if they move.
    """
    rtsys.initialize(function.targetctx)
    return function._cache._load_overload(signature, function.targetctx)


def load_functions(parts: Iterable[Piece], maker: Maker) -> dict[Piece, Any] | None:
    """Functions of this process, or on disk, if all of them are there; never compiles."""
    found = {}
    for part in parts:
        function = load_function(part, maker)
        if function is None:
            return None
        found[part] = function
    return found


def compile_function(part: Piece, maker: Maker) -> Any:
    """Compile a function and leave it on disk."""
    make, signature = maker(part)
    # No folder can be written, the disk is full, or what lies on it is damaged.
    with suppress(Exception):
        function = make(cache=True)
        with suppress(OSError):  # compiled, but not saved
            function.compile(signature)
        if function.signatures:
            _ready[part] = function
            return function
    _ready[part] = function = make(cache=False)
    function.compile(signature)
    return function


def compile_functions(parts: Iterable[Piece], maker: Maker) -> float:
    """Compile what is not compiled, and leave it on disk; the seconds that this took."""
    start = perf_counter()
    for part in parts:
        if load_function(part, maker) is None:
            compile_function(part, maker)
    return perf_counter() - start
