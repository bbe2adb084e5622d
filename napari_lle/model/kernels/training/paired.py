"""The paired objective of one crop and its gradient, see `losses.functional`.

SSIM's windows are sums of rows, and then of columns, for all columns at once; a row of zeros and
ones says which of them the stride asks for.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit
from numpy import float32

from ..cpu.edition import edition
from ..cpu.elementary import ONE, TWO
from .planes import reordered, summed

PARABOLA_BELOW = 1e-3  # below it Charbonnier is a parabola
LEAST_MEAN = 1e-4  # mean brightness that matching takes for the least
LEAST_SQUARE = 1e-4  # of `losses.log_error`
SSIM_SIDE = 7
C1, C2 = float32(0.01**2), float32(0.03**2)
WINDOW_SHARE = float32(1 / SSIM_SIDE**2)
UNBIASED = float32(SSIM_SIDE**2 / (SSIM_SIDE**2 - 1))


@reordered
def _charbonnier_row(a: Any, b: Any, scale: Any, weight: Any, g: Any) -> Any:
    """Sum over a line of the distance of ``scale a`` and b; adds the weighted gradient to `g`."""
    total = float32(0)
    smooth = float32(PARABOLA_BELOW * PARABOLA_BELOW)
    for x in range(len(a)):
        d = scale * a[x] - b[x]
        root = np.sqrt(d * d + smooth)
        total += root - float32(PARABOLA_BELOW)
        g[x] += weight * (d / root)
    return total


@reordered
def far(a: Any, b: Any, scale: Any, weight: Any, g: Any) -> Any:
    """Mean of it over an image, whose sum is taken row by row."""
    total = 0.0
    for k in range(a.shape[0]):
        for y in range(a.shape[1]):
            total += _charbonnier_row(a[k, y], b[k, y], float32(scale), float32(weight), g[k, y])
    return total / a.size


@reordered
def _matching(a: Any, b: Any) -> Any:
    """Mean of an image, and what brings it to that of its reference."""
    mean, target = 0.0, 0.0
    for k in range(a.shape[0]):
        for y in range(a.shape[1]):
            mean += summed(a[k, y]) / a.size
            target += summed(b[k, y]) / a.size
    return mean, target / max(mean, LEAST_MEAN)


@reordered
def _through_matching(a: Any, down: Any, mean: Any, scale: Any, weight: Any, g: Any) -> None:
    """Add the gradient of what has, by ``scale a``, the gradient `down` over the size."""
    pull = 0.0
    for k in range(a.shape[0]):
        for y in range(a.shape[1]):
            pull += _product(a[k, y], down[k, y])
    share = float32(weight * scale / a.size)
    all_of = float32(weight * scale * pull / mean / a.size**2 if mean >= LEAST_MEAN else 0)
    for k in range(a.shape[0]):
        for y in range(a.shape[1]):
            line, own = g[k, y], down[k, y]
            for x in range(len(line)):
                line[x] += share * own[x] - all_of


@reordered
def matched_far(a: Any, b: Any, weight: Any, g: Any) -> Any:
    """The same after matching brightness; adds the weighted gradient to `g`."""
    mean, scale = _matching(a, b)
    down = np.zeros_like(a)
    distance = far(a, b, scale, ONE, down)
    _through_matching(a, down, mean, scale, weight, g)
    return distance


@reordered
def _squares_row(a: Any, b: Any, scale: Any, down: Any) -> Any:
    """Sum over a line of the squared distance of ``scale a`` and b, whose slopes are `down`."""
    total = float32(0)
    for x in range(len(a)):
        d = scale * a[x] - b[x]
        total += d * d
        down[x] = TWO * d
    return total


@reordered
def matched_logarithm(a: Any, b: Any, weight: Any, g: Any) -> Any:
    """``ln(1 + MSE / least)`` after matching brightness; adds the weighted gradient to `g`."""
    mean, scale = _matching(a, b)
    down, square = np.empty_like(a), 0.0
    for k in range(a.shape[0]):
        for y in range(a.shape[1]):
            square += _squares_row(a[k, y], b[k, y], float32(scale), down[k, y])
    square /= a.size
    _through_matching(a, down, mean, scale, weight / (square + LEAST_SQUARE), g)
    return np.log1p(square / LEAST_SQUARE)


@reordered
def _product(a: Any, b: Any) -> Any:
    """Sum over a line of the product."""
    total = float32(0)
    for x in range(len(a)):
        total += a[x] * b[x]
    return total


@reordered
def _completed(result: Any, reference: Any, known: Any) -> None:
    """The reference, and where it is not known the result: nothing is learned there."""
    for k in range(result.shape[0]):
        for y in range(result.shape[1]):
            a, b, line = result[k, y], reference[k, y], known[k, y]
            for x in range(len(line)):
                line[x] = b[x] if b[x] == b[x] else a[x]


@reordered
def _window_sums(line: Any, pairs: Any, fours: Any, out: Any) -> None:
    """Sums of `SSIM_SIDE` neighbours, from each place on."""
    n = len(line)
    for x in range(n - 1):
        pairs[x] = line[x] + line[x + 1]
    for x in range(n - 3):
        fours[x] = pairs[x] + pairs[x + 2]
    for x in range(n - 6):
        out[x] = fours[x] + pairs[x + 4] + line[x + 6]


@reordered
def _down(a: Any, b: Any, sums: Any) -> None:
    """Sums of `SSIM_SIDE` rows of a, b, a a, b b and a b."""
    sums[:5] = 0
    for y in range(SSIM_SIDE):
        p, q = a[y], b[y]
        for x in range(len(p)):
            sums[0, x] += p[x]
            sums[1, x] += q[x]
            sums[2, x] += p[x] * p[x]
            sums[3, x] += q[x] * q[x]
            sums[4, x] += p[x] * q[x]


@reordered
def _ssim_and_slopes(sums: Any, asked: Any, slopes: Any) -> Any:
    """Sum of SSIM over the windows asked for, and its slopes by the means of a, a a and a b."""
    total = float32(0)
    for x in range(len(asked)):
        m, n = sums[0, x] * WINDOW_SHARE, sums[1, x] * WINDOW_SHARE
        spread = (
            UNBIASED * (sums[2, x] * WINDOW_SHARE - m * m + (sums[3, x] * WINDOW_SHARE - n * n))
            + C2
        )
        shared = TWO * UNBIASED * (sums[4, x] * WINDOW_SHARE - m * n) + C2
        product, power = TWO * m * n + C1, m * m + n * n + C1
        inverse = ONE / (power * spread)
        s = product * shared * inverse
        total += s * asked[x]
        w = asked[x] * WINDOW_SHARE
        slopes[0, x] = w * TWO * (
            n * inverse * (shared - UNBIASED * product)
            - s * m * (ONE / power - UNBIASED / spread)
        )  # fmt: skip
        slopes[1, x] = -w * TWO * UNBIASED * s / spread
        slopes[2, x] = w * TWO * UNBIASED * product * inverse
    return total


@reordered
def ssim(a: Any, b: Any, stride: int, weight: Any, g: Any) -> Any:
    """Mean SSIM of a plane; adds the weighted gradient by `a` to `g`."""
    height, width = a.shape
    across, down = (width - SSIM_SIDE) // stride + 1, (height - SSIM_SIDE) // stride + 1
    count = width - SSIM_SIDE + 1
    asked = np.zeros(count, np.float32)
    asked[::stride] = 1
    sums, windows = np.zeros((7, width), np.float32), np.zeros((5, width), np.float32)
    slopes = np.zeros((3, width + 2 * SSIM_SIDE), np.float32)
    work = np.zeros((2, width + 2 * SSIM_SIDE), np.float32)
    spread = np.zeros((3, width), np.float32)
    pairs, fours = work[0], work[1]
    share, total = float32(weight / (across * down)), 0.0
    for top in range(0, height - SSIM_SIDE + 1, stride):
        _down(a[top:], b[top:], sums)
        for k in range(5):
            _window_sums(sums[k], pairs, fours, windows[k])
        total += _ssim_and_slopes(windows, asked, slopes[:, SSIM_SIDE - 1 :])
        for k in range(3):
            _window_sums(slopes[k, : width + SSIM_SIDE - 1], pairs, fours, spread[k])
        for y in range(top, top + SSIM_SIDE):
            p, q, target = a[y], b[y], g[y]
            for x in range(width):
                slope = spread[0, x] + spread[1, x] * p[x] + spread[2, x] * q[x]
                target[x] += share * slope
    return total / (across * down)


def build_paired(*, cache: bool) -> Any:
    """Make the function that returns the loss of a crop, and fills `g` with its gradient."""
    sources = edition(__name__)

    @njit(nogil=True, cache=cache, error_model="numpy")
    def paired(result, reference, weights, stride, g):
        if sources < 0:  # never: mentioned to be a part of the cache's key, see `edition`
            return 0.0
        absolute, structure, relative, logarithmic = weights[0], weights[1], weights[2], weights[3]
        known = np.empty_like(result)
        _completed(result, reference, known)
        g[:] = 0
        loss = absolute * far(result, known, ONE, absolute / result.size, g)
        if relative != 0:
            loss += relative * matched_far(result, known, relative, g)
        if logarithmic != 0:
            loss += logarithmic * matched_logarithm(result, known, logarithmic, g)
        if structure != 0:
            weight = structure / len(result)
            for k in range(len(result)):
                loss += weight * (1 - ssim(result[k], known[k], stride, -weight, g[k]))
        return loss

    return paired


def build_similarity(*, cache: bool) -> Any:
    """Make the function that returns the mean SSIM of images, (channels, H, W), every window."""
    sources = edition(__name__)

    @njit(nogil=True, cache=cache, error_model="numpy")
    def similarity(a, b):
        if sources < 0:
            return 0.0
        width = a.shape[2]
        asked = np.ones(width - SSIM_SIDE + 1, np.float32)
        sums, windows = np.zeros((7, width), np.float32), np.zeros((5, width), np.float32)
        slopes, work = np.zeros((3, width), np.float32), np.zeros((2, width), np.float32)
        total, rows = 0.0, a.shape[1] - SSIM_SIDE + 1
        for k in range(len(a)):
            for y in range(rows):
                _down(a[k, y:], b[k, y:], sums)
                for i in range(5):
                    _window_sums(sums[i], work[0], work[1], windows[i])
                total += _ssim_and_slopes(windows, asked, slopes)
        return total / (len(a) * rows * len(asked))

    return similarity
