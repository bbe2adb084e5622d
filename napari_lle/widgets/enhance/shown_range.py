"""Between which values a result is shown. The data stay as they are: a layer's limits choose."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from ...model.inference.looks import PUBLICATION
from ...model.preprocessing.screen import MIDDLE, transfer
from ...model.preprocessing.sky import find_sky

if TYPE_CHECKING:
    from napari.layers import Image
    from numpy.typing import NDArray

SHOWN_PERCENTILE = 99.9  # of the result: highlights beyond stay in the data
DARK_PERCENTILE = 0.1  # darker values may be shown as black around a sky
MID_GREYS = 2.0  # medians that white is at least, up to a value of 1
PERCENTILE_PIXELS = 1_000_000  # pixels that the percentiles are taken from
SKY_PIXELS = 100_000  # pixels that the sky is found on
SKY_TOLERANCE = 0.1  # by what share the sky may miss its brightness; else none is in the part


class ShownRange(NamedTuple):
    """What the range follows from, of the full effect without a change of its tone.

    Attributes
    ----------
    high : float
        A high percentile.
    dark : float
        A low one.
    sky : float, optional
        Brightness of the background, where black was set near it.
    middle : float
        The median.
    """

    high: float = 1.0
    dark: float = 0.0
    sky: float | None = None
    middle: float = 0.0

    @classmethod
    def of(cls, estimate: Any) -> ShownRange:
        """Find it; a published figure and a photograph are shown from black to white, no less."""
        record = estimate.record
        if record.get("look") == PUBLICATION or (estimate.rgb and not estimate.joint):
            return cls()
        sample = _values_of(estimate)
        if not sample.size:
            return cls()
        shares = (DARK_PERCENTILE, 50, SHOWN_PERCENTILE)
        dark, middle, high = (float(v) for v in np.percentile(sample, shares))
        sky = record.get("sky")
        if sky is not None:
            sky = _found_sky(sample, sky)
        return cls(high if high > 0 else 1.0, dark, sky, middle)

    def limits(self, strength: float = 1.0, brightness: float | None = None) -> tuple[float, float]:
        """What becomes black and what becomes white on the screen.

        From 0 to the high percentile, but where nothing stands out, as in a frame of noise alone,
        the median becomes mid-grey, not nearly white.

        A sky is shown exactly as bright as its value in the result says, a quarter as a quarter,
        with as much contrast as that allows: with low l and high h, (sky - l) / (h - l) = sky.
        Where l would hide what is darker than the sky, such as dust in front of a nebula, l is the
        low percentile, and h follows.

        Parameters
        ----------
        strength : float
            Low follows it down to 0, where the input is shown as it is.
        brightness : float, optional
            As of `tone.Tone`.
        """
        high = brightened(self.high, brightness)
        if self.sky is None:
            return 0.0, max(high, min(MID_GREYS * brightened(self.middle, brightness), 1.0))
        high, dark, sky = min(high, 1.0), brightened(self.dark, brightness), self.sky
        sky = brightened(sky, brightness)
        if high <= sky:  # nothing but sky
            return 0.0, 1.0
        low = sky * (1 - high) / (1 - sky)
        if low > dark:
            low = max(dark, 0.0)
            high = low + (sky - low) / sky
        return strength * low, high


def brightened(value: float, brightness: float | None) -> float:
    """What the slider *brightness* makes of a value of the result."""
    if brightness is None or brightness == MIDDLE or not 0 < value < 1:
        return value
    v = MIDDLE * (1 - brightness) / (brightness - MIDDLE)
    return float(transfer(value, value, v))


def limits_of(seen: ShownRange, estimate: Any, strength: float) -> tuple[float, float]:
    """Between which values a blend of an estimate, in its tone, is shown."""
    return seen.limits(strength, estimate.record.get("brightness"))


class FollowedLimits:
    """The contrast limits of a layer, which follow a blend until the user changes them.

    Parameters
    ----------
    layer : Image
    seen : ShownRange
    now : tuple of float
        The limits to begin with; the sliders reach from black to white.
    """

    def __init__(self, layer: Image, seen: ShownRange, now: tuple[float, float]) -> None:
        self._layer, self._seen = layer, seen
        self._put(now)

    def follow(self, estimate: Any, strength: float) -> None:
        """Show a blend of an estimate, in its tone, between what belongs to it."""
        if tuple(self._layer.contrast_limits) == self._set:
            self._put(limits_of(self._seen, estimate, strength))

    def _put(self, limits: tuple[float, float]) -> None:
        low, high = limits
        self._layer.contrast_limits_range = min(low, 0.0), max(high, 1.0)
        self._layer.contrast_limits = limits
        self._set = tuple(self._layer.contrast_limits)


def _values_of(estimate: Any) -> NDArray[Any]:
    """Finite values of some planes of the full effect."""
    planes = list(np.ndindex(estimate.lead))
    some = planes[len(planes) // 6 :: len(planes) // 3 + 1]
    values = [
        np.ravel(plane[..., :3] if estimate.rgb else plane) for plane in map(estimate.glance, some)
    ]
    sample = np.concatenate([v[:: max(1, len(some) * v.size // PERCENTILE_PIXELS)] for v in values])
    return sample[np.isfinite(sample)]


def _found_sky(sample: NDArray[Any], promised: float) -> float:
    """How bright the sky is; as promised where the values, of a part of an image, show none."""
    found = find_sky(sample[:: max(1, sample.size // SKY_PIXELS)])
    near = found is not None and abs(found.level - promised) <= SKY_TOLERANCE * promised
    return found.level if found is not None and near else promised
