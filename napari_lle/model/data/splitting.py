"""What of an image to train on and what to judge by, with a gap that neither sees across."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import binary_dilation

IGNORE, TRAIN, VALIDATE = 0, 1, 2
LARGEST_BLOCK = 128  # pixels
# One block in so many validates; knights' moves apart, so in every row and column.
VALIDATING_BLOCKS = 5
ENOUGH = 0.05  # share of the image that either part needs


def split_blocks(known: NDArray[np.bool_], gap: int) -> NDArray[np.uint8]:
    """Part the known pixels of an image into blocks to train on and blocks to judge by.

    Parameters
    ----------
    known : ndarray of bool, (H, W)
        Where something can be learned.
    gap : int
        Pixels between the two kinds, ignored; a receptive field's width lets neither see what
        the other one sees.

    Returns
    -------
    ndarray of uint8, (H, W)
        `IGNORE`, `TRAIN` or `VALIDATE`; neither of the latter is empty.

    Raises
    ------
    ValueError
        If the image is too small for two parts with the gap between them.
    """
    side = int(np.clip(min(known.shape) // VALIDATING_BLOCKS, 2 * gap, LARGEST_BLOCK))
    y, x = (np.arange(length) // side for length in known.shape)
    for chosen in ((y[:, None] + 2 * x) % VALIDATING_BLOCKS == 2, *_halves(known)):
        mask = with_gap(np.where(chosen & known, VALIDATE, np.where(known, TRAIN, IGNORE)), gap)
        if min((mask == part).mean() for part in (TRAIN, VALIDATE)) >= ENOUGH * known.mean():
            return mask
    raise ValueError(
        f"The image or its annotation is too small to be split: it must be {4 * gap} pixels "
        "across; or mark yourself what to train on (1) and what to validate on (2)."
    )


def with_gap(mask: NDArray[np.integer], gap: int) -> NDArray[np.uint8]:
    """Ignore what is marked for training within `gap` pixels of what is marked to judge by."""
    near = mask == VALIDATE
    for axis in range(2):  # a square, one side after the other
        shape = np.ones(2, int)
        shape[axis] = 2 * gap + 1
        near = binary_dilation(near, np.ones(tuple(shape), bool))
    return np.where((mask == TRAIN) & near, IGNORE, mask).astype(np.uint8)


def complete(
    annotation: NDArray[np.integer] | None, known: NDArray[np.bool_], gap: int
) -> NDArray[np.uint8]:
    """The mask of a pair from what the user marked, if anything, and what is known.

    What is marked for training alone is split, see `split_blocks`.

    Raises
    ------
    ValueError
        If nothing is left to train on.
    """
    if annotation is None or not (annotation == VALIDATE).any():
        marked = known if annotation is None else known & (annotation == TRAIN)
        if not marked.any():
            raise ValueError("The annotation marks nothing to train on: paint some of it with 1.")
        return split_blocks(marked, gap)
    mask = with_gap(np.where(known, annotation, IGNORE), gap)
    if not (mask == TRAIN).any():
        raise ValueError(
            f"Nothing is left to train on: mark regions with 1 over {gap} pixels from those with 2."
        )
    return mask


def _halves(known: NDArray[np.bool_]) -> list[NDArray[np.bool_]]:
    """The last third of the known columns, and of the known rows, for images of few blocks."""
    rows, columns = np.nonzero(known)
    y, x = np.indices(known.shape)
    return [np.greater(x, np.quantile(columns, 2 / 3)), np.greater(y, np.quantile(rows, 2 / 3))]
