"""Work that is tried again in smaller tiles when a device's memory runs out."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import NamedTuple

import torch

SMALLEST_TILE = 32


class Step(NamedTuple):
    """`done` of `total` parts, the longest tile side, and at times a word to the user."""

    done: int
    total: int
    size: int
    note: str = ""


def halving(
    attempt: Callable[[int], Iterator[tuple[int, int]]], size: int, device: torch.device
) -> Iterator[Step]:
    """Pass on what `attempt(size)` yields; out of memory, start it again with half the size.

    Parameters
    ----------
    attempt : callable
        Takes the tiles' size and yields (done, total).
    size : int
        Longest tile side to begin with, in pixels.
    device : torch.device
        Whose memory it is.

    Raises
    ------
    MemoryError
        If tiles of `SMALLEST_TILE` pixels do not fit either.
    """
    note = ""
    while True:
        try:
            for done, total in attempt(size):
                yield Step(done, total, size, note)
                note = ""
            return
        except RuntimeError as error:
            if "out of memory" not in str(error):  # CUDA and Metal word it alike
                raise
            if size <= SMALLEST_TILE:
                raise MemoryError(
                    f"{device.type} has no memory left even for small tiles: close other programs "
                    "or choose the device cpu."
                ) from None
            size = max(size // 2, SMALLEST_TILE)
            note = f"Out of memory on {device.type}: continuing with tiles of {size} pixels."
        if device.type == "cuda":  # outside of the handler, whose traceback holds the tensors
            torch.cuda.empty_cache()
