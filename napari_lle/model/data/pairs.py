"""Training pairs: from folders or arrays, annotated or not, split by scene."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..io.files import read_image, stem_of
from ..io.listing import list_images, natural
from ..preprocessing.levels import blocks, find_levels, network_input, normalize
from ..preprocessing.noise import fit_noise
from ..preprocessing.screen import stretched
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
        """(10,), see `statistics.Statistics`; the noise is looked for in grey images."""
        if self.whole is not None:
            return self.whole.statistics
        known = image_statistics(blocks(self.low, 2))
        if known.colour == 0:
            noise = fit_noise(self.low[..., 0])
            shot, floor = noise.normalized(0, 1)
            known = known._replace(shot=shot, floor=floor, grain=noise.grain)
        return np.array(known, dtype=np.float32)

    @cached_property
    def digest(self) -> str:
        """First 16 hexadecimal digits of a hash of both images."""
        found = hashlib.blake2b(np.ascontiguousarray(self.low).data)
        if not self.alone:
            found.update(np.ascontiguousarray(self.reference).data)
        return found.hexdigest()[:16]


BRIGHTER = 2.5  # times the light of a dark image: a reference that is taken at another exposure
SMOOTHED = 8  # pixels along a side of the squares that light is measured in
ALIKE = 0.1  # of the span of levels: files whose levels differ less are frames of one series
MOST = 2**25  # pixels of noisy images that are held in memory
RANGE = "range"  # in the record of a TIFF: black and white level of the layer that it is part of


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
        raise ValueError(f"Training takes 2-D or RGB images, not an array of shape {pixels.shape}.")
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
    return _matched(name, as_photograph(low), as_photograph(reference))


def _matched(name: str, a: NDArray[np.float32], b: NDArray[np.float32]) -> Pair:
    if a.shape != b.shape:
        raise ValueError(
            f"{name}: the dark image is {a.shape[1]} x {a.shape[0]} pixels, its reference "
            f"{b.shape[1]} x {b.shape[0]}; crop or align them first."
        )
    return Pair(name, a, b)


def common_levels(
    name: str,
    low: ArrayLike,
    reference: ArrayLike,
    known: Sequence[float] | None = None,
    gain: bool = False,
) -> Pair:
    """Normalise two grey images by common levels, the dark one's, into a `Pair`.

    The reference is under the dark image's screen stretch, as R begins. With `gain` it is taken as
    it is: how much brighter it is, is to be learned. Otherwise it is a clearer image of the same
    exposure, and brought to the dark one's units by the straight line that fits best: many programs
    scale each image they write. `known` are the dark image's levels, found when not given.

    Raises
    ------
    ValueError
        If they differ in size or are in colour.
    """
    dark, bright = (np.asarray(a, dtype=np.float64) for a in (low, reference))
    black, white = known or (None, None)
    levels = find_levels(np.asarray(low), black=black, white=white)
    image = as_photograph(low, rgb=False, levels=known)
    if dark.shape == bright.shape and not gain:
        finite = np.isfinite(dark) & np.isfinite(bright)
        a, b = bright[finite], dark[finite]
        slope = float(np.mean((a - a.mean()) * (b - b.mean())) / max(float(a.var()), 1e-12))
        bright = b.mean() + slope * (bright - a.mean())
    pair = _matched(name, image, np.repeat(normalize(bright, levels)[..., None], 3, axis=-1))
    return replace(pair, reference=stretched(pair.reference, pair.statistics))


def _light(pixels: NDArray[Any]) -> float:
    """How much light there is, above the darkest, noise averaged away."""
    image = np.asarray(pixels, dtype=np.float64)
    if image.ndim != 2:  # which will be refused
        return 0.0
    height, width = (max(1, n // SMOOTHED) for n in image.shape)
    whole = image[: height * SMOOTHED, : width * SMOOTHED]
    if whole.size < height * width * SMOOTHED**2:  # smaller than one square
        whole = np.full((SMOOTHED, SMOOTHED), np.nanmean(image))
        height = width = 1
    means = np.nanmean(whole.reshape(height, SMOOTHED, width, SMOOTHED), axis=(1, 3))
    low, high = np.nanpercentile(means, [5, 95])
    return float(high - low)


def image_files(folder: str | Path) -> dict[str, Path]:
    """Image files of a folder by stem, in natural order (2 before 10).

    Raises
    ------
    ValueError
        If there is no such folder, it holds no images, or two share a stem.
    """
    found: dict[str, Path] = {}
    for file in list_images(folder):
        stem = stem_of(file)
        if stem in found:
            raise ValueError(f"{folder} holds two images named {stem}: keep one.")
        found[stem] = file
    return found


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


def left_out(*folders: str | Path) -> str:
    """What is not used because a folder lacks a file of its stem, as a sentence; "" if nothing.

    Masks, if they are the third folder, may be missing for some pairs, but not belong to none.
    """
    stems = [set(image_files(folder)) for folder in folders]
    paired, every = stems[0] & stems[1], stems[0] | stems[1]
    single = sorted(every - paired, key=natural)
    idle = sorted(set().union(*stems[2:]) - paired, key=natural)
    told = []
    if single:
        told.append(
            f"{len(single)} of {len(every)} names are left out, without a file in both folders: "
            f"{_few(single)}."
        )
    if idle:
        told.append(f"{len(idle)} annotations belong to no pair: {_few(idle)}.")
    return " ".join(told)


def _few(names: list[str], most: int = 5) -> str:
    """Names, the first of many."""
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(names[:most]) + more


def load_pairs(low: str | Path, reference: str | Path, common: bool = False) -> list[Pair]:
    """Read all pairs of two folders, matched by file stem, in natural order.

    Where `common` is set, pairs of grey images are normalised by `common_levels`; half of the
    references must be brighter by `BRIGHTER` for all to keep their gain, for one network learns
    one.
    """
    files = matched_files(low, reference)
    if not common or any(read_image(file).rgb for both in files.values() for file in both):
        return [
            _matched(stem, read_photograph(a), read_photograph(b)) for stem, (a, b) in files.items()
        ]
    grey, ratios = {}, []
    for stem, both in files.items():
        pictures = [read_image(file) for file in both]
        dark, bright = (np.squeeze(picture.pixels) for picture in pictures)
        grey[stem] = dark, bright, (pictures[0].record or {}).get(RANGE)
        ratios.append(_light(bright) / max(_light(dark), 1e-9))
    gain = bool(np.median(ratios) >= BRIGHTER)
    return [common_levels(stem, *parts, gain) for stem, parts in grey.items()]


def load_series(files: Sequence[Path]) -> list[Pair]:
    """Read noisy grey images and stacks, plane by plane, as images without references.

    Planes of a stack share its levels, and so do files of one size whose levels hardly differ. Of
    long series, planes are left out at its ends so that they fit into memory.

    Raises
    ------
    ValueError
        If a file cannot be read or is in colour.
    """
    found: list[tuple[str, NDArray[Any], tuple[float, float]]] = []
    for file in files:
        picture = read_image(file)
        pixels = np.asarray(picture.pixels)
        if picture.rgb:
            raise ValueError(f"{file} is in colour: give grey images, each channel by itself.")
        levels = (picture.record or {}).get(RANGE)
        if levels is None:
            own = find_levels(pixels)
            levels = own.black, own.white
        planes = pixels.reshape(-1, *pixels.shape[-2:])
        keep = max(1, MOST // max(1, len(files) * planes[0].size))
        start = max(0, (len(planes) - keep) // 2)
        for i in range(start, min(len(planes), start + keep)):
            name = stem_of(file) if len(planes) == 1 else f"{stem_of(file)}-{i:03}"
            found.append((name, planes[i], levels))
    ranges = np.array([levels for *_, levels in found])
    middle = np.median(ranges, axis=0)
    alike = np.abs(ranges - middle).max() <= ALIKE * (middle[1] - middle[0])
    if alike and len({plane.shape for _, plane, _ in found}) == 1:
        found = [(name, plane, (middle[0], middle[1])) for name, plane, _ in found]
    images = ((name, as_photograph(plane, False, levels)) for name, plane, levels in found)
    return [Pair(name, image, image) for name, image in images]


def load_masks(folder: str | Path, pairs: Sequence[Pair]) -> tuple[list[Pair], list[Pair]]:
    """Read annotations of pairs, matched by stem, and part what to train on from what to judge by.

    Returns
    -------
    (training, held_out) : two lists of Pair
        See `annotated`; a pair without an annotation is trained on as it is.

    Raises
    ------
    ValueError
        If an annotation does not fit its pair, or none fits any.
    """
    files = image_files(folder)
    if not set(files) & {pair.name for pair in pairs}:
        raise ValueError(f"No file of {folder} has the stem of a pair.")
    training: list[Pair] = []
    held_out: list[Pair] = []
    for pair in pairs:
        if pair.name not in files:
            training.append(pair)
            continue
        for kept, part in zip((training, held_out), annotated(pair, files[pair.name]), strict=True):
            kept += [part] if part else []
    return training, held_out


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


def load_images(folder: str | Path) -> list[Pair]:
    """Read all images of a folder, in natural order, as pairs without references."""
    found = {stem: read_photograph(f) for stem, f in image_files(folder).items()}
    return [Pair(stem, image, image) for stem, image in found.items()]


def read_photograph(file: Path) -> NDArray[np.float32]:
    """`as_photograph` of a file, by the levels that it carries or its own."""
    picture = read_image(file)
    return as_photograph(picture.pixels, picture.rgb, levels=(picture.record or {}).get(RANGE))


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
