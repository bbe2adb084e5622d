"""One listing of image files for all who take folders, patterns or names."""

from __future__ import annotations

import glob
import re
from pathlib import Path
from typing import Any

from .errors import FileError
from .files import SUFFIXES, is_zarr
from .names import suffix_of
from .reasons import reason


def natural(name: str) -> list[Any]:
    """Sort key that reads runs of digits as numbers: 2 before 10."""
    parts = (p for p in re.split(r"([0-9]+)", name) if p)
    return [(0, int(p), "") if p[0] in "0123456789" else (1, 0, p) for p in parts]


def list_images(folder: str | Path) -> list[Path]:
    """Image files of a folder in natural order, without hidden ones such as ``._a.png``.

    Raises
    ------
    FileError
        If there is no such folder, it cannot be looked into, or it holds no images.
    """
    folder = Path(folder)
    try:
        found = [file for file in folder.iterdir() if _is_image(file)]
    except FileNotFoundError:
        raise FileError(f"There is no folder {folder}.") from None
    except OSError as error:
        raise FileError(f"{folder} cannot be looked into: {reason(error)}.") from None
    if not found:
        raise FileError(f"{folder} holds no images ({', '.join(SUFFIXES)}).")
    return sorted(found, key=lambda file: natural(file.name))


def find_images(given: str | Path) -> list[Path]:
    """What an argument stands for: a file, the images of a folder, or of a pattern like ``*.tif``.

    Raises
    ------
    FileError
        If a folder holds no image, or a pattern fits none. That a file is there is not checked.
    """
    given = Path(given)
    try:
        if given.is_dir() and not is_zarr(given):
            return list_images(given)
        if given.exists() or not glob.has_magic(str(given)):
            return [given]
    except OSError as error:
        raise FileError(f"{given} cannot be looked at: {reason(error)}.") from None
    # What is there as it is written is no pattern, whatever brackets are in its name.
    known = next(folder for folder in given.parents if folder.exists())
    pattern = str(given.relative_to(known))
    if not glob.has_magic(pattern):
        return [given]
    names = glob.glob(pattern, root_dir=known, recursive=True)  # noqa: PTH207
    found = [file for file in (known / name for name in names) if _is_image(file)]
    if not found:
        raise FileError(f"No file matches {given}.")
    return sorted(found, key=lambda file: natural(str(file)))


def _is_image(file: Path) -> bool:
    """Whether a name that was found, not given, is to be taken: no folders, pipes or devices."""
    if file.name.startswith(".") or suffix_of(file) not in SUFFIXES:
        return False
    return is_zarr(file) or file.is_file() or file.is_symlink()
