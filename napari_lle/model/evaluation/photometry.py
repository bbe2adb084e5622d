"""Measuring stars: detections, fluxes in apertures, widths; the same for all methods."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

KERNEL = 3.0 / 2.3548  # pixels: the deviation of a Gaussian as wide as the simulated stars
APERTURE = 5.0  # pixels
ANNULUS = (7.0, 11.0)  # where the background of a star is taken
MEGAPIXEL = 1e6


class Peaks(NamedTuple):
    """Local maxima of an image smoothed as widely as a star.

    Attributes
    ----------
    places : ndarray, (N, 2)
        Rows and columns.
    heights : ndarray, (N,)
    background, deviation : float
        The median and the normalised median deviation of the smoothed image.
    """

    places: NDArray[np.intp]
    heights: NDArray[np.float64]
    background: float
    deviation: float

    def above(self, threshold: float) -> NDArray[np.intp]:
        """Places above the background by so many deviations."""
        return self.places[self.heights > self.background + threshold * self.deviation]


def find_peaks(image: ArrayLike) -> Peaks:
    """Find the local maxima of an image, (Y, X), after smoothing."""
    from scipy.ndimage import gaussian_filter, maximum_filter

    smooth = gaussian_filter(np.asarray(image, dtype=np.float64), KERNEL, mode="reflect")
    peaks = smooth == maximum_filter(smooth, size=5)
    return Peaks(np.argwhere(peaks), smooth[peaks], float(np.median(smooth)), deviation(smooth))


def detect(image: ArrayLike, threshold: float = 5.0) -> NDArray[np.intp]:
    """Rows and columns, (N, 2), of maxima above the background by `threshold` deviations."""
    return find_peaks(image).above(threshold)


def deviation(values: NDArray[Any]) -> float:
    """Normalised median deviation: the standard deviation of normal noise, whatever stands out."""
    return 1.4826 * float(np.median(np.abs(values - np.median(values))))


def completeness_and_purity(
    found: NDArray[Any], truth: NDArray[Any], reach: float = 2.5
) -> tuple[float, float]:
    """Share of true places with a detection near, and of detections with a true place near."""
    if not len(found) or not len(truth):
        return 0.0, float(not len(found))
    distance = np.hypot(*(found[:, None] - truth[None]).transpose(2, 0, 1))
    return float((distance.min(0) <= reach).mean()), float((distance.min(1) <= reach).mean())


def fluxes(image: ArrayLike, rows: ArrayLike, columns: ArrayLike) -> NDArray[np.float64]:
    """Sums in round apertures less the median of an annulus; in the image's units."""
    return np.array([_flux(*_star(image, r, c)) for r, c in _star_places(rows, columns)])


def widths(image: ArrayLike, rows: ArrayLike, columns: ArrayLike) -> NDArray[np.float64]:
    """Full widths at half maximum in pixels, from the mean radial profiles."""
    return np.array([_width(*_star(image, r, c)) for r, c in _star_places(rows, columns)])


def _star_places(rows: ArrayLike, columns: ArrayLike) -> list[tuple[float, float]]:
    return list(zip(np.asarray(rows).tolist(), np.asarray(columns).tolist(), strict=True))


def _star(
    image: ArrayLike, row: float, column: float
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Values less their background, and distances from the star, of the pixels around it."""
    reach = int(ANNULUS[1]) + 1
    top, left = max(round(row) - reach, 0), max(round(column) - reach, 0)
    part = np.asarray(image)[top : round(row) + reach + 1, left : round(column) + reach + 1]
    y, x = np.ogrid[top : top + part.shape[0], left : left + part.shape[1]]
    distance = np.hypot(y - row, x - column)
    around = (distance >= ANNULUS[0]) & (distance <= ANNULUS[1])
    values = part.astype(np.float64)
    return values - np.median(values[around]), distance


def _flux(values: NDArray[np.float64], distance: NDArray[np.float64]) -> float:
    return float(values[distance <= APERTURE].sum())


def _width(values: NDArray[np.float64], distance: NDArray[np.float64]) -> float:
    """Where the profile in rings of half a pixel first falls to half of its middle."""
    ring = np.floor(distance * 2).astype(int)
    near = ring < 2 * ANNULUS[0]
    count = np.bincount(ring[near])
    some = count > 0
    profile = np.bincount(ring[near], values[near])[some] / count[some]
    radius = np.bincount(ring[near], distance[near])[some] / count[some]
    half = profile[0] / 2
    below = int(np.argmax(profile < half))
    if below == 0:
        return float("nan")
    (r0, r1), (p0, p1) = radius[below - 1 : below + 1], profile[below - 1 : below + 1]
    return float(2 * (r0 + (r1 - r0) * (p0 - half) / (p0 - p1)))
