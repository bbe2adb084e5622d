"""What a file's name says of its format."""

from __future__ import annotations

from pathlib import Path

PACKED = (".gz", ".fz")  # behind the suffix of what they hold
ZARR = ".zarr"


def suffix_of(path: Path) -> str:
    """The suffix that tells the format, in small letters, such as ``.tif`` or ``.fits.gz``.

    What lies inside a Zarr is one: ``plate.zarr/A/1/0``.
    """
    suffixes = [suffix.lower() for suffix in path.suffixes]
    if suffixes[-1:] and suffixes[-1] in PACKED:
        return "".join(suffixes[-2:])
    if inside_zarr(path) and not path.is_file():
        return ZARR
    return suffixes[-1] if suffixes else ""


def stem_of(path: Path) -> str:
    """The name without the suffix that tells the format."""
    suffix = "" if inside_zarr(path) else suffix_of(path)
    return path.name[: len(path.name) - len(suffix)]


def result_name(path: Path) -> str:
    """The name of what is made of a file: its own, or one that tells the place inside a Zarr."""
    if not inside_zarr(path) or path.is_file():
        return path.name
    parts = path.parts
    root = next(i for i, part in enumerate(parts) if part.lower().endswith(ZARR))
    return "_".join((parts[root][: -len(ZARR)], *parts[root + 1 :])) + ZARR


def inside_zarr(path: Path) -> bool:
    """Whether a path leads into a Zarr."""
    # The first half is quick, and asked for every file.
    return ZARR in str(path.parent).lower() and any(
        parent.suffix.lower() == ZARR for parent in path.parents
    )
