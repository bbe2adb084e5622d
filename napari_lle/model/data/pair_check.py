"""Whether a dark image and its reference can be learned from, and how to fix them if not."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..preprocessing.levels import find_levels
from ..preprocessing.noise import fit_noise
from .registration import find_shift, grey_plane, mean_light, rank_correlation

LARGEST_SHIFT = 1.0  # pixels that a reference may be off
SATURATED = 0.05  # share of a reference at its top from which on it is worth a word
LEAST_PAIR_SIDE = 7  # pixels along a side: SSIM's window
UNKNOWN = 0.5  # share of NaN that a pair may hold
UNLIKE = 0.3  # correlation under which two images hardly show one scene
DARKER = 0.1  # stops by which a reference may be darker without a word
CLEARER = 1.5  # times the noise of the other: a difference that is no chance
NOISY_SHARE = 0.05  # of the structure: less noise than that is none to speak of
REGISTER, SWAP = "register", "swap"


class Problem(NamedTuple):
    """What is wrong, in a sentence, and what may help: `REGISTER`, `SWAP` or nothing.

    Whether to swap is for the user to say: it is never a repair.
    """

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
    noise : (float, float)
        Of the dark image and of the reference: deviation as a share of that of the structure.
    problems : tuple of Problem
    """

    shift: tuple[float, float] = (0.0, 0.0)
    saturated: float = 0.0
    unknown: float = 0.0
    stops: float = 0.0
    correlation: float = 1.0
    levels: tuple[float, float] | None = None
    noise: tuple[float, float] = (0.0, 0.0)
    problems: tuple[Problem, ...] = ()

    @property
    def usable(self) -> bool:
        """Nothing that was found forbids training."""
        return not any(problem.fatal for problem in self.problems)

    @property
    def clearer(self) -> int:
        """1 where the reference has clearly less noise than its image, -1 where more, else 0."""
        low, reference = self.noise
        if max(self.noise) < NOISY_SHARE or max(self.noise) < CLEARER * min(self.noise):
            return 0
        return 1 if low > reference else -1

    @property
    def in_order(self) -> bool:
        """Whether the second is the reference: by noise where that tells, else by brightness."""
        return self.clearer > 0 or (self.clearer == 0 and self.stops >= 0)


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
        The reference is to be brighter between its own levels, unless it is clearer.
    """
    if low.shape != reference.shape:
        return _unequal(low, reference, rgb)
    if min(low.shape[low.ndim - 2 - rgb :][:2]) < LEAST_PAIR_SIDE:
        return PairCheck(
            problems=(Problem(f"The images are under {LEAST_PAIR_SIDE} pixels a side."),)
        )
    unknown = _unknown(low, reference, rgb)
    if unknown > UNKNOWN:
        problem = Problem(f"{100 * unknown:.0f} % of the pixels are not numbers.")
        return PairCheck(unknown=unknown, problems=(problem,))
    a, b = grey_plane(low, rgb), grey_plane(reference, rgb)
    for name, image in (("dark image", a), ("reference", b)):
        if image.min() == image.max():
            problem = Problem(f"The {name} holds one value throughout: there is nothing to learn.")
            return PairCheck(unknown=unknown, correlation=0.0, problems=(problem,))
    levels = find_levels(low, rgb=rgb)
    check = PairCheck(
        find_shift(a, b),
        _saturated(reference),
        unknown,
        _stops(a, b),
        rank_correlation(a, b),
        (levels.black, levels.white),
        (noise_share(low, rgb), noise_share(reference, rgb)),
    )
    bright = find_levels(reference, rgb=rgb)
    means = [(x.mean() - v.black) / v.span for x, v in ((a, levels), (b, bright))]
    found = _problems(check, means[0] < means[1], brightness)
    return replace(check, problems=tuple(found))


def _problems(check: PairCheck, darker: bool, brightness: bool) -> list[Problem]:
    found = []
    off = float(np.hypot(*check.shift))
    if check.correlation < UNLIKE:
        found.append(Problem("The images hardly show the same scene.", fatal=False))
    elif off > LARGEST_SHIFT:
        found.append(Problem(f"The reference is {off:.1f} pixels off.", REGISTER))
    found += _order(check, darker, brightness)
    if check.saturated > SATURATED:
        share = f"{100 * check.saturated:.0f} %"
        found.append(Problem(f"{share} of the reference is saturated.", fatal=False))
    if check.unknown:
        share = f"{100 * check.unknown:.2g} %"
        found.append(Problem(f"{share} of the pixels are not numbers: left out.", fatal=False))
    return found


def _order(check: PairCheck, darker: bool, brightness: bool) -> list[Problem]:
    """Whether the two may have been given the wrong way round, by noise and by brightness."""
    low, reference = check.noise
    if check.clearer < 0:
        shares = f"{100 * reference:.0f} % of what it shows, not {100 * low:.0f} %"
        text = f"The reference is noisier than its image ({shares}): were the two swapped?"
        return [Problem(text, SWAP, fatal=False)]
    if check.clearer > 0:  # what is to be learned is a clearer image, whatever its brightness
        dark = check.stops < -DARKER and brightness
        text = "The reference is darker than its image, but clearer: kept as it is."
        return [Problem(text, fatal=False)] if dark else []
    if check.stops < -DARKER:
        text = "The reference is darker than its image: were the two swapped?"
        return [Problem(text, SWAP, fatal=False)]
    if brightness and not darker:
        text = "Between its own levels the dark image is no darker: there is nothing to learn."
        return [Problem(text, fatal=False)]
    return []


def _unequal(low: NDArray[Any], reference: NDArray[Any], rgb: bool) -> PairCheck:
    """What can be told of images of two sizes: planes of one kind can be laid over each other."""
    sizes = " and ".join(" x ".join(map(str, a.shape)) for a in (low, reference))
    sentence = f"The images differ in size ({sizes})."
    if low.ndim != reference.ndim or low.shape[: -2 - rgb] != reference.shape[: -2 - rgb]:
        return PairCheck(problems=(Problem(sentence),))
    a, b = grey_plane(low, rgb), grey_plane(reference, rgb)
    noise = noise_share(low, rgb), noise_share(reference, rgb)
    return PairCheck(stops=_stops(a, b), noise=noise, problems=(Problem(sentence, REGISTER),))


def _stops(a: NDArray[np.float64], b: NDArray[np.float64]) -> float:
    """How much brighter the second is, in powers of two."""
    return float(np.log2(max(mean_light(b), 1e-9) / max(mean_light(a), 1e-9)))


def noise_share(image: NDArray[Any], rgb: bool) -> float:
    """Deviation of an image's noise as a share of that of what it shows, by `fit_noise`."""
    lead = image.shape[: -3 if rgb else -2]
    plane = image[tuple(n // 2 for n in lead)]
    plane = plane[..., 1] if rgb else plane
    noise = float(np.nanmean(fit_noise(plane).variance(plane)))
    whole = float(np.nanvar(plane.astype(np.float64)))
    return float(np.sqrt(noise / max(whole - noise, 1e-3 * whole, 1e-12)))


def _unknown(low: NDArray[Any], reference: NDArray[Any], rgb: bool) -> float:
    """Share of the middle plane that is not a number in either."""
    holes = np.zeros(1, bool)
    for image in (low, reference):
        plane = image[tuple(n // 2 for n in image.shape[: -3 if rgb else -2])]
        found = ~np.isfinite(plane)
        holes = holes | (found[..., :3].any(axis=-1) if rgb else found)
    return float(holes.mean())


def _saturated(reference: NDArray[Any]) -> float:
    """Share at the very top; a value that only single pixels reach is no limit."""
    return float((reference == np.nanmax(reference)).mean())
