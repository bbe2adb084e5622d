"""A network as arrays: all that kernels need of it, without torch, which takes a second to load."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from . import extent
from .config import NetworkConfig


@dataclass(frozen=True, eq=False)
class Weights:
    """A network's configuration and weights.

    Attributes
    ----------
    config : NetworkConfig
    arrays : mapping of str to ndarray of float32
        By the names and of the shapes of `extent.weight_shapes`.
    """

    config: NetworkConfig
    arrays: Mapping[str, NDArray[np.float32]]

    @property
    def radius(self) -> int:
        """Halo in pixels that one block reads beyond its output."""
        return extent.radius(self.config)

    @property
    def grid(self) -> int:
        """Tiles begin at multiples of so many pixels."""
        return extent.grid(self.config)

    @property
    def standard(self) -> bool:
        """No other block stands in for the configuration's, as one may in `Network`."""
        return True

    def weights(self) -> Weights:
        """Themselves; `Network` has them, too."""
        return self

    def at_scale(self, scale: int) -> Weights:
        """The same weights with an illumination of another size, see `blocks.Block`."""
        return replace(self, config=replace(self.config, illumination_scale=scale))
