"""What is known of a layer before a run: its levels, its histogram, how much is below black."""

from __future__ import annotations

from collections.abc import Generator
from itertools import cycle
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from .background import surveyed
from .blank import blankness

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ...model.preprocessing.normalizing import AnyLevels
    from .subject import Subject

HISTOGRAM_VALUES = 200_000  # values that a histogram counts
COPIED_LEVELS = "napari_lle_levels"  # of a layer's metadata: the levels that were copied to it


class Found(NamedTuple):
    """What is known of a layer: its levels, values for a histogram, why it is blank if it is.

    Attributes
    ----------
    levels : Levels or ChannelLevels
    values : ndarray, (N,)
        Finite ones, of all channels.
    below : float
        The share of values below the black of their channel.
    blank : str
    """

    levels: AnyLevels
    values: NDArray[np.float64]
    below: float
    blank: str = ""

    def share_below(self, black: float | None) -> float:
        """The share of values that are darker than a black level, or the one found."""
        if black is None:
            return self.below
        return float((self.values < black).mean()) if self.values.size else 0.0


def found_steps(subject: Subject) -> Generator[Any, None, Found]:
    """What a run would find of a layer, as a job; of a lazy one, from an excerpt like there."""
    arrays = [data[0] if isinstance(data, list) else data for data in subject.arrays()]
    return _find_steps(arrays if subject.alike else arrays[:1], subject)


def _find_steps(arrays: list[Any], subject: Subject) -> Generator[Any, None, Found]:
    """Of the first array, where there are several that share levels."""
    from ...model.inference.alike import common_survey
    from ...model.inference.plan import survey
    from ...model.inference.survey import excerpts_of
    from ...model.preprocessing.levels import sample

    yield 0, 1, ""
    options, data = subject.options, arrays[0]
    rgb = bool(options.rgb)
    parts = excerpts_of(data, options)
    if subject.background:
        data, _, known = surveyed(subject.layers[0], subject.background, options)
        parts = excerpts_of(data, options)
    else:
        known = common_survey(arrays, options) if len(arrays) > 1 else survey(data, options)
    levels = known.levels
    channels = [sample(part, rgb=rgb) for part in parts]
    if rgb and levels.axis is not None:
        channels = list(np.moveaxis(channels[0], -1, 0))
    pairs = zip(channels, cycle(levels.each), strict=False)
    dark = [np.ravel(values < own.black) for values, own in pairs]
    values = np.concatenate([np.ravel(each) for each in channels])
    values = values[:: max(1, values.size // HISTOGRAM_VALUES)].astype(np.float64)
    below = float(np.concatenate(dark).mean()) if values.size else 0.0
    return Found(levels, values[np.isfinite(values)], below, blankness(parts, rgb))
