"""Folders of training images: which files belong together, and what of them is not used."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from ..io.files import count_images, stem_of
from ..io.listing import list_images, natural


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
        raise ValueError(f"No file in {low} has the name of one in {reference}.")
    return both


def left_out(*folders: str | Path) -> str:
    """What of two folders of pairs is not used, in sentences; "" if all is.

    That is what lacks a file of its stem, and the images of a file after its first. Masks, if they
    are the third folder, may be missing for some pairs, but not belong to none.
    """
    files = [image_files(folder) for folder in folders]
    paired, every = files[0].keys() & files[1].keys(), files[0].keys() | files[1].keys()
    single = sorted(every - paired, key=natural)
    idle = sorted(set().union(*files[2:]) - paired, key=natural)
    told = []
    if single:
        told.append(
            f"{len(single)} of {len(every)} names are left out, without a file in both folders: "
            f"{few(single)}."
        )
    if idle:
        told.append(f"{len(idle)} annotations belong to no pair: {few(idle)}.")
    used = [folder[stem] for stem in sorted(paired, key=natural) for folder in files[:2]]
    return " ".join([*told, *only_first(used)])


def only_first(files: Iterable[Path]) -> list[str]:
    """A sentence on files that hold several images, of which the first is read; none if none do."""
    counts = {file: count_images(file) for file in files}
    several = [f"{file.name} (1 of {count})" for file, count in counts.items() if count > 1]
    files_hold = "1 file holds" if len(several) == 1 else f"{len(several)} files hold"
    told = f"{files_hold} several images, of which the first is read: {few(several)}."
    return [told] if several else []


def few(names: list[str], most: int = 5, between: str = ", ") -> str:
    """Names, the first of many."""
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return between.join(names[:most]) + more
