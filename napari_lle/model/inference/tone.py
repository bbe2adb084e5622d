"""Brightness and noise removal: arithmetic on an illumination that was found, without the network.

With x what the network saw and L what it found, R = x / L. A plain stretch of x has the
illumination P = (x + u) / (1 + u), see `screen`. Noise removal d takes P^(1 - d) L^d for L.
Brightness b then puts R through the midtones function that brings a quarter to b and leaves 0 and
1 where they are: L (R + v) / (1 + v) with v = (1 - b) / (4 b - 1). Both keep S = R L.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..network.bundled import REMOVERS
from ..preprocessing.screen import MIDDLE, STRETCHED, midtones
from .estimate import Estimate
from .planes import see


class Tone(NamedTuple):
    """Where a quarter is brought to, and how much of the noise removal is kept; None as it is.

    Attributes
    ----------
    brightness, denoise : float, optional
    """

    brightness: float | None = None
    denoise: float | None = None

    def of(
        self, x: NDArray[np.float32], light: NDArray[np.float32], typical: float, darkest: float
    ) -> NDArray[np.float32]:
        """Another illumination for the one found.

        Parameters
        ----------
        x, light : ndarray of one shape
            What the network saw, 0..1, and what it found, > 0.
        typical : float
            See `Statistics`.
        darkest : float
            See `Estimate`.
        """
        if self.denoise is not None:
            u = np.float32(midtones(float(np.clip(typical, *STRETCHED))))
            plain = (x + u) / (1 + u)
            light = plain ** np.float32(1 - self.denoise) * light ** np.float32(self.denoise)
        if self.brightness is not None and self.brightness != MIDDLE:
            v = np.float32(MIDDLE * (1 - self.brightness) / (self.brightness - MIDDLE))
            r = np.minimum(np.maximum(x, np.float32(darkest)) / light, 1)
            light = light * ((r + v) / (1 + v))
        return np.asarray(light, np.float32)


NEUTRAL = Tone()


@dataclass(frozen=True)
class Toned(Estimate):
    """An estimate with another tone, found plane by plane where it is looked at.

    Attributes
    ----------
    raw : Estimate, optional
        As the network left it.
    """

    raw: Estimate | None = None


class TonedLight:
    """The illumination of an estimate with another tone.

    Parameters
    ----------
    raw : Estimate
    tone : Tone
    """

    def __init__(self, raw: Estimate, tone: Tone) -> None:
        self._raw, self._tone = raw, tone
        self.shape, self.ndim, self.dtype = raw.illumination.shape, raw.illumination.ndim, "f4"

    def __getitem__(self, index: tuple[int, ...]) -> NDArray[np.float32]:
        raw, channels = self._raw, self._raw.record["channels"]
        pixels = np.asarray(raw.image[index])
        x = see(pixels, raw.levels, raw.rgb, channels == "per", channels == "luminance")
        typical = raw.record["statistics"]["typical"]
        return self._tone.of(x, raw.illumination[index], typical, raw.darkest)


def tonable(estimate: Any) -> bool:
    """Whether an estimate takes another tone: of one image in memory, with an own illumination."""
    return type(estimate) in (Estimate, Toned) and "channel_axis" not in estimate.record


def toned(estimate: Any, tone: Tone) -> Any:
    """An estimate with another tone, where it takes one; else as it is."""
    if not tonable(estimate):
        return estimate
    raw: Estimate = getattr(estimate, "raw", None) or estimate
    if raw.record["model"] not in REMOVERS:
        tone = tone._replace(denoise=None)
    if tone == NEUTRAL:
        return raw
    told = {name: value for name, value in tone._asdict().items() if value is not None}
    record = {**raw.record, **told}
    return Toned(**{**vars(raw), "illumination": TonedLight(raw, tone), "record": record}, raw=raw)
