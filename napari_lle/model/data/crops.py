"""Crops of training pairs, turned, mirrored and exposed by chance."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..preprocessing.levels import blocks
from ..preprocessing.statistics import ADAPTED, LIT, Statistics, image_statistics
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
FULL_SCALE = 255  # of an 8-bit camera
FRAME_SQUARES = 4096  # of 2 x 2 pixels, about: what statistics of varied images are taken from


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
    wide, figures = side + 2 * halo, len(Statistics._fields)
    shapes = (batch, 3, wide, wide), (batch, 3, side, side), (batch, figures)
    made = Batch(*(np.empty(shape, np.float32) for shape in shapes))
    for pair, *room in zip(chosen, *made, strict=True):
        _draw_crop(Batch(*room), pair, rng, side, halo, augmentation)
    return made


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
    low = pair.low.take(rows, axis=0).take(columns, axis=1)
    reference = pair.reference[top:bottom, left:right]
    low, reference = (np.ascontiguousarray(x.transpose(2, 0, 1)) for x in (low, reference))
    return Batch(low[None], reference[None], pair.statistics[None])


def _draw_crop(
    room: Batch,
    pair: Pair,
    rng: np.random.Generator,
    side: int,
    halo: int,
    augmentation: Augmentation | None,
) -> None:
    """Fill a batch's room for one crop, whose axes are those of `Batch` without the first."""
    top, left = _place(pair, rng, side)
    turns, mirrored = int(rng.integers(4)), bool(rng.integers(2))

    def turned(crop: NDArray[np.float32]) -> NDArray[np.float32]:
        crop = np.rot90(crop, turns)
        return (crop[:, ::-1] if mirrored else crop).transpose(2, 0, 1)

    varied = _vary(pair, rng, augmentation) if augmentation else Varied(pair.low, pair.reference)
    crop = _window(varied.low, top - halo, left - halo, side + 2 * halo)
    reference = varied.reference[top : top + side, left : left + side]
    statistics = pair.statistics
    if varied.low is not pair.low or varied.beside is not None or varied.gain != 1:
        crop = _counts(crop, varied.gain) / np.float32(FULL_SCALE)
        statistics = np.array(image_statistics(_statistics_squares(varied, rng)), dtype=np.float32)
    if varied.kept:
        reference = _spared(crop[halo : halo + side, halo : halo + side], statistics)
    elif varied.beside is not None:
        reference = reference * BACKLIT
    room.low[:], room.reference[:], room.statistics[:] = turned(crop), turned(reference), statistics


def _window(image: NDArray[np.float32], top: int, left: int, side: int) -> NDArray[np.float32]:
    """A square of an image that goes on as its mirror image."""
    if min(top, left) >= 0 and top + side <= len(image) and left + side <= image.shape[1]:
        return image[top : top + side, left : left + side]
    rows, columns = (
        reflect(start, start + side, length)
        for start, length in zip((top, left), image.shape, strict=False)
    )
    return image.take(rows, axis=0).take(columns, axis=1)


def _statistics_squares(varied: Varied, rng: np.random.Generator) -> NDArray[np.uint8]:
    """What statistics are taken of: of the whole frame, where a crop's light is that of a part."""
    height, width = varied.low.shape[:2]
    step = max(2, round((height * width / FRAME_SQUARES) ** 0.5))
    offsets = rng.integers(step, size=2)
    squares = _counts(blocks(varied.low, step, *offsets), varied.gain)
    if varied.beside is not None:
        others = _counts(blocks(varied.beside, step, *offsets), 1.0)
        count = round(varied.share * len(squares))
        squares[:count] = others[:count]
    return squares.astype(np.uint8)


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
    return Varied(low, reference, beside=reference, share=share)


def _counts(image: NDArray[np.float32], gain: float) -> NDArray[np.float32]:
    """What an 8-bit camera would have recorded at another exposure."""
    counts = image * np.float32(FULL_SCALE * gain)
    return np.clip(np.rint(counts, out=counts), 0, FULL_SCALE, out=counts)
