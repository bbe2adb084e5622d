"""Pairs that dark images make of themselves: training without references.

An image reduced by averaging has little noise left: that is the clean one. What the full image
has beyond a smooth version of itself is noise of the very camera, with its grain and its colours:
laid over the clean image, scaled to its brightness and rounded to 8 bits, it gives the noisy one.
The reference is the clean image under one stated curve, S / (S + k mean): eq. 5 of the paper with
the brightness that it leaves open.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy.ndimage import gaussian_filter

from ..array_types import Float32
from .pairs import Pair

REDUCED = 4  # pixels averaged along each axis
NOISE_SIGMA = 2.0  # pixels, of the Gaussian that noise is told by
EXCESS = 1.2  # noise is laid on a little stronger than found: averaging does not remove all of it
PEDESTAL = 0.1  # of the mean: where shot noise gives way to read noise


def self_pairs(images: Sequence[Pair], k: float, draws: int = 8, seed: int = 0) -> list[Pair]:
    """Make training pairs from dark images alone; their references, if any, are not looked at.

    Parameters
    ----------
    images : sequence of Pair
        At least `REDUCED` times as large as the crops to be trained on.
    k : float
        Of the curve ``S / (S + k mean)`` that references are seen through.
    draws : int
        Pairs for each image, alike but for the noise.
    seed : int

    Returns
    -------
    list of Pair
        A `REDUCED`-th in size; their statistics are those of the dark images.

    Raises
    ------
    ValueError
        If an image is too small to be reduced.
    """
    rng = np.random.default_rng(seed)
    return [pair for image in images for pair in _pairs_of(image, k, draws, rng)]


def _pairs_of(image: Pair, k: float, draws: int, rng: np.random.Generator) -> list[Pair]:
    clean = reduce(image)
    smooth = gaussian_filter(image.low, (NOISE_SIGMA, NOISE_SIGMA, 0))
    mean = float(image.low.mean())
    reference = clean / (clean + k * max(mean, 1e-4))
    made = []
    for draw in range(draws):
        place = _anywhere(image.low, clean.shape[:2], rng)
        noise = image.low[place] - smooth[place]
        level = (clean + PEDESTAL * mean + 1e-6) / (smooth[place] + PEDESTAL * mean + 1e-6)
        noisy = np.rint(255 * (clean + EXCESS * noise * np.sqrt(level)))
        low = (np.clip(noisy, 0, 255) / 255).astype(np.float32)
        made.append(Pair(f"{image.name}-{draw}", low, reference.astype(np.float32), image))
    return made


def reduce(image: Pair) -> Float32:
    """Average squares of `REDUCED` pixels a side; what is left over at the borders is dropped."""
    height, width = (n // REDUCED for n in image.low.shape[:2])
    if min(height, width) < 16:
        raise ValueError(f"{image.name} is too small: {16 * REDUCED} pixels a side are needed.")
    whole = image.low[: height * REDUCED, : width * REDUCED]
    mean: Float32 = whole.reshape(height, REDUCED, width, REDUCED, 3).mean(axis=(1, 3))
    return mean


def _anywhere(
    image: Float32, shape: tuple[int, ...], rng: np.random.Generator
) -> tuple[slice, slice]:
    top, left = (int(rng.integers(n - m + 1)) for n, m in zip(image.shape[:2], shape, strict=True))
    return slice(top, top + shape[0]), slice(left, left + shape[1])
