"""Learning from noisy images alone: what stands in the place of references, chosen by measurement.

Where neighbouring frames show the same scene, each is the other's target: their noise is not the
same, what they show is. Elsewhere single pixels are hidden and told from their surroundings, see
`blind_spots`. Targets are under the screen stretch of the image that they are compared with.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..data.pairs import Pair, split_by_scene
from ..preprocessing.noise import Noise, fit_noise
from ..preprocessing.screen import stretched
from .settings import TrainingError

COARSE = 8  # pixels along a side of the squares whose means are compared between frames
SAME = 1.5  # times the variance that noise alone explains: more is another scene
COMPARED = 5  # images, and neighbours, that are measured, spread evenly
GRAINS = (1.3, 1.9, 2.9)  # up to which spots reach 0, 1 and 2 pixels
JUDGED_SHARE = 4  # a quarter of a single scene is judged by
LEAST_SCENE = 64  # pixels of a side that can be parted


class Noisy(NamedTuple):
    """What to train on and to judge by, and how.

    Attributes
    ----------
    training, held_out : list of Pair
        Their references are targets as noisy as the images themselves.
    reach : int or None
        Of the spots to hide, see `blind_spots.hide`; None where frames are each other's targets.
    why : str
        What was chosen, and why, in a sentence for the user.
    """

    training: list[Pair]
    held_out: list[Pair]
    reach: int | None
    why: str


def noisy_data(images: Sequence[Pair], share: float, gap: int) -> Noisy:
    """Choose how to learn from noisy images.

    Parameters
    ----------
    images : sequence of Pair
        Grey, without references, neighbours of a series one after the other.
    share : float
        Of the images, to judge by, where there are several scenes.
    gap : int
        Pixels between what is trained on and what is judged by, in one scene.

    Raises
    ------
    TrainingError
        If there is nothing to learn from: colours, no noise, noise that spreads too far, or too
        few pixels.
    """
    if not images or any(image.statistics[2] > 0 for image in images):
        raise TrainingError("Learning from noise needs grey images: give each channel by itself.")
    noise = [fit_noise(images[i].low[..., 0]) for i in _some(len(images))]
    if max(n.read_noise for n in noise) == 0 and not np.isfinite([n.gain for n in noise]).any():
        raise TrainingError("There is no noise in these images: nothing can be learned from it.")
    scene = scene_change(images)
    if scene is not None and scene <= SAME:
        training, held_out = _parted(_neighbours(images), gap)
        why = (
            f"Neighbouring frames are targets of each other: their difference is {scene:.2f} times "
            "what noise alone makes, so they show the same scene."
        )
        return Noisy(training, held_out, None, why)
    reach, grain = _reach(noise)
    several = len(images) > 1
    targets = [_own_target(image) for image in images]
    parts = split_by_scene(targets, share) if several else _parted(targets, gap)
    other = "" if scene is None else f"neighbours differ {scene:.1f} times as much as noise, and "
    size = 2 * reach + 1
    why = (
        f"Spots of {size} x {size} pixels are hidden and predicted from their surroundings: {other}"
        f"the noise of neighbouring pixels looks {'independent' if reach == 0 else 'shared'} "
        f"(grain {grain:.2f})."
    )
    return Noisy(*parts, reach, why)


def scene_change(images: Sequence[Pair]) -> float | None:
    """Variance of the difference of neighbouring frames, over that of their noise.

    Of means of `COARSE` pixels a side, in which noise is weak and change is not; a change of the
    brightness of all is left out. The most of several neighbours; None where there are none.
    """
    places = [i for i in range(len(images) - 1) if images[i].low.shape == images[i + 1].low.shape]
    if len(places) < len(images) - 1 or not places:
        return None
    ratios = []
    for i in _some(len(places)):
        a, b = (images[i + k].low[..., 0].astype(np.float64) for k in (0, 1))
        noise = fit_noise(a)
        means = _coarse_means(a), _coarse_means(b)
        if min(means[0].shape, default=0) == 0:
            return None
        shared = np.cov(means[0].ravel(), means[1].ravel())
        slope = float(shared[0, 1] / max(shared[1, 1], 1e-12))
        found = float(np.var(means[0] - slope * means[1]))
        expected = float(np.mean(noise.variance(means[0]))) * (1 + slope**2)
        ratios.append(found * COARSE**2 / max(expected * noise.grain**2, 1e-12))
    return max(ratios)


def _some(count: int) -> list[int]:
    """Indices below `count`, spread evenly."""
    return sorted({int(i) for i in np.linspace(0, count - 1, min(count, COMPARED))})


def _coarse_means(image: NDArray[np.float64]) -> NDArray[np.float64]:
    height, width = (n // COARSE for n in image.shape)
    whole = image[: height * COARSE, : width * COARSE]
    return np.asarray(whole.reshape(height, COARSE, width, COARSE).mean(axis=(1, 3)))


def _reach(noise: Sequence[Noise]) -> tuple[int, float]:
    """How far a spot must reach to hold all that a pixel's noise is shared with."""
    grain = float(np.median([n.grain for n in noise]))
    for reach, most in enumerate(GRAINS):
        if grain <= most:
            return reach, grain
    raise TrainingError(
        f"The noise of these images is shared over many pixels (grain {grain:.2f}), so that hidden "
        "pixels could be predicted from it: give frames of one scene, as they left the camera."
    )


def _parted(images: Sequence[Pair], gap: int) -> tuple[list[Pair], list[Pair]]:
    """Of each image of one scene, a part to train on and a part to judge by; targets its own."""
    width = min(image.low.shape[1] for image in images)
    least = max(LEAST_SCENE, JUDGED_SHARE * gap)
    if width < least:
        raise TrainingError(
            f"The images are too small to be split: {least} pixels across are needed."
        )
    end = width - width // JUDGED_SHARE
    return (
        [_only(image, slice(0, end - gap)) for image in images],
        [_only(image, slice(end, None)) for image in images],
    )


def _only(image: Pair, columns: slice) -> Pair:
    """The pair with a reference in some columns alone."""
    reference = np.full_like(image.reference, np.nan)
    reference[:, columns] = image.reference[:, columns]
    return Pair(image.name, image.low, reference, image.whole or image)


def _neighbours(images: Sequence[Pair]) -> list[Pair]:
    """Each frame with the next one as its target, the last with the one before."""
    others = [*images[1:], images[-2]]
    return [
        Pair(a.name, a.low, stretched(b.low, a.statistics), a.whole or a)
        for a, b in zip(images, others, strict=True)
    ]


def _own_target(image: Pair) -> Pair:
    return Pair(image.name, image.low, stretched(image.low, image.statistics), image.whole or image)
