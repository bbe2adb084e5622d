"""Training pairs: from arrays, annotated or not, split by scene."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..io.files import read_image
from ..preprocessing.levels import blocks, find_levels, network_input, normalize
from ..preprocessing.noise import fit_noise
from ..preprocessing.softness import softness
from ..preprocessing.statistics import image_statistics


@dataclass(frozen=True)
class Pair:
    """A dark image and its well-exposed reference, both (H, W, 3) float32 in 0..1.

    The statistics are the whole dark image's: crops of it do not know them. An image without a
    reference stands in its place; where a reference is NaN, nothing is learned. Where a pair was
    made from a part of a `whole` image, the statistics are that one's.
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
    def known(self) -> NDArray[np.intp]:
        """Rows and columns of the pixels whose reference is known, (N, 2)."""
        return np.argwhere(~np.isnan(self.reference[..., 0]))

    @cached_property
    def partial(self) -> bool:
        """Whether the reference is known in part only."""
        return bool(np.isnan(self.reference).any())

    @cached_property
    def statistics(self) -> NDArray[np.float32]:
        """(12,), see `statistics.Statistics`; the noise is looked for in grey images."""
        if self.whole is not None:
            return self.whole.statistics
        known = image_statistics(blocks(self.low, 2))
        if known.colour == 0:
            noise = fit_noise(self.low[..., 0])
            shot, floor = noise.normalized(0, 1)
            soft = softness(self.low[..., 0], noise)
            known = known._replace(shot=shot, floor=floor, grain=noise.grain, soft=soft)
        return np.array(known, dtype=np.float32)

    @cached_property
    def digest(self) -> str:
        """First 16 hexadecimal digits of a hash of both images."""
        found = hashlib.blake2b(np.ascontiguousarray(self.low).data)
        if not self.alone:
            found.update(np.ascontiguousarray(self.reference).data)
        return found.hexdigest()[:16]


def as_photograph(
    image: ArrayLike, rgb: bool | None = None, levels: Sequence[float] | None = None
) -> NDArray[np.float32]:
    """Normalise a 2-D or RGB(A) image to (H, W, 3) in 0..1; greys are repeated, alpha is left out.

    `levels` are black and white; the image's own when not given.

    Raises
    ------
    ValueError
        If it is neither.
    """
    pixels: NDArray[Any] = np.asarray(image)
    rgb = pixels.ndim == 3 if rgb is None else rgb
    if pixels.ndim != 2 + rgb or (rgb and pixels.shape[-1] not in (3, 4)):
        raise ValueError(f"An image of shape {pixels.shape} is neither 2-D nor in colours.")
    black, white = levels or (None, None)
    x = network_input(normalize(pixels, find_levels(pixels, rgb=rgb, black=black, white=white)))
    return x[..., :3] if rgb else np.repeat(x[..., None], 3, axis=-1)


def make_pair(name: str, low: ArrayLike, reference: ArrayLike) -> Pair:
    """Normalise two arrays of equal height and width into a `Pair`.

    Raises
    ------
    ValueError
        If they differ in size.
    """
    return matched(name, as_photograph(low), as_photograph(reference))


def matched(name: str, a: NDArray[np.float32], b: NDArray[np.float32]) -> Pair:
    """A `Pair` of two normalised images, or ValueError where they differ in size."""
    if a.shape != b.shape:
        raise ValueError(
            f"{name}: the dark image is {a.shape[1]} x {a.shape[0]} pixels, its reference "
            f"{b.shape[1]} x {b.shape[0]}; crop or align them first."
        )
    return Pair(name, a, b)


def annotated(pair: Pair, mask: str | Path | ArrayLike) -> tuple[Pair | None, Pair | None]:
    """Part a pair by an annotation: the part to train on, and the part to judge by.

    Parameters
    ----------
    pair : Pair
    mask : path or array_like, (H, W)
        0 ignore, 1 train, 2 validate. The reference is NaN elsewhere.

    Raises
    ------
    ValueError
        If the mask has another size or other values, or the pair has no reference.
    """
    values = read_image(mask).pixels if isinstance(mask, str | Path) else np.asarray(mask)
    if pair.alone or values.shape != pair.low.shape[:2] or not np.isin(values, (0, 1, 2)).all():
        raise ValueError(
            f"The annotation of {pair.name} must be of its size, with 0 to ignore, 1 to train and "
            "2 to validate, and the pair have a reference."
        )
    parts = []
    for value in (1, 2):
        known = np.where((values == value)[..., None], pair.reference, np.float32(np.nan))
        found = (values == value).any()
        parts.append(Pair(pair.name, pair.low, known, pair.whole or pair) if found else None)
    return parts[0], parts[1]


def make_alone(name: str, low: ArrayLike) -> Pair:
    """Normalise an array that has no reference."""
    image = as_photograph(low)
    return Pair(name, image, image)


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
        raise ValueError("A split needs two images or more: one to train on, one to validate on.")
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
