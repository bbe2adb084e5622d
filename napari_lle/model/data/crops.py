"""Crops of training pairs, turned, mirrored and exposed by chance."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..preprocessing.levels import blocks
from ..preprocessing.statistics import ADAPTED, LIT, image_statistics
from ..preprocessing.tiling import reflect
from .pairs import Pair


class Batch(NamedTuple):
    """Crops for one step: dark ones with their halo, references, statistics of whole images.

    Shapes (N, 3, H + 2 halo, W + 2 halo), (N, 3, H, W) and (N, 12).
    """

    low: NDArray[np.float32]
    reference: NDArray[np.float32]
    statistics: NDArray[np.float32]


@dataclass(frozen=True)
class Augmentation:
    """How inputs are varied, while their references stay.

    Attributes
    ----------
    exposure : float
        Share of dark images whose exposure is changed by up to 1.5 stops either way.
    lit : float
        Share of inputs that are the reference itself: half of them as it is, to be left alone,
        half up to 5 stops darker.
    backlit : float
        Share of inputs that are a part of a frame, dark or bright, whose other part, 5 to 50 %, is
        bright or dark: dark parts are to be lifted, bright ones to keep their contrast.
    """

    exposure: float = 0.15
    lit: float = 0.15
    backlit: float = 0.0


class Varied(NamedTuple):
    """How a pair is seen once.

    Attributes
    ----------
    low, reference : ndarray, (H, W, 3)
    gain : float
        Of the dark image, before it is rounded to 8 bits.
    beside : ndarray, (H, W, 3), optional
        What the rest of the frame shows.
    share : float
        Of the frame, that is the rest.
    kept : bool
        The bright part of a frame: its reference is its own contrast, compressed.
    """

    low: NDArray[np.float32]
    reference: NDArray[np.float32]
    gain: float = 1.0
    beside: NDArray[np.float32] | None = None
    share: float = 0.0
    kept: bool = False


BACKLIT = 0.9  # brightness of a dark part beside a bright one, against one that is alone
THINNED = 8  # statistics of augmented images are taken from every 8th row and column


def draw_batch(
    pairs: Sequence[Pair],
    rng: np.random.Generator,
    batch: int,
    size: int,
    halo: int = 0,
    augmentation: Augmentation | None = None,
) -> Batch:
    """Random crops of random pairs, turned and mirrored alike.

    Parameters
    ----------
    pairs : sequence of Pair
    rng : numpy.random.Generator
        The only source of chance: equal states draw equal batches.
    batch, size : int
        Number of crops and their side in pixels; the smallest image bounds the side.
    halo : int
        Extra pixels around the dark crops, reflected at the borders of the image.
    augmentation : Augmentation, optional
        Nothing but turns and mirrors when not given.
    """
    chosen = [pairs[i] for i in rng.integers(len(pairs), size=batch)]
    side = min(size, *(min(p.low.shape[:2]) for p in pairs))
    crops = [_draw_crop(pair, rng, side, halo, augmentation) for pair in chosen]
    return Batch(*(np.stack(part) for part in zip(*crops, strict=True)))


def centre(pair: Pair, size: int, halo: int = 0) -> Batch:
    """The middle of a pair, `size` pixels a side or what there is, as a batch of one.

    Where the reference is known in part, the middle is that of the known pixels, in their order.
    """
    spans = []
    middle = pair.known[len(pair.known) // 2] if pair.partial else np.array(pair.low.shape[:2]) // 2
    for length, at in zip(pair.low.shape[:2], middle, strict=True):
        start = int(np.clip(at - size // 2, 0, max(0, length - size)))
        spans.append((start, min(start + size, length), length))
    rows, columns = (reflect(a - halo, b + halo, length) for a, b, length in spans)
    (top, bottom, _), (left, right, _) = spans
    low = pair.low[rows[:, None], columns]
    reference = pair.reference[top:bottom, left:right]
    low, reference = (np.ascontiguousarray(x.transpose(2, 0, 1)) for x in (low, reference))
    return Batch(low[None], reference[None], pair.statistics[None])


def _draw_crop(
    pair: Pair, rng: np.random.Generator, side: int, halo: int, augmentation: Augmentation | None
) -> tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.float32]]:
    height, width = pair.low.shape[:2]
    top, left = _place(pair, rng, side)
    turns, mirrored = int(rng.integers(4)), bool(rng.integers(2))

    def turned(crop: NDArray[np.float32]) -> NDArray[np.float32]:
        crop = np.rot90(crop, turns)
        return (crop[:, ::-1] if mirrored else crop).transpose(2, 0, 1)

    rows = reflect(top - halo, top + side + halo, height)
    columns = reflect(left - halo, left + side + halo, width)
    varied = _vary(pair, rng, augmentation) if augmentation else Varied(pair.low, pair.reference)
    crop = varied.low[rows[:, None], columns]
    reference = varied.reference[top : top + side, left : left + side]
    statistics = pair.statistics
    if varied.low is not pair.low or varied.beside is not None or varied.gain != 1:
        crop = _at_gain(crop, varied.gain)
        statistics = np.array(image_statistics(_statistics_squares(varied, rng)), dtype=np.float32)
    if varied.kept:
        reference = _spared(crop[halo : halo + side, halo : halo + side], statistics)
    return turned(crop), turned(reference), statistics


def _statistics_squares(varied: Varied, rng: np.random.Generator) -> NDArray[np.float32]:
    """What statistics are taken of: of the whole frame, where a crop's light is that of a part."""
    offsets = rng.integers(THINNED, size=2)
    squares = _at_gain(blocks(varied.low, THINNED, *offsets), varied.gain)
    squares = squares.reshape(-1, *squares.shape[-3:])
    if varied.beside is None:
        return squares
    others = blocks(varied.beside, THINNED, *offsets).reshape(squares.shape)
    count = round(varied.share * len(squares))
    return np.concatenate([squares[count:], others[:count]])


def _spared(crop: NDArray[np.float32], statistics: NDArray[np.float32]) -> NDArray[np.float32]:
    """Bright parts beside lifted ones: the blend of `blocks.Cleaning` with a unit of the mean."""
    lit, adapted = float(statistics[LIT]), float(statistics[ADAPTED])
    return lit * crop + (1 - lit) * crop / (crop + max(adapted, 1e-3))


def _place(pair: Pair, rng: np.random.Generator, side: int) -> tuple[int, int]:
    """Where a crop lies: anywhere, but in annotated pairs around a pixel that is known."""
    height, width = pair.low.shape[:2]
    if not pair.partial:
        return int(rng.integers(height - side + 1)), int(rng.integers(width - side + 1))
    row, column = pair.known[rng.integers(len(pair.known))] - rng.integers(side, size=2)
    return int(np.clip(row, 0, height - side)), int(np.clip(column, 0, width - side))


def _vary(pair: Pair, rng: np.random.Generator, augmentation: Augmentation) -> Varied:
    """Another exposure, the reference for an input, or a part of a backlit frame; by chance."""
    chance = rng.random()
    shares = np.cumsum([augmentation.exposure, augmentation.lit, augmentation.backlit])
    low, reference = pair.low, pair.reference
    if chance < shares[0]:
        return Varied(low, reference, 2.0 ** rng.uniform(-1.5, 1.5))
    if pair.partial or chance >= shares[-1]:
        return Varied(low, reference)
    if chance < shares[1]:
        gain = 2.0 ** -rng.uniform(0, 5) if rng.random() < 0.5 else 1.0
        return Varied(reference, reference, gain)
    share = rng.uniform(0.05, 0.5)
    if rng.random() < 0.5:
        return Varied(reference, reference, beside=low, share=1 - share, kept=True)
    return Varied(low, reference * BACKLIT, beside=reference, share=share)


def _at_gain(image: NDArray[np.float32], gain: float) -> NDArray[np.float32]:
    """As an 8-bit camera would have recorded it at another exposure."""
    return np.clip(np.rint(image * np.float32(255 * gain)), 0, 255) / np.float32(255)
