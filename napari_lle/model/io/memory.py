"""Whether an image fits into memory, told before the system has to stop the program."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import psutil

from .errors import FileError


def check_memory(path: Path, needed: int, fix: str) -> None:
    """Raise FileError where `needed` bytes are not free; `fix` says what to do instead."""
    free = free_memory()
    if needed > free:
        raise FileError(
            f"{path} needs {_size(needed)} of memory, and {_size(free)} are free: {fix}."
        )


class Use(NamedTuple):
    """What is going to be done with an image that is read, told by the memory it takes.

    Attributes
    ----------
    per_value : int
        Bytes for each value, beside copies of the pixels.
    copies : int
        Of the pixels, the image itself included.
    fix : str
        What to do where that is too much.
    """

    per_value: int
    copies: int
    fix: str

    def check(self, path: Path, values: int, itemsize: int) -> None:
        """Raise FileError where an image of so many values of so many bytes does not fit."""
        check_memory(path, values * (self.per_value + self.copies * itemsize), self.fix)


READ = Use(0, 1, "cut it into parts, or make a Zarr of it")
DECODE = Use(0, 2, "cut it into parts, or make a TIFF of it")  # pictures are decoded as a whole
ENHANCE = Use(32, 2, "write to a .zarr, which is made block by block")


def free_memory() -> int:
    """Bytes that programs can still have."""
    return int(psutil.virtual_memory().available)


def _size(count: int) -> str:
    return f"{count / 1e9:.1f} GB" if count < 1e10 else f"{count / 1e9:.0f} GB"
