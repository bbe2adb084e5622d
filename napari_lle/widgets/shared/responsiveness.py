"""Let the window answer while a thread works: only one thread at a time can run Python code.

Drawing a window takes hundreds of short turns, each of which waits until the working thread gives
way: Python's own 5 ms a turn add up to stalls that can be seen. And when Python looks through all
objects for garbage, as it does after many were made, nobody has a turn for a quarter of a second.
"""

from __future__ import annotations

import ctypes
import gc
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from threading import Lock

BRIEF = 0.0005  # seconds after which a working thread gives way
NEVER = 1 << 30  # looks at new objects until there is one at all of them
_lock = Lock()
_working = 0
_before = sys.getswitchinterval()
_thresholds = gc.get_threshold()


@contextmanager
def brief_turns() -> Iterator[None]:
    """Make threads give way sooner, until the last of those who asked for it is done.

    Until then garbage is looked for among new objects only. That part may go when Python's
    collector works in small steps, https://github.com/python/cpython/issues/108362, in all
    versions that are supported.
    """
    global _working
    with _lock:
        if not _working:
            _shorten()
        _working += 1
    try:
        yield
    finally:
        with _lock:
            _working -= 1
            if not _working:
                _restore()


def _shorten() -> None:
    global _before, _thresholds
    _before, _thresholds = sys.getswitchinterval(), gc.get_threshold()
    sys.setswitchinterval(min(BRIEF, _before))
    gc.set_threshold(*_thresholds[:2], NEVER)


def _restore() -> None:
    sys.setswitchinterval(_before)
    gc.set_threshold(*_thresholds)


def load_libraries() -> None:
    """Import torch and all that inference needs without keeping the window waiting."""
    if "torch" not in sys.modules:
        _open_torch()
    with old_at_once():
        import torch  # noqa: F401 - for models without a compiled kernel, on another thread than Qt's

        from ...model import kernels
        from ...model.inference import enhance  # noqa: F401

        if kernels.available():
            from ...model.kernels.cpu import compiled  # noqa: F401


@contextmanager
def old_at_once() -> Iterator[None]:
    """Count objects made in it as old ones, unlooked at: modules are no garbage.

    As young ones they would be looked through three times, the last time with all others. It may
    go together with the threshold above. `gc.freeze`, made to be called before a fork
    (https://github.com/python/cpython/issues/75739), takes objects out of the collector's sight
    for good: hence `gc.unfreeze` right after it.
    """
    collecting = gc.isenabled() and not gc.get_freeze_count()
    if collecting:
        gc.disable()
    try:
        yield
    finally:
        if collecting:
            gc.freeze()  # all objects go to the permanent generation, and from there
            gc.unfreeze()  # to the oldest
            gc.enable()


def _open_torch() -> None:
    """Open torch's largest library so that other threads go on.

    ``import`` opens it in one call that takes a quarter of a second and lets no other thread run:
    Python holds its lock while it calls dlopen, on purpose, as is said in
    https://github.com/python/cpython/pull/154255. ``ctypes.CDLL(path)`` holds it as well, but a
    call of the C function dlopen through ctypes does not, and the import then finds the library
    open. It may go when enhancing with a compiled kernel needs no torch, or when torch opens its
    libraries later, https://github.com/pytorch/pytorch/issues/137260.
    """
    spec = find_spec("torch") if sys.platform == "linux" else None
    if spec is None or spec.origin is None:
        return
    library = Path(spec.origin).parent / "lib" / "libtorch_cpu.so"
    if library.exists():
        opened = ctypes.CDLL(None).dlopen
        opened.restype, opened.argtypes = ctypes.c_void_p, [ctypes.c_char_p, ctypes.c_int]
        opened(os.fsencode(library), os.RTLD_NOW | os.RTLD_LOCAL)
