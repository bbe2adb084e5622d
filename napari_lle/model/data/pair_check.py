"""Whether a dark image and its reference can be learned from, and how to fix them if not."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..preprocessing.levels import find_levels

LARGEST_SHIFT = 1.0  # pixels that a reference may be off
SATURATED = 0.05  # share of a reference at its top from which on it is worth a word
LEAST = 7  # pixels along a side: SSIM's window
UNKNOWN = 0.5  # share of NaN that a pair may hold
UNLIKE = 0.3  # correlation under which two images hardly show one scene
STEP = 0.1  # pixels to which a shift is measured


class Problem(NamedTuple):
    """What is wrong, in a sentence, and the name of what fixes it (of `FIXES`, or empty)."""

    sentence: str
    fix: str = ""
    fatal: bool = True


@dataclass(frozen=True)
class PairCheck:
    """What was measured on a pair.

    Attributes
    ----------
    shift : (float, float)
        Rows and columns that the reference must be moved by to lie on the dark image, pixels.
    saturated, unknown : float
        Shares of the reference at its top value, and of NaN in either.
    stops : float
        Brightness of the reference over that of the dark image, in powers of two.
    correlation : float
        Of the two after taking out brightness; 1 for one scene.
    levels : (float, float) or None
        Black and white of the dark image.
    problems : tuple of Problem
    """

    shift: tuple[float, float] = (0.0, 0.0)
    saturated: float = 0.0
    unknown: float = 0.0
    stops: float = 0.0
    correlation: float = 1.0
    levels: tuple[float, float] | None = None
    problems: tuple[Problem, ...] = ()

    @property
    def usable(self) -> bool:
        """Nothing that was found forbids training."""
        return not any(problem.fatal for problem in self.problems)


def check_pair(
    low: NDArray[Any], reference: NDArray[Any], rgb: bool, *, brightness: bool = True
) -> PairCheck:
    """Measure a pair and name its problems.

    Parameters
    ----------
    low, reference : ndarray, (..., Y, X) or (..., Y, X, C)
        As stored; of stacks the middle plane is looked at.
    rgb : bool
        The last axis holds colours.
    brightness : bool
        The reference is to be brighter.
    """
    if low.shape != reference.shape:
        sizes = " and ".join(" x ".join(map(str, a.shape)) for a in (low, reference))
        common = low.ndim == reference.ndim and low.shape[: -2 - rgb] == reference.shape[: -2 - rgb]
        sentence = f"The images differ in size ({sizes})."
        return PairCheck(problems=(Problem(sentence, "crop" if common else ""),))
    if min(low.shape[low.ndim - 2 - rgb :][:2]) < LEAST:
        return PairCheck(problems=(Problem(f"The images are under {LEAST} pixels a side."),))
    a, b = _grey(low, rgb), _grey(reference, rgb)
    known = np.isfinite(a) & np.isfinite(b)
    unknown = 1 - float(known.mean())
    if unknown > UNKNOWN:
        problem = Problem(f"{100 * unknown:.0f} % of the pixels are not numbers.")
        return PairCheck(unknown=unknown, problems=(problem,))
    a, b = (np.where(known, x, np.median(x[known])) for x in (a, b))
    for name, image in (("dark image", a), ("reference", b)):
        if image.min() == image.max():
            problem = Problem(f"The {name} holds one value throughout: there is nothing to learn.")
            return PairCheck(unknown=unknown, correlation=0.0, problems=(problem,))
    shift = _likely(a, b, _shift(a, b))
    levels = find_levels(low, rgb=rgb)
    check = PairCheck(
        shift,
        _saturated(reference),
        unknown,
        float(np.log2(max(_light(b), 1e-9) / max(_light(a), 1e-9))),
        _correlation(a, b),
        (levels.black, levels.white),
    )
    bright = find_levels(reference, rgb=rgb)
    means = [(x.mean() - v.black) / v.span for x, v in ((a, levels), (b, bright))]
    found = _problems(check, means[0] < means[1], brightness)
    return replace(check, problems=tuple(found))


class Fixed(NamedTuple):
    """A pair in the frame of the dark image, and where it is known to hold, (Y, X)."""

    low: NDArray[Any]
    reference: NDArray[Any]
    valid: NDArray[np.bool_]


def crop(low: NDArray[Any], reference: NDArray[Any], rgb: bool) -> Fixed:
    """The reference cut, or continued where it ends, at the right and the bottom."""
    frame = low.shape[low.ndim - 2 - rgb :][:2]
    had = reference.shape[reference.ndim - 2 - rgb :][:2]
    return _moved(low, reference, rgb, [np.arange(n) for n in frame], had)


def align(low: NDArray[Any], reference: NDArray[Any], rgb: bool) -> Fixed:
    """The reference moved onto the dark image by whole pixels: nothing is interpolated."""
    by = np.rint(_shift(_grey(low, rgb), _grey(reference, rgb))).astype(int)
    frame = low.shape[low.ndim - 2 - rgb :][:2]
    places = [np.arange(n) - shift for n, shift in zip(frame, by, strict=True)]
    return _moved(low, reference, rgb, places, frame)


def swap(low: NDArray[Any], reference: NDArray[Any], rgb: bool) -> Fixed:
    """The brighter one as the reference."""
    frame = low.shape[low.ndim - 2 - rgb :][:2]
    return Fixed(reference, low, np.ones(frame, bool))


def _moved(
    low: NDArray[Any],
    reference: NDArray[Any],
    rgb: bool,
    places: list[NDArray[np.intp]],
    had: tuple[int, ...],
) -> Fixed:
    """Take the reference at rows and columns, its border where they lie outside."""
    inside = [(at >= 0) & (at < n) for at, n in zip(places, had, strict=True)]
    for axis, (at, n) in enumerate(zip(places, had, strict=True), reference.ndim - 2 - rgb):
        reference = np.take(reference, np.clip(at, 0, n - 1), axis=axis)
    return Fixed(low, reference, inside[0][:, None] & inside[1])


FIXES = {"crop": crop, "align": align, "swap": swap}


def _problems(check: PairCheck, darker: bool, brightness: bool) -> list[Problem]:
    found = []
    off = float(np.hypot(*check.shift))
    if check.correlation < UNLIKE:
        found.append(Problem("The images hardly show the same scene.", fatal=False))
    elif off > LARGEST_SHIFT:
        found.append(Problem(f"The reference is {off:.1f} pixels off.", "align"))
    if check.stops < 0 and brightness:
        found.append(Problem("The reference is darker than its image.", "swap", fatal=False))
    elif not darker and brightness:
        text = "Between its own levels the dark image is no darker: there is nothing to learn."
        found.append(Problem(text, fatal=False))
    if check.saturated > SATURATED:
        share = f"{100 * check.saturated:.0f} %"
        found.append(Problem(f"{share} of the reference is saturated.", fatal=False))
    if check.unknown:
        share = f"{100 * check.unknown:.2g} %"
        found.append(Problem(f"{share} of the pixels are not numbers: left out.", fatal=False))
    return found


def _grey(image: NDArray[Any], rgb: bool) -> NDArray[np.float64]:
    """The middle plane, colours averaged."""
    lead = image.shape[: -3 if rgb else -2]
    plane = image[tuple(n // 2 for n in lead)].astype(np.float64)
    return plane[..., :3].mean(axis=-1) if rgb else plane


def _light(image: NDArray[np.float64]) -> float:
    """Mean over the darkest values, which may be a camera's offset."""
    return float(image.mean() - np.percentile(image, 0.1))


def _shift(a: NDArray[np.float64], b: NDArray[np.float64]) -> tuple[float, float]:
    """By phase correlation of logarithms, which a change of brightness leaves alike."""
    from skimage.filters import window
    from skimage.registration import phase_cross_correlation

    logs = []
    for image in (a, b):
        x = np.log1p(np.maximum(image - np.percentile(image, 0.1), 0) / (_light(image) + 1e-12))
        logs.append((x - x.mean()) * window("hann", x.shape))
    moved, _, _ = phase_cross_correlation(*logs, upsample_factor=round(1 / STEP))
    return float(moved[0]), float(moved[1])


def _likely(
    a: NDArray[np.float64], b: NDArray[np.float64], shift: tuple[float, float]
) -> tuple[float, float]:
    """The shift, or none where it makes the two no more alike: noise has peaks, too."""
    down, right = (round(s) for s in shift)
    if not (down or right):
        return shift
    moved = np.roll(b, (down, right), axis=(0, 1))
    return shift if _correlation(a, moved) > _correlation(a, b) else (0.0, 0.0)


def _correlation(a: NDArray[np.float64], b: NDArray[np.float64]) -> float:
    """Spearman's: of ranks, which no rising curve changes."""
    from scipy.stats import spearmanr

    step = max(1, round(np.sqrt(a.size / 10_000)))
    value = float(spearmanr(a[::step, ::step].ravel(), b[::step, ::step].ravel()).statistic)
    return value if np.isfinite(value) else 0.0


def _saturated(reference: NDArray[Any]) -> float:
    """Share at the very top; a value that only single pixels reach is no limit."""
    return float((reference == np.nanmax(reference)).mean())
