"""What the network knows of a whole image before it looks at any pixel's neighbourhood.

The figures are taken once from a whole layer, so that tiles, planes and frames are treated alike.
None depends on where a pixel lies, only on it and its neighbours, so that an even sample of 2 x 2
squares answers as well as the whole.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .quantiles import Ordered

# An image is left alone where its highlights, its mean and its shadows are those of a well-lit one.
LIT_HIGHLIGHT = (0.50, 0.65)
LIT_MEAN = (0.18, 0.26)
LIT_SHADOWS = (0.05, 0.11)
SPARED = 0.4  # slope that highlights keep where shadows are lifted
LIFT = 0.6  # of shadows beside highlights, whose curve has to rise faster
# What a curve is made for at least, beside highlights. Ground of 1 to 3 of 255 holds rounding and
# blocks of compression, which a steep curve would show: the less it holds, the darker it stays.
EMPTY_SHADOWS = (0.004, 0.011)
LEAST_ADAPTED = (0.03, 0.012)
SHADOWS = (5, 15, 25, 35, 45, 55)  # percentiles whose mean is the brightness of the darkest 60 %
FIRST_DARK = 3  # of these, the last below `CUT_OFF`
SPARSE = 30  # a median further below the mean than this says only that most of the image is empty
# Shares of squares at black: from where on it counts, and counts in full. And how far these are
# together, 0 as by chance, 1 as one area: .82 or more in confocal planes whose offset is too low,
# .45 or less where photons are counted, whose zeros are no black.
CUT_OFF, TOGETHER = (0.4, 0.5), (0.5, 0.7)
HIGHLIGHT = 98  # percent
LIT, HAS_COLOUR, SEEN_NOISE, ADAPTED = 1, 2, 5, 7  # places among the statistics
GREY_CHROMA = 0.02  # relative mean deviation from grey above which colours are colours


class Statistics(NamedTuple):
    """Measures of a whole normalised image; contrast, chroma and noise are centred, as features.

    Attributes
    ----------
    mean : float
        Mean brightness, 0..1.
    lit : float
        1 for a normally lit image, 0 for a dark one, `SPARED` for dark parts beside bright ones;
        smooth between.
    colour : float
        0 for a grey image, exactly; 1 for a coloured one.
    contrast : float
        Logarithm of the root mean square over the mean.
    chroma : float
        Mean deviation from grey over the mean.
    noise : float
        Logarithm of the mean difference across diagonals of 2 x 2 squares over the mean.
    typical : float
        Geometric mean of the median and the mean, 0..1. The median alone is the background's where
        bright objects are few, and a stretch made for it would wash them out. Of an image that is
        cut off at black, where half of the pixels are, that of what lies above: a stretch made
        for all would show one count as bright as a quarter and all that is brighter as white.
    adapted : float
        Brightness that a curve is made for: the mean, but that of the shadows where there are
        highlights beside them.
    shot, floor : float
        Variance of the noise at brightness x, ``shot x + floor``, see `noise`; 0 where it was not
        looked for.
    grain : float
        By how much the noise of means of 2 x 2 pixels exceeds that of white noise.
    soft : float
        1 where nothing sharp stands out of the noise, but something wide, see `softness`.
    """

    mean: float
    lit: float
    colour: float
    contrast: float
    chroma: float
    noise: float
    typical: float
    adapted: float
    shot: float = 0.0
    floor: float = 0.0
    grain: float = 1.0
    soft: float = 0.0


def recorded(values: Mapping[str, float]) -> Statistics:
    """Statistics of a record; those of earlier versions were adapted to the mean."""
    return Statistics(**{"adapted": values["mean"], **values})


class Greys(NamedTuple):
    """Of the pixels' greys.

    Attributes
    ----------
    median : float
    shadows : float
        Mean of the darkest 60 % of them.
    cut : float
        How far the image is cut off at black, 0..1, see `CUT_OFF`.
    black : float
        Share of squares of 2 x 2 pixels that are all at 0, where the image is cut off.
    above : float
        Median of the means of the others, likewise.
    """

    median: float
    shadows: float
    cut: float = 0.0
    black: float = 0.0
    above: float = 0.0


class Measures(NamedTuple):
    """What statistics are made of, of pixels in 0..1.

    Attributes
    ----------
    mean, power : float
        Of all values, and of their squares.
    highlight : float
        98th percentile of the brightest colour.
    greys : Greys
    apart : float
        Mean distance of colours from grey; exactly 0 where these are equal.
    diagonal : float
        Mean of half the differences across diagonals of 2 x 2 squares.
    """

    mean: float
    power: float
    highlight: float
    greys: Greys
    apart: float
    diagonal: float


def described(measures: Measures) -> Statistics:
    """The statistics that follow from figures of a whole image."""
    mean = measures.mean
    relative = 1 / (mean + 1e-6)
    chroma = measures.apart * relative
    highlights = _rise(measures.highlight, *LIT_HIGHLIGHT)
    bright = _rise(mean, *LIT_MEAN) * _rise(measures.greys.shadows, *LIT_SHADOWS)
    dark = min(_adapted_to(measures.greys.shadows), mean)
    return Statistics(
        mean=mean,
        lit=highlights * (SPARED + (1 - SPARED) * bright),
        colour=min(chroma / GREY_CHROMA, 1.0) if chroma > 1e-6 else 0.0,
        contrast=0.5 * float(np.log(measures.power * relative**2 + 1e-6)) - 0.5,
        chroma=3 * (chroma - 0.4),
        noise=float(np.log(measures.diagonal * relative + 0.01)) + 2.2,
        typical=_typical(mean, measures.greys),
        adapted=mean + highlights * (dark - mean),
    )


def _typical(mean: float, greys: Greys) -> float:
    """What is typical of all pixels, and of those above black as far as it is cut off there."""
    every = float(np.sqrt(max(greys.median, mean / SPARSE) * mean))
    if greys.cut == 0:
        return every
    there = float(np.sqrt(greys.above * mean / (1 - greys.black)))
    return float(every ** (1 - greys.cut) * there**greys.cut)


def _adapted_to(shadows: float) -> float:
    """The brightness that a curve is made for, of shadows beside highlights."""
    empty, full = LEAST_ADAPTED
    return max(LIFT * shadows, empty + (full - empty) * _rise(shadows, *EMPTY_SHADOWS))


def image_statistics(squares: ArrayLike) -> Statistics:
    """Describe an image by squares of neighbouring pixels.

    Parameters
    ----------
    squares : array_like, (..., 2, 2, 1 or 3)
        Greys or colours in 0..1, see `sampling.blocks`, or of 8 bits, whose 255 is 1; at least
        one square.
    """
    x = np.asarray(squares)
    top = 255.0 if x.dtype == np.uint8 else 1.0
    x = x.astype(
        {np.dtype(np.uint8): np.int16, np.dtype(np.float32): np.float32}.get(x.dtype, float)
    )
    # Pixel after pixel of one corner and one colour: sums over few neighbours would take most of
    # the time.
    x = np.ascontiguousarray(np.moveaxis(x, (-1, -3, -2), (0, 1, 2))).reshape(x.shape[-1], 4, -1)
    highlight, greys = _bright_and_greys(x, top)
    diagonal = float(np.abs(x[:, 0] - x[:, 1] - x[:, 2] + x[:, 3]).mean(dtype=np.float64)) / 2 / top
    wide = np.int32 if x.dtype == np.int16 else x.dtype
    power = float(np.square(x, dtype=wide).mean(dtype=np.float64)) / top**2
    mean = float(x.mean(dtype=np.float64)) / top
    return described(Measures(mean, power, highlight, greys, _from_grey(x) / top, diagonal))


def greys_of(ordered: Ordered, one: float, squares: Callable[[], NDArray[Any]]) -> Greys:
    """Greys from their sums over the colours, of which `one` is 1; those of squares are (4, N)."""
    *dark, median = ordered.quantiles([*SHADOWS, 50])
    known = Greys(median / one, sum(dark) / len(dark) / one)
    if dark[FIRST_DARK] > 0:
        return known
    corners = squares()
    means = corners.mean(axis=0)
    above, pixels = means[means > 0], float((corners <= 0).mean())
    if not above.size:
        return known
    black, chance = 1 - above.size / means.size, pixels**4
    cut = np.interp(black, CUT_OFF, (0, 1))
    cut *= np.interp((black - chance) / max(pixels - chance, 1e-9), TOGETHER, (0, 1))
    return known._replace(cut=float(cut), black=black, above=float(np.median(above)))


def _bright_and_greys(x: NDArray[Any], top: float) -> tuple[float, Greys]:
    """98th percentile of the brightest colour, and `greys_of`, of (C, 4, N) whose 1 is `top`."""
    x = x.view(np.uint16) if x.dtype == np.int16 else x  # which are counted at once

    def squares() -> NDArray[Any]:
        return x.sum(axis=0, dtype=np.float64) / (len(x) * top)

    if len(x) == 1:
        ordered = Ordered(x)
        return ordered.quantiles([HIGHLIGHT])[0] / top, greys_of(ordered, top, squares)
    a, b, c = x
    (highlight,) = Ordered(np.maximum(np.maximum(a, b), c)).quantiles([HIGHLIGHT])
    return highlight / top, greys_of(Ordered(a + b + c), 3 * top, squares)


def _from_grey(x: NDArray[Any]) -> float:
    """Mean deviation from grey of (C, 4, N); exactly 0 where the colours are equal."""
    if len(x) == 1:
        return 0.0
    a, b, c = x
    apart = ((a - b) + (a - c), (b - a) + (b - c), (c - a) + (c - b))
    return float(np.mean([np.abs(each).mean(dtype=np.float64) for each in apart])) / 3


def _rise(value: float, start: float, end: float) -> float:
    """Smooth step from 0 at `start` to 1 at `end`."""
    t = min(max((value - start) / (end - start), 0.0), 1.0)
    return t * t * (3 - 2 * t)
