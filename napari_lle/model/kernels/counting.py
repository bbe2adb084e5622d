"""Which code counts the pixels that levels and statistics are found of."""

from __future__ import annotations

from ..preprocessing.tally import PLAIN, Counter
from . import available


def find_counter() -> Counter:
    """Compiled code, if it is compiled, in this process or on disk; else NumPy's."""
    if not available():
        return PLAIN
    from .cpu.counter import load_counter

    return load_counter() or PLAIN
