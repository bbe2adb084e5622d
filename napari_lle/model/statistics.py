"""What the network knows of a whole image before it looks at any pixel's neighbourhood.

The figures are taken once from a whole layer, so that tiles, planes and frames are treated alike.
None depends on where a pixel lies, so a fair sample of pixels answers as well as all of them.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

# An image is left alone where its 98th percentile and its mean are those of a well-lit one.
LIT_HIGHLIGHT = (0.50, 0.65)
LIT_MEAN = (0.18, 0.26)
GREY_CHROMA = 0.02  # relative mean deviation from grey above which colours are colours


class Statistics(NamedTuple):
    """Figures of a whole normalised image; the last four are centred for use as features.

    Attributes
    ----------
    mean : float
        Mean brightness, 0..1.
    lit : float
        1 for a normally lit image, 0 for a dark one, smooth between.
    colour : float
        0 for a grey image, exactly; 1 for a coloured one.
    contrast, shadow, chroma, level : float
        Logarithms of relative contrast, of how little lies in shadow and of the mean, and the
        relative deviation from grey.
    """

    mean: float
    lit: float
    colour: float
    contrast: float
    shadow: float
    chroma: float
    level: float


def image_statistics(pixels: ArrayLike) -> Statistics:
    """Describe an image by its pixels.

    Parameters
    ----------
    pixels : array_like, (..., 3)
        Normalised colours in 0..1; all of the image or an even sample, at least one pixel.
    """
    x = np.asarray(pixels, dtype=np.float64).reshape(-1, 3)
    mean = float(x.mean())
    highlight = float(np.percentile(x.max(axis=1), 98))
    chroma = float(np.abs(x - x.mean(axis=1, keepdims=True)).mean()) / (mean + 1e-6)
    relative = x / (mean + 1e-6)
    return Statistics(
        mean=mean,
        lit=_rise(highlight, *LIT_HIGHLIGHT) * _rise(mean, *LIT_MEAN),
        colour=min(chroma / GREY_CHROMA, 1.0) if chroma > 1e-9 else 0.0,
        contrast=0.5 * float(np.log(np.mean(relative**2) + 1e-6)) - 0.5,
        shadow=float(np.log(relative.mean(axis=1) + 0.1).mean()) + 0.4,
        chroma=3 * (chroma - 0.4),
        level=0.5 * (float(np.log(mean + 1e-3)) + 3),
    )


def _rise(value: float, start: float, end: float) -> float:
    """Smooth step from 0 at `start` to 1 at `end`."""
    t = min(max((value - start) / (end - start), 0.0), 1.0)
    return t * t * (3 - 2 * t)
