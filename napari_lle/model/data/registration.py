"""Two images of one scene onto each other: by whole pixels, so that nothing is interpolated."""

from __future__ import annotations

from itertools import product
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..array_types import Float64

SHIFT_STEP = 0.1  # pixels to which a shift is measured
COMMON_SHARE = 1 / 3  # of the smaller image's sides that the two must have in common
RANKED = 10_000  # pixels, about, that a correlation is of

Spans = tuple[slice, slice]


class Registered(NamedTuple):
    """The part that two images have in common, of both, and where it lies in the first."""

    low: NDArray[Any]
    reference: NDArray[Any]
    corner: tuple[int, int]
    told: str


def register(low: NDArray[Any], reference: NDArray[Any], rgb: bool) -> Registered:
    """Move a reference onto its image by whole pixels and cut both to what they have in common.

    Parameters
    ----------
    low, reference : ndarray, (..., Y, X) or (..., Y, X, C)
        Of any height and width; of stacks, the middle planes tell the shift.
    rgb : bool
        The last axis holds colours.
    """
    a, b = grey_plane(low, rgb), grey_plane(reference, rgb)
    down, right = (round(s) for s in find_shift(a, b))
    here, there = common_field(a.shape, b.shape, (down, right))
    corner = here[0].start, here[1].start
    size = " x ".join(str(span.stop - span.start) for span in here)
    moved = f"moved by {down:+d} rows and {right:+d} columns" if down or right else "not moved"
    told = f"Reference {moved}; the {size} pixels that both have are used."
    return Registered(_cropped(low, here, rgb), _cropped(reference, there, rgb), corner, told)


def find_shift(a: Float64, b: Float64) -> tuple[float, float]:
    """Rows and columns by which `b` must be moved to lie on `a`.

    By phase correlation of logarithms, which a change of brightness leaves alike; 0 where that
    makes the two no more alike, for noise has peaks, too.
    """
    canvas = np.maximum(a.shape, b.shape)
    found = _phase_shift(a, b, canvas)
    # Of images of two sizes the one may lie anywhere beside the other: the correlation is cyclic.
    rounds = (0,) if a.shape == b.shape else (-1, 0, 1)
    guesses = [
        (found[0] + i * int(canvas[0]), found[1] + j * int(canvas[1]))
        for i, j in product(rounds, rounds)
    ]
    best, alike = (0.0, 0.0), _rank_correlation(a, b, (0.0, 0.0))
    for guess in guesses:
        value = _rank_correlation(a, b, guess)
        if value > alike or (value == alike and not any(map(round, guess))):
            best, alike = guess, value
    return best


def common_field(
    a: tuple[int, ...], b: tuple[int, ...], shift: tuple[int, int]
) -> tuple[Spans, Spans]:
    """Rows and columns, of images of these shapes, that both have once the second is moved."""
    spans = [(max(0, by), max(0, min(n, m + by))) for n, m, by in zip(a, b, shift, strict=True)]
    here = tuple(slice(start, max(start, stop)) for start, stop in spans)
    there = tuple(slice(s.start - by, s.stop - by) for s, by in zip(here, shift, strict=True))
    return (here[0], here[1]), (there[0], there[1])


def rank_correlation(a: Float64, b: Float64) -> float:
    """Spearman's: of ranks, which no rising curve changes; 0 where there is none."""
    from scipy.stats import spearmanr

    step = max(1, round(np.sqrt(a.size / RANKED)))
    some = [x[::step, ::step].ravel() for x in (a, b)]
    if min(map(np.ptp, some)) == 0:
        return 0.0
    value = float(spearmanr(*some).statistic)
    return value if np.isfinite(value) else 0.0


def grey_plane(image: NDArray[Any], rgb: bool) -> Float64:
    """The middle plane, colours averaged; what is not a number takes the median."""
    lead = image.shape[: -3 if rgb else -2]
    plane = image[tuple(n // 2 for n in lead)].astype(np.float64)
    plane = plane[..., :3].mean(axis=-1) if rgb else plane
    known = np.isfinite(plane)
    return (
        plane if known.all() or not known.any() else np.where(known, plane, np.median(plane[known]))
    )


def mean_light(image: Float64) -> float:
    """Mean over the darkest values, which may be a camera's offset."""
    return float(image.mean() - np.percentile(image, 0.1))


def _cropped(image: NDArray[Any], spans: Spans, rgb: bool) -> NDArray[Any]:
    rows, columns = spans
    return image[..., rows, columns, :] if rgb else image[..., rows, columns]


def _phase_shift(a: Float64, b: Float64, canvas: NDArray[np.intp]) -> tuple[float, float]:
    from skimage.filters import window
    from skimage.registration import phase_cross_correlation

    logs = []
    for image in (a, b):
        x = np.log1p(np.maximum(image - np.percentile(image, 0.1), 0) / (mean_light(image) + 1e-12))
        # A small image may lie at the border of a large one, which a window would take away.
        shown = window("hann", x.shape) if a.shape == b.shape else 1.0
        whole = np.zeros(canvas)
        whole[: image.shape[0], : image.shape[1]] = (x - x.mean()) * shown
        logs.append(whole)
    if not all(x.any() for x in logs):
        return 0.0, 0.0
    moved, _, _ = phase_cross_correlation(*logs, upsample_factor=round(1 / SHIFT_STEP))
    return float(moved[0]), float(moved[1])


def _rank_correlation(a: Float64, b: Float64, shift: tuple[float, float]) -> float:
    """Rank correlation of what two images have in common; -1 where that is little."""
    here, there = common_field(a.shape, b.shape, (round(shift[0]), round(shift[1])))
    least = [COMMON_SHARE * min(n, m) for n, m in zip(a.shape, b.shape, strict=True)]
    if any(s.stop - s.start < n for s, n in zip(here, least, strict=True)):
        return -1.0
    return rank_correlation(a[here], b[there])
