"""The forms' numbers, and their formulas for whole images: torch and the kernels work by the same.

Numbers, arrays and tensors go through the formulas. Where these need more than operators, `xp` is
NumPy or torch, whose functions have the same names.
"""

from __future__ import annotations

from math import exp
from typing import Any

DARKEST = 2.0**-9  # half an 8-bit step: cleaning takes pixels below for this dark, not for 0
CENTRE = 0.4  # of the brightness that H sees
SHARPNESS = 512  # of the soft positive part that ends cleaning
FADES_BELOW = 1e-3  # mean brightness below which cleaning fades out, so that black stays black
FAINTEST_MEAN = 1e-4  # mean brightness that metering takes for the least there is
LEAST = 2.0**-6  # of u in units of the image's: the steepest curve that metering may take
MODULATING = (1, 3, 4, 5)  # of the statistics: lit, contrast, chroma, noise, which shift H
LIFTED_IF_SEEN = ("cleaning", "guiding")  # forms that take it so where there is something to see
ALWAYS_LIFTED = ("correcting", "mixing")  # forms that take what is darker for `DARKEST`

# Mixing, and what it takes for more than noise, see `evidence`.
HALVINGS = 4
SQUARE = 2**HALVINGS  # pixels along a side of the coarsest mean
CANDIDATES = 7  # what is known so far; the pixel; means along 4 directions and of 3 x 3 pixels
FIGURES = 3  # that shift H: the size, the grain, how visible the noise is
# Places among the statistics.
SHOT_PLACE, FLOOR_PLACE, GRAIN_PLACE, SOFT_PLACE = 8, 9, 10, 11
BESIDE = 4  # of the coarsest squares: what `tamed` and `thinned` reach at all sizes together
# Of an image with sharp things, and of a soft one: the share of what may be noise that stays, that
# of the coarsest differences, and the deviations up to which noise may be all there is.
SHARE = 0.14, 0.05
WIDE_SHARE = 0.0, 0.2
CLOSED = 6.25, 4.75
OPENING = 1.25, 1.0  # how many more until it is not
KNEE = 6.0  # deviations at which H's view of a difference begins to flatten
LEAST_NOISE = 1e-5  # deviation, of the range of levels; below, float32 rounds structure into view
LONE = 6.0  # deviations outside of its neighbours' range from which a pixel stands alone
THIN = 4.8  # deviations beyond both sides from which something is thin
SIDES = ((0, 2), (2, 0), (2, 2), (2, -2))  # where the sides are, in pixels
CALM = 4  # of the coarsest squares on each side that make a calm mean
# Squares around one from which it is told whether it is heard: of its 3 x 3, and theirs.
EVIDENT = 2
# Around each pixel above black, R is seen as far as a normal distribution of so many pixels.
NEAR_DEVIATION, NEAR_REACH = 2.0, 8
NEARNESS = tuple(exp(-0.5 * (i / NEAR_DEVIATION) ** 2) for i in range(-NEAR_REACH, NEAR_REACH + 1))
FAINTEST_SEEN = 2.0**-20  # R, at least: keeps L finite, and the order of what is nearly black


def presence(mean: Any) -> Any:
    """0 for a black image, 1 as soon as there is something to see."""
    return mean * mean / (mean * mean + FADES_BELOW**2)


def vividness(lit: Any, noise: Any, vivid: tuple[float, float]) -> Any:
    """What the colours' differences from grey are multiplied by: more where noise is less.

    A curve of each colour for itself leaves less of them than there was, and so does an average
    over what noise allows, which is what training finds. Lit images stay as they are.
    """
    return 1 + (1 - lit) * (vivid[0] - vivid[1] * noise)


def darkest(form: str, mean: Any) -> Any:
    """The normalised value that darker pixels are taken for, so that division can lift them."""
    if form in LIFTED_IF_SEEN:
        return DARKEST * presence(mean)
    return 0 * mean + (DARKEST if form in ALWAYS_LIFTED else 0.0)


def mixing_noise(statistics: Any, xp: Any) -> tuple[Any, Any, Any]:
    """Shot, floor and grain, each (N,), of images' noise, of which there is some in every image."""
    floor = xp.clip(statistics[:, FLOOR_PLACE], LEAST_NOISE**2, None)
    return statistics[:, SHOT_PLACE], floor, statistics[:, GRAIN_PLACE]


def by_softness(statistics: Any, sharp_and_soft: tuple[float, float]) -> Any:
    """A number that differs between sharp and soft images, for each of them."""
    sharp, soft = sharp_and_soft
    return sharp + statistics[:, SOFT_PLACE] * (soft - sharp)


def hearing_limits(statistics: Any) -> tuple[Any, Any]:
    """Deviations up to which noise may be all there is, and how many more open what they prove."""
    return by_softness(statistics, CLOSED), by_softness(statistics, OPENING)


def mixing_figures(level: int, noise: tuple[Any, Any, Any], typical: Any, xp: Any) -> Any:
    """What shifts H at a size, (N, 3)."""
    shot, floor, grain = noise
    typical = xp.clip(typical, 1e-6, None)
    visible = xp.log(xp.sqrt(shot * typical + floor) / typical + 1e-3)
    size = xp.full_like(visible, level / HALVINGS - 0.5)
    return xp.stack([size, xp.log(grain), 0.3 * (visible + 1)], 1)
