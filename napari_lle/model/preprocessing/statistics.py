"""What the network knows of a whole image before it looks at any pixel's neighbourhood.

The figures are taken once from a whole layer, so that tiles, planes and frames are treated alike.
None depends on where a pixel lies, only on it and its neighbours, so that an even sample of 2 x 2
squares answers as well as the whole.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

# An image is left alone where its 98th percentile and its mean are those of a well-lit one.
LIT_HIGHLIGHT = (0.50, 0.65)
LIT_MEAN = (0.18, 0.26)
SPARSE = 30  # a median further below the mean than this says only that most of the image is empty
GREY_CHROMA = 0.02  # relative mean deviation from grey above which colours are colours


class Statistics(NamedTuple):
    """Figures of a whole normalised image; contrast, chroma and noise are centred, as features.

    Attributes
    ----------
    mean : float
        Mean brightness, 0..1.
    lit : float
        1 for a normally lit image, 0 for a dark one, smooth between.
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
        bright objects are few, and a stretch made for it would wash them out.
    shot, floor : float
        Variance of the noise at brightness x, ``shot x + floor``, see `noise`; 0 where it was not
        looked for.
    grain : float
        By how much the noise of means of 2 x 2 pixels exceeds that of white noise.
    """

    mean: float
    lit: float
    colour: float
    contrast: float
    chroma: float
    noise: float
    typical: float
    shot: float = 0.0
    floor: float = 0.0
    grain: float = 1.0


def image_statistics(squares: ArrayLike) -> Statistics:
    """Describe an image by squares of neighbouring pixels.

    Parameters
    ----------
    squares : array_like, (..., 2, 2, 3)
        Normalised colours in 0..1, see `normalization.blocks`; at least one square.
    """
    # Colours one after the other: sums over three neighbours would take most of the time.
    x = np.array(np.moveaxis(np.asarray(squares), -1, 0), dtype=np.float64, order="C")
    q = x.reshape(3, -1, 4)
    mean = float(x.mean())
    relative = 1 / (mean + 1e-6)
    highlight = float(np.percentile(x.max(axis=0), 98))
    grey = x.mean(axis=0)
    chroma = float(np.abs(x - grey).mean()) * relative
    diagonal = float(np.abs(q[..., 0] - q[..., 1] - q[..., 2] + q[..., 3]).mean()) / 2
    return Statistics(
        mean=mean,
        lit=_rise(highlight, *LIT_HIGHLIGHT) * _rise(mean, *LIT_MEAN),
        colour=min(chroma / GREY_CHROMA, 1.0) if chroma > 1e-6 else 0.0,
        contrast=0.5 * float(np.log(np.mean(np.square(x)) * relative**2 + 1e-6)) - 0.5,
        chroma=3 * (chroma - 0.4),
        noise=float(np.log(diagonal * relative + 0.01)) + 2.2,
        typical=float(np.sqrt(max(np.median(grey), mean / SPARSE) * mean)),
    )


def _rise(value: float, start: float, end: float) -> float:
    """Smooth step from 0 at `start` to 1 at `end`."""
    t = min(max((value - start) / (end - start), 0.0), 1.0)
    return t * t * (3 - 2 * t)
