"""How noisy an image is, from the image itself: gain and read noise of the camera that took it.

Photons arrive one by one and the reading adds its own noise: a pixel of expectation S has the
variance ``(S - black) / gain + read_noise^2``. Differences between neighbours tell it where the
image is calm; a line through the variances at many brightnesses gives the two figures.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, DTypeLike, NDArray

from ..array_types import Float64
from .noise_squares import Squares, measured
from .quantiles import NORMAL, quantile
from .sampling import as_array, check_dtype, planes_of

BINS = 24  # brightnesses
FEWEST = 64  # squares of one brightness
CALMEST = 0.6  # share of a brightness's squares, the calmest, that stands for its noise
CLIPPED = 0.1  # share of squares with pixels at an end of the range that spoils a brightness
CUT = 3.0  # deviations beyond which a difference is no noise, but a hot pixel or an edge
DOUBT = 0.2  # relative error of a variance beyond which it counts less
KEPT = 0.9733  # of the variance of normal noise that lies within CUT
LINED = 16  # pixels along a square in which lines are to count for what they are
CHANCE = 6.0  # over the root of the squares: two deviations of rows' variance over columns'
RANKS = 1e9  # brightnesses that are told apart where squares are put in order
ROUNDING = 1 / 12  # variance of rounding to whole numbers
# Share of the darkest value up to which noise is whole, nearly, and how much more is an image whose
# noise is cut off there. W2S frames hold .005 at most, most dim confocal planes .1 to .65.
SOME_CUT, CUT_RANGE = 0.05, 0.1
# The variance of normal noise that is cut off at 0 is .67 to .85 deviations times its mean, where
# its expectation lies from two deviations below 0 to one above. Where the mean is 0 it is small.
CUT_SLOPE, CUT_FLOOR = 0.85, 0.1


@dataclass(frozen=True)
class Noise:
    """Poisson-Gaussian noise of an image.

    Attributes
    ----------
    gain : float
        Electrons, or photons, in one unit of the image; infinite where the noise does not grow
        with the brightness.
    read_noise : float
        Deviation at the black level, in units of the image.
    black : float
        The value that the read noise is told for.
    grain : float
        By how much the noise of means of 2 x 2 pixels exceeds that of white noise: 1 for
        independent pixels, more where optics, demosaicking or compression smeared the noise, or
        where rows or columns share an offset.
    cut_off : float
        0 to 1: whether what is darker than `black` was stored as black. Noise is hidden there,
        and grows with the mean as `CUT_SLOPE` says.
    """

    gain: float
    read_noise: float
    black: float = 0.0
    grain: float = 1.0
    cut_off: float = 0.0

    def variance(
        self, values: ArrayLike, dtype: DTypeLike = np.float64
    ) -> NDArray[np.floating[Any]]:
        """Variance of pixels whose expectations are `values`, in squared units of the image."""
        above = np.maximum(np.asarray(values, dtype=dtype) - self.black, 0)
        whole = above / self.gain + self.read_noise**2
        if not self.cut_off:
            return np.asarray(whole)
        slope, floor = self._cut_line()
        return whole + self.cut_off * (np.minimum(whole, slope * above + floor) - whole)

    def scaled(self, black: float, white: float) -> Noise:
        """The noise of the image normalised by these levels."""
        span = white - black
        at = (self.black - black) / span
        return replace(self, gain=self.gain * span, read_noise=self.read_noise / span, black=at)

    def normalized(self, black: float, white: float) -> tuple[float, float]:
        """``a, b`` of the variance ``a x + b`` of the image normalised by these levels.

        Black is what a pixel reads without light, or brighter. Where the noise is cut off, the
        line is that of the dark, and steeper than the noise of what is bright.
        """
        span = white - black
        slope = 1 / self.gain
        slope += self.cut_off * max(self._cut_line()[0] - slope, 0)
        return slope / span, float(self.variance(black)) / span**2

    def _cut_line(self) -> tuple[float, float]:
        """Slope over black, and offset, of the variance of noise that is cut off."""
        return CUT_SLOPE * self.read_noise, (CUT_FLOOR * self.read_noise) ** 2


def fit_noise(image: ArrayLike, *, rgb: bool = False, black: float | None = None) -> Noise:
    """Estimate the noise of an image, a stack or a series from its pixels.

    Parameters
    ----------
    image : array_like, (..., Y, X) or (..., Y, X, C)
        Integers or floats; planes of 4 pixels a side or more. Few planes of a long stack are read.
    rgb : bool
        The last axis holds colours, which are taken together.
    black : float, optional
        What a pixel reads without light; the darkest calm part's brightness when not given.

    Returns
    -------
    Noise
        Of an image without noise, 0 read noise and infinite gain.
    """
    data = as_array(image)
    dtype = check_dtype(data.dtype)
    squares = measured(single_planes(data, rgb), dtype)
    bright, noise, whole = _levels_of(squares)
    floor = ROUNDING if dtype.kind in "ui" and whole else 0.0
    if bright.size == 0:
        return Noise(math.inf, math.sqrt(floor), black or 0.0)
    cut = float(np.clip((squares.cut_off - SOME_CUT) / CUT_RANGE, 0, 1)) if whole else 0.0
    whole_from = float(bright.min()) if black is None else float(black)
    slope, offset = _line(np.maximum(bright - whole_from, 0), np.maximum(noise, floor))
    gain = 1 / slope if slope > 0 else math.inf
    at = float(squares.bright.min()) if cut and black is None else whole_from
    found = Noise(gain, math.sqrt(max(offset, floor)), at, cut_off=cut)
    # Most differences are 0 where most pixels are black, and the others are structure's.
    return replace(found, grain=1 + (1 - cut) * (_grain(squares, found) - 1))


def left_in_means(grain: Any, level: int) -> Any:
    """The noise of means of 2^level x 2^level pixels, in that of single ones."""
    # Noise that neighbours share is averaged away more slowly.
    return grain ** (2 - 2.0 ** (1 - level)) / 2**level if level else 1.0 + 0 * grain


def single_planes(data: Any, rgb: bool) -> list[NDArray[Any]]:
    """Some planes, (Y, X), of a stack, each colour by itself."""
    planes = planes_of(data, rgb)
    return [plane[..., c] for plane in planes for c in range(plane.shape[-1])] if rgb else planes


def _levels_of(squares: Squares) -> tuple[Float64, Float64, bool]:
    """Brightnesses, their variances, and whether these hold enough to trust them."""
    parts = _brightness_bins(squares.bright)
    whole = [part for part in parts if squares.clipped[part].mean() <= CLIPPED]
    calm = [part[_calmest(squares.energy[part])] for part in whole or parts]
    bright = np.array([squares.bright[part].mean() for part in calm])
    noise = np.array([_variance(squares.crossed[:, part].ravel()) for part in calm])
    return bright, noise, bool(whole)


def _brightness_bins(mean: Float64) -> list[NDArray[np.intp]]:
    """Squares by brightness: a share of all to a bin, or of the range, whichever is less."""
    order = _rising(mean)
    share, span = max(FEWEST, len(order) // BINS), np.ptp(mean) / BINS if len(order) else 0.0
    parts, start, sorted_mean = [], 0, mean[order]
    while len(order) - start >= 2 * FEWEST:
        near = int(np.searchsorted(sorted_mean, sorted_mean[start] + span)) - start
        end = start + max(FEWEST, min(share, near))
        parts.append(order[start:end])
        start = end
    return [*parts, order[start:]] if start < len(order) else parts


def _rising(values: Float64) -> NDArray[np.intp]:
    """Places of rising values, which are the same of an image in other units, rounding or not."""
    span = float(np.ptp(values)) if len(values) else 0.0
    bits = len(values).bit_length()
    places = np.arange(len(values))
    if not span:
        return places
    # To sort numbers that hold the place, too, takes a fraction of what a stable argsort does.
    ranks = np.rint((values - values.min()) / span * RANKS).astype(np.int64)
    return np.sort(ranks << bits | places) & ((1 << bits) - 1)


def _calmest(energy: Float64) -> NDArray[np.intp]:
    """Squares with the least structure."""
    return _rising(energy)[: max(1, math.ceil(CALMEST * len(energy)))]


def _variance(differences: Float64) -> float:
    """Of normal noise among a few differences of another kind."""
    deviation = NORMAL * quantile(np.abs(differences), 0.5)
    if deviation == 0:  # mostly rounded away
        return float(np.mean(differences**2))
    for _ in range(3):
        near = differences[np.abs(differences) <= CUT * deviation]
        deviation = max(math.sqrt(float(np.mean(near**2)) / KEPT), deviation / 2)
    return deviation**2


def _line(bright: Float64, variance: Float64) -> tuple[float, float]:
    """Slope and offset through variances, which structure can only raise; neither is below 0.

    Least squares of relative errors, those that lie far off counting less each time.
    """
    from scipy.optimize import nnls  # which takes longer to load than an image to enhance

    if not variance.any():
        return 0.0, 0.0
    tiny = 1e-12 * float(variance.max())
    columns = np.stack([bright, np.ones_like(bright)], axis=1)
    weight, found = 1 / np.maximum(variance, tiny), np.zeros(2)
    for _ in range(6):
        found = nnls(columns * weight[:, None], variance * weight)[0]
        fitted = np.maximum(columns @ found, tiny)
        weight = 1 / fitted / np.sqrt(1 + ((variance / fitted - 1) / DOUBT) ** 2)
    return float(found[0]), float(found[1])


def _grain(squares: Squares, noise: Noise) -> float:
    """What means of 2 x 2 pixels, or of rows and columns, show of noise that neighbours share."""
    deviations = np.sqrt(noise.variance(squares.mean))
    some: Any = deviations > 0
    count = int(some.sum())
    if not count:
        return 1.0
    some = slice(None) if count == len(deviations) else some
    scale = deviations[some]
    fine, coarse = (_calm_size(d[..., some] / scale) for d in (squares.crossed, squares.coarse))
    sizes = [_calm_size(differences[:, some] / scale) for differences in squares.lines]
    return float(np.clip(max(2 * coarse / max(fine, 1e-9), _lined(sizes, count)), 1, 3))


def _lined(sizes: list[float], count: int) -> float:
    """The grain whose squares of `LINED` pixels are as noisy as those of an image with lines.

    Offsets that rows share, or columns, cancel in differences across diagonals. They show in the
    means of rows against those of columns, which structure moves alike.
    """
    excess = (max(sizes) / max(min(sizes), 1e-9)) ** 2 - 1 - CHANCE / math.sqrt(count)
    if excess <= 0:
        return 1.0
    share = excess / 4  # of one pixel's variance, for the means are of 4 pixels
    return math.sqrt(1 + LINED * share) ** (1 / (2 - 2 / LINED))


def _calm_size(differences: Float64) -> float:
    """How large the calmer third of differences is, which structure reaches last."""
    return quantile(np.abs(differences), 0.3)
