"""Where kernels put the illumination: rows at a time, from several threads."""

from __future__ import annotations

from typing import Protocol

import numpy as np
from numpy.typing import NDArray


class Lights(Protocol):
    """Takes the illumination of a plane, (H, W) or (H, W, 3), by rows."""

    @property
    def shape(self) -> tuple[int, ...]: ...

    @property
    def ndim(self) -> int: ...

    def begin(self, top: int, bottom: int) -> NDArray[np.float32]:
        """Memory for some rows, without gaps."""

    def end(self, top: int, bottom: int, light: NDArray[np.float32]) -> None:
        """These rows are there."""


class Kept:
    """Keeps the illumination as an array."""

    def __init__(self, out: NDArray[np.float32]) -> None:
        self._out = out
        self.shape, self.ndim = out.shape, out.ndim

    def begin(self, top: int, bottom: int) -> NDArray[np.float32]:
        """The rows themselves where they lie without gaps."""
        view = self._out[top:bottom]
        return view if view.flags.c_contiguous else np.empty(view.shape, np.float32)

    def end(self, top: int, bottom: int, light: NDArray[np.float32]) -> None:
        """Copy rows that were made elsewhere."""
        if not self._out.flags.c_contiguous:
            self._out[top:bottom] = light
