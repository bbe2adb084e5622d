"""Blind spots: pixels hidden from a network, which is to tell them from what is around them.

Noise cannot be told from a pixel's surroundings, what is there can: a network that predicts hidden
pixels learns to leave the noise out (Krull et al. 2019, Batson and Royer 2019). Where neighbours
share their noise, they are hidden together.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from .crops import Batch

SPOT_SPACING = 4  # pixels between spots for each pixel that a spot reaches, its middle included


def hide(batch: Batch, halo: int, reach: int, rng: np.random.Generator) -> Batch:
    """Put pixels from around a spot in its place, and leave of the references the spots alone.

    Parameters
    ----------
    batch : Batch
    halo : int
        Of its dark crops.
    reach : int
        Pixels from a spot's middle to its border; 0 hides single pixels.
    rng : numpy.random.Generator
        Where the spots lie, and what fills each of their pixels: one of the ring around it.

    Returns
    -------
    Batch
        References are NaN but in the middle of spots.
    """
    low, reference = batch.low.copy(), np.full_like(batch.reference, np.nan)
    for i in range(len(low)):
        _hide(batch.low[i], low[i], batch.reference[i], reference[i], halo, reach, rng)
    return Batch(low, reference, batch.statistics)


def _hide(
    seen: NDArray[np.float32],
    low: NDArray[np.float32],
    target: NDArray[np.float32],
    reference: NDArray[np.float32],
    halo: int,
    reach: int,
    rng: np.random.Generator,
) -> None:
    spacing = SPOT_SPACING * (reach + 1)
    first = rng.integers(spacing, size=2)
    height, width = low.shape[1:]
    y, x = np.mgrid[first[0] : height : spacing, first[1] : width : spacing].reshape(2, -1)
    ring = _ring(reach + 1)
    for dy, dx in np.mgrid[-reach : reach + 1, -reach : reach + 1].reshape(2, -1).T:
        chosen = ring[rng.integers(len(ring), size=len(y))]
        inside = (y + dy >= 0) & (y + dy < height) & (x + dx >= 0) & (x + dx < width)
        # A donor beyond the border would be the spot itself, mirrored: look the other way there.
        across = _within(y, chosen[:, 0], height), _within(x, chosen[:, 1], width)
        places = (y + dy)[inside], (x + dx)[inside]
        low[:, places[0], places[1]] = seen[:, across[0][inside], across[1][inside]]
    middle = (y >= halo) & (y < height - halo) & (x >= halo) & (x < width - halo)
    y, x = y[middle] - halo, x[middle] - halo
    reference[:, y, x] = target[:, y, x]


def _ring(radius: int) -> NDArray[np.intp]:
    """Offsets of the pixels of a square's border, (N, 2)."""
    both = np.mgrid[-radius : radius + 1, -radius : radius + 1].reshape(2, -1).T
    return both[np.abs(both).max(axis=1) == radius]


def _within(at: NDArray[np.intp], by: NDArray[np.intp], length: int) -> NDArray[np.intp]:
    found = at + by
    return np.clip(np.where((found < 0) | (found >= length), at - by, found), 0, length - 1)
