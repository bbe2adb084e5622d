"""Work that is tried again in smaller tiles when a device's memory runs out."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from ..progress import Progress
from .choices import SMALLEST_TILE

if TYPE_CHECKING:
    import torch


class Halving:
    """Tiles of half the size whenever they do not fit, and from then on.

    Parameters
    ----------
    size : int
        Longest tile side to begin with, in pixels.
    device : torch.device
        Whose memory it is.
    """

    def __init__(self, size: int, device: torch.device) -> None:
        self.size, self.device = size, device

    def steps(self, attempt: Callable[[int], Iterator[tuple[int, int]]]) -> Iterator[Progress]:
        """Pass on what `attempt(size)` yields; out of memory, start it again with half the size.

        Parameters
        ----------
        attempt : callable
            Takes the tiles' size and yields (done, total).

        Raises
        ------
        MemoryError
            If tiles of `SMALLEST_TILE` pixels do not fit either.
        """
        note = ""
        while True:
            try:
                for done, total in attempt(self.size):
                    yield Progress(done, total, note)
                    note = ""
                return
            except RuntimeError as error:
                if "out of memory" not in str(error):  # CUDA and Metal word it alike
                    raise
                note = self._halve()
            if self.device.type == "cuda":  # outside of the handler, whose traceback holds tensors
                import torch

                torch.cuda.empty_cache()

    def _halve(self) -> str:
        kind = self.device.type
        if self.size <= SMALLEST_TILE:
            raise MemoryError(
                f"{kind} has no memory left, even for small tiles: close other programs "
                "or choose the device cpu."
            ) from None
        self.size = max(self.size // 2, SMALLEST_TILE)
        return f"Out of memory on {kind}: continuing with tiles of {self.size} pixels."
