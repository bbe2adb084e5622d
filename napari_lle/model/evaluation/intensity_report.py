"""What an enhancement did to the intensities: for a figure's legend, and for the user's trust."""

from __future__ import annotations

from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

REPORTED_PIXELS = 400_000  # pixels that are looked at
MOST_BINS = 96  # of equally many pixels each, but that equal values share one
BRIGHT = [
    *(1 - np.logspace(-2, -5, 13)),
    1,
]  # further bounds: the few brightest span most of the range
OUTPUT_ROUNDING = 1e-5  # of the output's range: rounding, not a reversal


class IntensityReport(NamedTuple):
    """How output values follow input values.

    Attributes
    ----------
    inputs : ndarray, (N,)
        Medians of the input in bins, in its own units, rising.
    low, middle, high : ndarray, (N,)
        5th, 50th and 95th percentiles of the output in these bins.
    monotone : bool
        No pixel that was brighter than another became darker.
    reversed_share : float
        Share of pairs of pixels whose order changed.
    clipped_below, clipped_above : float
        Shares of the output below 0 and above 1, which a file of integers cannot hold.
    """

    inputs: NDArray[np.float64]
    low: NDArray[np.float64]
    middle: NDArray[np.float64]
    high: NDArray[np.float64]
    monotone: bool
    reversed_share: float
    clipped_below: float
    clipped_above: float

    def sentences(self) -> list[str]:
        """The figures in words."""
        order = (
            "Rising everywhere: no brighter pixel became darker."
            if self.monotone
            else f"Not rising everywhere: {100 * self.reversed_share:.2g} % of pairs changed order."
        )
        clipped = (
            f"Saved as integers, {100 * self.clipped_below:.2g} % would be clipped to black, "
            f"{100 * self.clipped_above:.2g} % to white."
        )
        return [order, clipped]


def intensity_report(image: ArrayLike, reflectance: ArrayLike) -> IntensityReport:
    """Compare an image and its enhancement pixel by pixel.

    Parameters
    ----------
    image, reflectance : array_like of one shape
        Values that are not finite are passed over; of colours, each channel counts by itself.

    Raises
    ------
    ValueError
        If the shapes differ, or no finite value is there.
    """
    before, after = np.asarray(image), np.asarray(reflectance)
    if before.shape != after.shape:
        raise ValueError(
            f"Shapes {before.shape} and {after.shape} differ: give an image and its R."
        )
    step = max(1, before.size // REPORTED_PIXELS)
    s = before.ravel()[::step].astype(np.float64)
    r = after.ravel()[::step].astype(np.float64)
    known = np.isfinite(s) & np.isfinite(r)
    s, r = s[known], r[known]
    if s.size == 0:
        raise ValueError("The image holds no finite value: there is nothing to report.")
    order = np.lexsort((r, s))
    s, r = s[order], r[order]
    parts = _equal_bins(s)
    low, middle, high = np.transpose([np.percentile(r[part], [5, 50, 95]) for part in parts])
    slack = OUTPUT_ROUNDING * float(np.ptp(r))
    return IntensityReport(
        np.array([np.median(s[part]) for part in parts]),
        low,
        middle,
        high,
        monotone=bool((np.maximum.accumulate(r)[:-1] <= r[1:] + slack).all()),
        reversed_share=_reversed(s, r, slack),
        clipped_below=float((r < 0).mean()),
        clipped_above=float((r > 1).mean()),
    )


def _equal_bins(s: NDArray[Any]) -> list[slice]:
    """Parts of sorted values; no value is in two of them."""
    bounds = np.quantile(s, [*np.linspace(0, 1, MOST_BINS + 1)[:-1], *BRIGHT], method="lower")
    starts = np.unique(np.searchsorted(s, np.unique(bounds)))
    return [slice(a, b) for a, b in pairwise([*starts.tolist(), s.size])]


def _reversed(s: NDArray[Any], r: NDArray[Any], slack: float) -> float:
    """Share of pairs, drawn at random with a fixed seed, that are ordered otherwise after."""
    a, b = np.random.default_rng(0).integers(0, s.size, (2, min(s.size * 4, REPORTED_PIXELS)))
    darker = np.where(s[a] < s[b], r[b] - r[a], r[a] - r[b])
    return float(((s[a] != s[b]) & (darker < -slack)).mean())
