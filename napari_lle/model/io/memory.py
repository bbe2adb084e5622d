"""Whether an image fits into memory, told before the system has to stop the program."""

from __future__ import annotations

from pathlib import Path

import psutil

from .errors import FileError

PER_VALUE = 32  # bytes that enhancing takes for each value of an image, beside two copies of it


def check_memory(path: Path, needed: int, mend: str) -> None:
    """Raise FileError where `needed` bytes are not free; `mend` says what to do instead."""
    free = free_memory()
    if needed > free:
        raise FileError(
            f"{path} needs {_size(needed)} of memory, and {_size(free)} are free: {mend}."
        )


def free_memory() -> int:
    """Bytes that programs can still have."""
    return int(psutil.virtual_memory().available)


def enhancing(values: int, itemsize: int) -> int:
    """Bytes at the peak of enhancing an image of so many values as a whole."""
    return values * (PER_VALUE + 2 * itemsize)


def _size(count: int) -> str:
    return f"{count / 1e9:.1f} GB" if count < 1e10 else f"{count / 1e9:.0f} GB"
