"""Training images read from files: pairs, noisy series, dark images alone, annotations."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..io.files import read_image, stem_of
from ..preprocessing.levels import find_levels
from .common_levels import common_levels, gains_light
from .folders import image_files, matched_files
from .pairs import Pair, annotated, as_photograph, matched

ALIKE = 0.1  # of the span of levels: files whose levels differ less are frames of one series
MOST_PIXELS = 2**25  # pixels of noisy images that are held in memory
# In the record of a TIFF: black and white level of the layer that it is part of.
LEVEL_RANGE = "range"
PLANE_NAME = re.compile(r"(-\d{3})+$")  # what the name of a plane adds to that of its stack


class Plane(NamedTuple):
    """One plane of a file, under the levels of all of them."""

    name: str
    pixels: NDArray[Any]
    rgb: bool
    levels: tuple[float, float]

    def photograph(self) -> NDArray[np.float32]:
        """See `as_photograph`."""
        return as_photograph(self.pixels, self.rgb, self.levels)


def read_planes(file: Path) -> list[Plane]:
    """The planes of an image or a stack, by the levels that the file carries or its own."""
    picture = read_image(file)
    pixels, rgb = np.asarray(picture.pixels), picture.rgb
    levels = (picture.record or {}).get(LEVEL_RANGE)
    if levels is None:
        try:
            own = find_levels(pixels, rgb=rgb)
        except (TypeError, ValueError) as error:
            raise ValueError(f"{file}: {error}") from None
        levels = own.black, own.white
    names = plane_names(stem_of(file), pixels.shape[: -3 if rgb else -2])
    return [Plane(name, pixels[index], rgb, levels) for name, index in names]


def plane_names(name: str, lead: tuple[int, ...]) -> list[tuple[str, tuple[int, ...]]]:
    """Names and indices of planes; one alone keeps the name of its image."""
    indices = list(np.ndindex(lead))
    if len(indices) == 1:
        return [(name, indices[0])]
    return [("-".join([name, *(f"{i:03}" for i in index)]), index) for index in indices]


def load_pairs(
    low: str | Path, reference: str | Path, common: bool = False, without: Collection[str] = ()
) -> list[Pair]:
    """Read all pairs of two folders, matched by file stem, in natural order, plane by plane.

    Parameters
    ----------
    low, reference : path
    common : bool
        Pairs of grey images are normalised by `common_levels`.
    without : collection of str
        Stems to leave out.

    Raises
    ------
    ValueError
        If a file cannot be read, or a dark image and its reference differ in size.
    """
    found: list[tuple[Plane, Plane]] = []
    for stem, both in matched_files(low, reference).items():
        if stem not in without:
            dark, bright = map(read_planes, both)
            if len(dark) != len(bright):
                raise ValueError(
                    f"{stem}: the dark image has {len(dark)} planes, its reference {len(bright)}; "
                    "give stacks of one length."
                )
            found += zip(dark, bright, strict=True)
    if not common or any(plane.rgb for both in found for plane in both):
        return [matched(a.name, a.photograph(), b.photograph()) for a, b in found]
    gain = gains_light([(a.pixels, b.pixels) for a, b in found])
    return [common_levels(a.name, a.pixels, b.pixels, a.levels, gain) for a, b in found]


def load_series(files: Sequence[Path]) -> list[Pair]:
    """Read noisy grey images and stacks, plane by plane, as images without references.

    Planes of a stack share its levels, and so do files of one size whose levels hardly differ. Of
    long series, planes are left out at its ends so that they fit into memory.

    Raises
    ------
    ValueError
        If a file cannot be read or is in colour.
    """
    found: list[Plane] = []
    for file in files:
        planes = read_planes(file)
        if planes[0].rgb:
            raise ValueError(f"{file} is in colour: give grey images, each channel by itself.")
        keep = max(1, MOST_PIXELS // max(1, len(files) * planes[0].pixels.size))
        start = max(0, (len(planes) - keep) // 2)
        found += planes[start : start + keep]
    ranges = np.array([plane.levels for plane in found])
    middle = np.median(ranges, axis=0)
    alike = np.abs(ranges - middle).max() <= ALIKE * (middle[1] - middle[0])
    if alike and len({plane.pixels.shape for plane in found}) == 1:
        found = [plane._replace(levels=(middle[0], middle[1])) for plane in found]
    images = ((plane.name, plane.photograph()) for plane in found)
    return [Pair(name, image, image) for name, image in images]


def load_images(folder: str | Path) -> list[Pair]:
    """Read all images of a folder, in natural order, plane by plane, without references."""
    planes = [plane for file in image_files(folder).values() for plane in read_planes(file)]
    images = ((plane.name, plane.photograph()) for plane in planes)
    return [Pair(name, image, image) for name, image in images]


def load_masks(folder: str | Path, pairs: Sequence[Pair]) -> tuple[list[Pair], list[Pair]]:
    """Read annotations of pairs, matched by stem, and part what to train on from what to judge by.

    The annotation of a stack is for all its planes that have none of their own.

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
    stems = {pair.name: pair.name for pair in pairs}
    stems = {name: name if name in files else PLANE_NAME.sub("", name) for name in stems}
    if not set(files) & set(stems.values()):
        raise ValueError(f"No file in {folder} has the name of a pair.")
    training: list[Pair] = []
    held_out: list[Pair] = []
    for pair in pairs:
        stem = stems[pair.name]
        if stem not in files:
            training.append(pair)
            continue
        for kept, part in zip((training, held_out), annotated(pair, files[stem]), strict=True):
            kept += [part] if part else []
    return training, held_out
