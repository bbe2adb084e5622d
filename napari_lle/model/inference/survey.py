"""What is found once of whole images, before any pixel is worked on: levels and statistics."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import chain, cycle
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..kernels.counting import find_counter
from ..preprocessing.channel_levels import COLOUR_AXIS, find_colour_levels, measured_colours
from ..preprocessing.levels import AnyLevels, Levels, find_levels, sample
from ..preprocessing.noise import fit_noise
from ..preprocessing.normalizing import level_set
from ..preprocessing.screen import MIDDLE
from ..preprocessing.sky import find_sky, typical_for_sky
from ..preprocessing.softness import softness
from ..preprocessing.statistics import Statistics, image_statistics
from ..preprocessing.tally import Tally
from .clipping import told, widened
from .lazy_arrays import in_memory
from .level_options import LevelPair, level_pairs
from .options import EnhanceOptions
from .planes import see
from .shared_illumination import brightest, channels_of

BRIGHTEST = 0.99  # that a background can be brought to


class Survey(NamedTuple):
    """What is found once for whole images and holds for every plane and part of them.

    Attributes
    ----------
    each : tuple of Levels or ChannelLevels
        Of each image.
    statistics : Statistics
        Of the image, or of the brightest of those that share an illumination.
    aim : float
        What a stretch is to bring the typical brightness to.
    """

    each: tuple[AnyLevels, ...]
    statistics: Statistics
    aim: float = MIDDLE

    @property
    def levels(self) -> AnyLevels:
        """Of the first image, which mostly is the only one."""
        return self.each[0]

    def for_screen_stretch(self) -> Survey:
        """The same for models whose aim is fixed: another typical brightness has that effect."""
        if self.aim == MIDDLE:
            return self
        typical = typical_for_sky(self.statistics.typical, self.aim)
        return Survey(self.each, self.statistics._replace(typical=typical))


def find_survey(
    arrays: Sequence[Any],
    options: EnhanceOptions,
    *,
    noise: bool,
    alike: bool = False,
) -> Survey:
    """Levels and statistics of one array, or of several that share an illumination.

    Parameters
    ----------
    arrays : sequence
    options : EnhanceOptions
        With nothing left open, see `plan.settle`.
    noise : bool
        Whether the noise is to be among the statistics.
    alike : bool
        The arrays share levels and statistics, as if they were parts of one, not an illumination.
    """
    shared = not alike and (len(arrays) > 1 or options.channel_axis is not None)
    return (_of_scene if shared else _of_alike)(arrays, options, noise)


def excerpts_of(image: Any, options: EnhanceOptions) -> list[Any]:
    """What is looked at of an image, channel by channel where these are an axis."""
    if options.channel_axis is None:
        return [in_memory(image, bool(options.rgb))]
    return [in_memory(channel, False) for channel in channels_of(image, options.channel_axis)]


def _of_alike(arrays: Sequence[Any], options: EnhanceOptions, noise: bool) -> Survey:
    """Of one image, or of several that are treated as one."""
    rgb, per = bool(options.rgb), options.channels == "per"
    luminance = options.channels == "luminance"
    parts = [in_memory(array, rgb) for array in arrays]
    tally = _tally(parts, rgb)
    (pair,) = options.level_pairs(1)
    levels: AnyLevels
    if rgb and tally and _unlinked(options, pair, measured_colours(tally.squares)):
        levels = find_colour_levels(
            parts[0], tally.squares, level_pairs(pair, 3, "channels"), options.sky
        )
    else:
        levels = _one_pair(parts[0], pair, options, rgb=rgb, tally=tally)
        tally = tally or _tally(parts[:1], rgb)
    assert tally is not None
    if options.clipped is not None:
        ends = _ends(tally.squares)
        colours = [part[..., :3] if rgb else part for part in parts]
        levels = widened(levels, colours, pair, options.clipped, ends)
    known = _seen_statistics(tally, levels, options)
    aim = MIDDLE
    if options.sky:
        axis = COLOUR_AXIS if rgb else None
        apart = chain(*(_by_channel(part, levels, axis) for part in parts))
        x = see(tally.squares, levels, rgb, per, luminance)
        known, aim = _for_sky(known, apart, x, options.sky)
    if noise:
        apart = chain(*(_by_channel(part, levels, levels.axis, rgb) for part in parts))
        known = _with_noise(known, apart, rgb and levels.axis is None)
    return Survey((levels,), known, aim)


def _tally(parts: Sequence[Any], rgb: bool) -> Tally | None:
    """The squares of all parts; None of an empty one."""
    if not all(part.size for part in parts):
        return None
    found = [sample(part, rgb=rgb) for part in parts]
    squares = np.concatenate(found) if len(found) > 1 else found[0]
    return Tally(squares, find_counter())


def _seen_statistics(tally: Tally, levels: AnyLevels, options: EnhanceOptions) -> Statistics:
    """Statistics of what the network sees: of counts, where levels do the same to all values."""
    rgb, per = bool(options.rgb), options.channels == "per"
    luminance = options.channels == "luminance"
    if levels.axis is None and not luminance and not per and tally.complete:
        return tally.brightest().grey(lambda values: see(values, levels, False, False))
    if per and tally.squares.dtype == np.uint8 and (levels.black, levels.white) == (0, 255):
        return tally.photograph()
    x = see(tally.squares, levels, rgb, per, luminance)
    return image_statistics(x if per else x[..., None])


def _ends(squares: NDArray[Any]) -> tuple[float, float]:
    """The least and the greatest of the values that levels are found of."""
    known = squares[np.isfinite(squares)] if squares.dtype.kind == "f" else squares
    return (float(known.min()), float(known.max())) if known.size else (-np.inf, np.inf)


def share_clipped(
    arrays: Sequence[Any], each: Sequence[AnyLevels], options: EnhanceOptions
) -> dict[str, float]:
    """What a record says of the values of arrays beyond their levels."""
    parts = [in_memory(array, bool(options.rgb)) for array in arrays]
    parts = [part[..., :3] for part in parts] if options.rgb else parts
    pairs = zip(parts, each, strict=True)
    channels = chain(*(_by_channel(part, levels, levels.axis) for part, levels in pairs))
    return told(options.clipped or 0.0, channels)


def _of_scene(arrays: Sequence[Any], options: EnhanceOptions, noise: bool) -> Survey:
    axis = options.channel_axis
    pairs = options.level_pairs(len(arrays))
    levels = tuple(
        _scene_levels(array, pair, options) for array, pair in zip(arrays, pairs, strict=True)
    )
    if options.clipped is not None:
        levels = tuple(
            widened(own, [part := in_memory(array, False)], pair, options.clipped, _ends(part))
            for own, array, pair in zip(levels, arrays, pairs, strict=True)
        )
    if options.levels == "linked":
        black, white = min(v.common.black for v in levels), max(v.common.white for v in levels)
        levels = tuple(Levels(black, white, own.dtype) for own in levels)
    x = sample(in_memory(brightest(arrays, levels, axis), False))
    known = image_statistics(x[..., None])
    aim = MIDDLE
    if options.sky:
        apart = _all_apart(arrays, levels, [axis] * len(levels))
        known, aim = _for_sky(known, apart, x, options.sky)
    if noise:
        apart = _all_apart(arrays, levels, [own.axis for own in levels])
        known = _with_noise(known, apart, False)
    return Survey(levels, known, aim)


def _scene_levels(array: Any, pair: LevelPair, options: EnhanceOptions) -> AnyLevels:
    """Levels of an array of a scene, which may have an axis of channels."""
    axis = options.channel_axis
    if axis is None or not _unlinked(options, pair, True):
        return _counted_levels(in_memory(array, False), pair, options)
    pairs = level_pairs(pair, array.shape[axis], "channels")
    channels = zip(channels_of(array, axis), pairs, strict=True)
    found = [_counted_levels(in_memory(channel, False), own, options) for channel, own in channels]
    return level_set(found, axis - array.ndim)


def _one_pair(part: Any, pair: LevelPair, options: EnhanceOptions, **known: Any) -> Levels:
    """One pair of levels."""
    ((black, white),) = level_pairs(pair, 1, "channels")
    return find_levels(part, black=black, white=white, sky=options.sky, **known)


def _counted_levels(part: Any, pair: LevelPair, options: EnhanceOptions) -> Levels:
    return _one_pair(part, pair, options, tally=_tally([part], False))


def _unlinked(options: EnhanceOptions, pair: LevelPair, apt: bool) -> bool:
    """Whether channels have levels of their own; by default, where that is apt."""
    several = any(isinstance(level, Sequence) and not isinstance(level, str) for level in pair)
    return options.levels == "unlinked" or (options.levels == "auto" and (several or apt))


def _by_channel(
    array: Any, levels: AnyLevels, axis: int | None, rgb: bool = False
) -> Iterator[tuple[Any, Levels]]:
    """The channels of an array along an axis, each with its levels; without an axis, the array."""
    if axis is None:
        yield in_memory(array, rgb), levels.each[0]
        return
    array = array[..., :3] if axis == COLOUR_AXIS else array
    channels = channels_of(array, axis % array.ndim)
    for channel, own in zip(channels, cycle(levels.each), strict=False):
        yield in_memory(channel, False), own


def _all_apart(
    arrays: Sequence[Any], levels: Sequence[AnyLevels], axes: Sequence[int | None]
) -> Iterator[tuple[Any, Levels]]:
    for array, own, axis in zip(arrays, levels, axes, strict=True):
        yield from _by_channel(array, own, axis)


def _for_sky(
    known: Statistics, channels: Iterator[tuple[Any, Levels]], x: NDArray[Any], target: float
) -> tuple[Statistics, float]:
    """The background as what is typical, and what a stretch of x is to make of it.

    Channels are at most as bright as x, the brightest of them, and that is what is stretched.
    """
    skies = [(find_sky(sample(channel)), own) for channel, own in channels]
    heights = [(sky.level - own.black) / own.span for sky, own in skies if sky]
    seen = find_sky(x)
    if seen is None or not heights or max(heights) <= 0:
        return known, MIDDLE
    aim = min(target * seen.level / max(heights), BRIGHTEST)
    return known._replace(typical=seen.level), aim


def _with_noise(known: Statistics, channels: Iterator[tuple[Any, Levels]], rgb: bool) -> Statistics:
    """The statistics with the noise of normalised images, their mean where there are several."""
    found, soft = [], []
    for channel, own in channels:
        noise = fit_noise(channel, rgb=rgb)
        found.append((*noise.normalized(own.black, own.white), noise.grain))
        soft.append(softness(channel, noise, rgb=rgb))
    shot, floor, grain = np.mean(found, axis=0).tolist()
    return known._replace(shot=shot, floor=floor, grain=grain, soft=min(soft))
