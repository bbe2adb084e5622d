"""All stages of one plane as arrays, and what is measured on them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..network.config import RESIDUAL_FLOOR

# The symbols of the paper. V_1 is S, V_t is S + E_{t-1}: what stage t sees.
SYMBOLS = ("L", "R", "u", "E", "V")


class Distance(NamedTuple):
    """How far the illumination of a stage is from that of the first."""

    max: float
    mean: float


@dataclass(frozen=True)
class Trace:
    """All stages of one plane, or of a part of one.

    Attributes
    ----------
    values : dict of str to ndarray of float32
        By symbol, see `SYMBOLS`. R is (T, Y, X) or, in colour, (T, Y, X, 3); the others are so in
        colour where each channel has its own illumination, else (T, Y, X).
    """

    values: dict[str, NDArray[np.float32]]

    def __getitem__(self, kind: str) -> NDArray[np.float32]:
        return self.values[kind]

    @property
    def count(self) -> int:
        """T."""
        return len(self.values["L"])

    def distances(self) -> list[Distance]:
        """Max and mean of ``|L_t - L_1|`` for t = 1..T; 0 for the first by definition."""
        away = [np.abs(light - self["L"][0]) for light in self["L"]]
        return [Distance(float(a.max()), float(a.mean(dtype=np.float64))) for a in away]

    def difference(self) -> NDArray[np.float32]:
        """``|L_T - L_1|``: where the stages disagree."""
        return np.abs(self["L"][-1] - self["L"][0])

    def gain(self, stage: int = 1) -> NDArray[np.float32]:
        """``1 / L_t``: the factor by which every pixel is brightened."""
        return 1 / np.maximum(self["L"][stage - 1], np.float32(RESIDUAL_FLOOR))
