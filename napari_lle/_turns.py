"""Let the window answer while a thread works: only one thread at a time can run Python code.

Drawing a window takes hundreds of short turns, each of which waits until the working thread gives
way: Python's own 5 ms a turn add up to stalls that can be seen. And when Python looks through all
objects for garbage, as it does after many are made, nobody has a turn for a third of a second.
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
RARELY = 10  # times as seldom is garbage looked for among all objects, not the youngest only
_lock = Lock()
_working = 0
_before = sys.getswitchinterval()
_thresholds = gc.get_threshold()
_frozen = False


@contextmanager
def brief_turns() -> Iterator[None]:
    """Make threads give way sooner, until the last of those who asked for it is done.

    Until then garbage is looked for among new objects only, and less often among all of them.
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
    global _before, _thresholds, _frozen
    _before, _frozen = sys.getswitchinterval(), not gc.get_freeze_count()
    sys.setswitchinterval(min(BRIEF, _before))
    _thresholds = gc.get_threshold()
    gc.set_threshold(*_thresholds[:2], RARELY * _thresholds[2])
    if _frozen:
        gc.freeze()


def _restore() -> None:
    sys.setswitchinterval(_before)
    gc.set_threshold(*_thresholds)
    if _frozen:
        gc.unfreeze()


def load_torch() -> None:
    """Load torch's largest library without keeping other threads waiting.

    ``import`` opens it in one call that takes a quarter of a second and lets no other thread run;
    a call through ctypes lets them, and the import then finds the library open.
    """
    spec = find_spec("torch") if sys.platform == "linux" and "torch" not in sys.modules else None
    if spec is None or spec.origin is None:
        return
    library = Path(spec.origin).parent / "lib" / "libtorch_cpu.so"
    if library.exists():
        opened = ctypes.CDLL(None).dlopen
        opened.restype, opened.argtypes = ctypes.c_void_p, [ctypes.c_char_p, ctypes.c_int]
        opened(os.fsencode(library), os.RTLD_NOW | os.RTLD_LOCAL)
