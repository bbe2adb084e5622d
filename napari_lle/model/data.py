"""Training pairs: from folders or arrays, split by scene, cut into augmented crops."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .files import SUFFIXES, read_image
from .normalization import blocks, find_levels, network_input, normalize
from .statistics import image_statistics
from .tiling import reflect


@dataclass(frozen=True)
class Pair:
    """A dark image and its well-exposed reference, both (H, W, 3) float32 in 0..1.

    The statistics are the whole dark image's: crops of it do not know them. An image without a
    reference stands in its place. Where a pair was made from a part of a `whole` image, the
    statistics are that one's.
    """

    name: str
    low: NDArray[np.float32]
    reference: NDArray[np.float32]
    whole: Pair | None = None

    @property
    def alone(self) -> bool:
        """Whether there is no reference."""
        return self.reference is self.low

    @cached_property
    def statistics(self) -> NDArray[np.float32]:
        """(7,), see `statistics.Statistics`."""
        if self.whole is not None:
            return self.whole.statistics
        return np.array(image_statistics(blocks(self.low, 2)), dtype=np.float32)


def as_photograph(image: ArrayLike, rgb: bool | None = None) -> NDArray[np.float32]:
    """Normalise a 2-D or RGB(A) image to (H, W, 3) in 0..1; greys are repeated, alpha is left out.

    Raises
    ------
    ValueError
        If it is neither.
    """
    pixels: NDArray[Any] = np.asarray(image)
    rgb = pixels.ndim == 3 if rgb is None else rgb
    if pixels.ndim != 2 + rgb or (rgb and pixels.shape[-1] not in (3, 4)):
        raise ValueError(f"Training takes 2-D or RGB images, not an array of shape {pixels.shape}.")
    x = network_input(normalize(pixels, find_levels(pixels, rgb=rgb)))
    return x[..., :3] if rgb else np.repeat(x[..., None], 3, axis=-1)


def make_pair(name: str, low: ArrayLike, reference: ArrayLike) -> Pair:
    """Normalise two arrays of equal height and width into a `Pair`.

    Raises
    ------
    ValueError
        If they differ in size.
    """
    a, b = as_photograph(low), as_photograph(reference)
    if a.shape != b.shape:
        raise ValueError(
            f"{name}: the dark image is {a.shape[1]} x {a.shape[0]} pixels, its reference "
            f"{b.shape[1]} x {b.shape[0]}; crop or align them first."
        )
    return Pair(name, a, b)


def image_files(folder: str | Path) -> dict[str, Path]:
    """Image files of a folder by stem, in natural order (2 before 10).

    Raises
    ------
    ValueError
        If there is no such folder, it holds no images, or two share a stem.
    """
    folder = Path(folder)
    if not folder.is_dir():
        raise ValueError(f"There is no folder {folder}.")
    files = [f for f in folder.iterdir() if f.suffix.lower() in SUFFIXES]
    if not files:
        raise ValueError(f"{folder} holds no images ({', '.join(SUFFIXES)}).")
    found: dict[str, Path] = {}
    for file in sorted(files, key=lambda f: natural(f.name)):
        if file.stem in found:
            raise ValueError(f"{folder} holds two images named {file.stem}: keep one.")
        found[file.stem] = file
    return found


def natural(name: str) -> list[Any]:
    """Sort key that reads runs of digits as numbers."""
    return [(0, int(p), "") if p.isdigit() else (1, 0, p) for p in re.split(r"(\d+)", name) if p]


def matched_files(low: str | Path, reference: str | Path) -> dict[str, tuple[Path, Path]]:
    """Files of two folders that share a stem.

    Raises
    ------
    ValueError
        If none match.
    """
    dark, bright = image_files(low), image_files(reference)
    both = {stem: (dark[stem], bright[stem]) for stem in dark if stem in bright}
    if not both:
        raise ValueError(f"No file of {low} has the stem of one in {reference}.")
    return both


def load_pairs(low: str | Path, reference: str | Path) -> list[Pair]:
    """Read all pairs of two folders, matched by file stem, in natural order."""
    return [
        make_pair(stem, read_image(a).pixels, read_image(b).pixels)
        for stem, (a, b) in matched_files(low, reference).items()
    ]


def make_alone(name: str, low: ArrayLike) -> Pair:
    """Normalise an array that has no reference."""
    image = as_photograph(low)
    return Pair(name, image, image)


def load_images(folder: str | Path) -> list[Pair]:
    """Read all images of a folder, in natural order, as pairs without references."""
    return [make_alone(stem, read_image(f).pixels) for stem, f in image_files(folder).items()]


def split_by_scene(
    pairs: Sequence[Pair], share: float = 0.2, blocks: int = 4
) -> tuple[list[Pair], list[Pair]]:
    """Hold out runs of neighbours, because consecutive frames tend to show one scene.

    Parameters
    ----------
    pairs : sequence of Pair
        In shooting order, at least two.
    share : float
        Share of pairs to hold out.
    blocks : int
        Number of runs, spread evenly over the sequence.

    Returns
    -------
    (training, held_out) : two lists, neither empty

    Raises
    ------
    ValueError
        If there are fewer than two pairs.
    """
    n = len(pairs)
    if n < 2:
        raise ValueError("A split needs two pairs or more: one to train on, one to judge by.")
    held = min(max(1, round(share * n)), n - 1)
    blocks = min(blocks, held)
    chosen: set[int] = set()
    for b in range(blocks):
        length = held // blocks + (b < held % blocks)
        middle = round((b + 0.5) * n / blocks)
        start = min(max(middle - length // 2, 0), n - length)
        chosen.update(range(start, start + length))
    training = [p for i, p in enumerate(pairs) if i not in chosen]
    return training, [p for i, p in enumerate(pairs) if i in chosen]


class Batch(NamedTuple):
    """Crops for one step: dark ones with their halo, references, statistics of whole images.

    Shapes (N, 3, H + 2 halo, W + 2 halo), (N, 3, H, W) and (N, 7).
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
    """

    exposure: float = 0.15
    lit: float = 0.15


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
    """The middle of a pair, `size` pixels a side or what there is, as a batch of one."""
    spans = []
    for length in pair.low.shape[:2]:
        start = max(0, (length - size) // 2)
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
    top, left = int(rng.integers(height - side + 1)), int(rng.integers(width - side + 1))
    turns, mirrored = int(rng.integers(4)), bool(rng.integers(2))

    def turned(crop: NDArray[np.float32]) -> NDArray[np.float32]:
        crop = np.rot90(crop, turns)
        return (crop[:, ::-1] if mirrored else crop).transpose(2, 0, 1)

    rows = reflect(top - halo, top + side + halo, height)
    columns = reflect(left - halo, left + side + halo, width)
    source, gain = _vary(pair, rng, augmentation) if augmentation else (pair.low, 1.0)
    crop = source[rows[:, None], columns]
    statistics = pair.statistics
    if source is not pair.low or gain != 1:
        crop = _exposed(crop, gain)
        thinned = _exposed(blocks(source, THINNED, *rng.integers(THINNED, size=2)), gain)
        statistics = np.array(image_statistics(thinned), dtype=np.float32)
    reference = pair.reference[top : top + side, left : left + side]
    return turned(crop), turned(reference), statistics


def _vary(
    pair: Pair, rng: np.random.Generator, augmentation: Augmentation
) -> tuple[NDArray[np.float32], float]:
    chance = rng.random()
    if chance < augmentation.exposure:
        return pair.low, 2.0 ** rng.uniform(-1.5, 1.5)
    if chance < augmentation.exposure + augmentation.lit:
        return pair.reference, 2.0 ** -rng.uniform(0, 5) if rng.random() < 0.5 else 1.0
    return pair.low, 1.0


def _exposed(image: NDArray[np.float32], gain: float) -> NDArray[np.float32]:
    """As an 8-bit camera would have recorded it at another exposure."""
    return np.clip(np.rint(image * np.float32(255 * gain)), 0, 255) / np.float32(255)
