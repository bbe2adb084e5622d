"""Whether what is to be written would touch what is read: told by what files are, not by names."""

from __future__ import annotations

import os
import unicodedata
from collections.abc import Iterable, Iterator
from functools import lru_cache
from pathlib import Path
from typing import Any

from .files import FileError

Key = tuple[Any, ...]


def check_outputs(outputs: Iterable[str | Path], inputs: Iterable[str | Path] = ()) -> None:
    """Raise FileError unless all outputs are files of their own.

    Parameters
    ----------
    outputs : iterable of path
        What is going to be written; it need not exist yet.
    inputs : iterable of path
        What is going to be read.

    Raises
    ------
    FileError
        If an output is an input or another output, by whatever name, link or spelling; lies inside
        an input, such as a Zarr; or would replace the folder that an input lies in.
    """
    identity = _Identity()
    read = {identity.of(path): Path(path) for path in inputs}
    written: dict[Key, Path] = {}
    for path in map(Path, outputs):
        key = identity.of(path)
        if key in read:
            raise FileError(_is_input(path, read[key]))
        if key in written:
            raise FileError(_is_output(path, written[key]))
        written[key] = path
    for path in written.values():
        for above in identity.above(path):
            if above in read:
                raise FileError(f"{path} lies inside the input {read[above]}: write elsewhere.")
            if above in written:
                raise FileError(f"{path} lies inside the output {written[above]}: choose another.")
    for path in read.values():
        for above in identity.above(path):
            if above in written:
                raise FileError(
                    f"{written[above]} would replace the folder of the input {path}: "
                    "choose another output."
                )


def check_files(outputs: Iterable[Path | None], inputs: Iterable[Path] = ()) -> None:
    """`check_outputs` for files that only appear at the end of long work: can they be made?

    Raises
    ------
    FileError
        As `check_outputs`; or if an output is a folder, or its folder takes no files.
    """
    given = [path for path in outputs if path is not None]
    for path in given:
        if path.is_dir():
            raise FileError(f"{path} is a folder: name a file in it.")
        if not path.parent.is_dir():
            raise FileError(f"There is no folder {path.parent} to write {path.name} to.")
        if not os.access(path.parent, os.W_OK):
            raise FileError(f"{path.parent} takes no files: choose another folder.")
    check_outputs(given, inputs)


def _is_input(path: Path, source: Path) -> str:
    if str(path) == str(source):
        return f"{path} is the input itself: choose another output."
    return f"{path} is the input {source} itself, by another name: choose another output."


def _is_output(path: Path, other: Path) -> str:
    if str(path) == str(other):
        return f"Two outputs would be one file, {path}: give each a name of its own."
    return f"{path} and {other} would be one file: give each output a name of its own."


class _Identity:
    """Keys of files that are equal where the files are one; each folder is looked at once."""

    def __init__(self) -> None:
        self._folder = lru_cache(maxsize=None)(self._look)
        self._folds = lru_cache(maxsize=None)(folds_case)

    def of(self, path: str | Path) -> Key:
        """Key of a file or folder, or of the name that it would have."""
        found = _file_number(str(path))
        if found is not None:
            return found
        # Through a link that leads nowhere yet: there it would be made.
        folder, name = os.path.split(os.path.realpath(path))
        return self._named(folder, name)

    def above(self, path: Path) -> Iterator[Key]:
        """Keys of the folders around a file, from its own to the root."""
        folder = os.path.dirname(os.path.realpath(path))  # noqa: PTH120
        while True:
            yield self._folder(folder)
            outer = os.path.dirname(folder)  # noqa: PTH120
            if outer == folder:
                return
            folder = outer

    def _look(self, folder: str) -> Key:
        found = _file_number(folder)
        if found is not None:
            return found
        outer, name = os.path.split(folder)
        return (folder,) if outer == folder else self._named(outer, name)

    def _named(self, folder: str, name: str) -> Key:
        if self._folds(folder):
            name = unicodedata.normalize("NFC", name.casefold())
        return (*self._folder(folder), name)


def _file_number(path: str) -> Key | None:
    """Device and number of what exists; hard links share them."""
    try:
        status = os.stat(path)  # noqa: PTH116
    except (OSError, ValueError):
        return None
    # Some network drives number nothing: there a name has to do.
    return (status.st_dev, status.st_ino) if status.st_ino else (os.path.realpath(path),)


def folds_case(folder: str) -> bool:
    """Whether a folder takes A and a for one name, as those of Windows, macOS and most shares do.

    Told by a name that is there: one in it, or else its own.
    """
    try:
        with os.scandir(folder) as entries:
            for entry in entries:
                if entry.name.swapcase() != entry.name:
                    return _same_file(entry.path, os.path.join(folder, entry.name.swapcase()))  # noqa: PTH118
    except OSError:
        pass
    outer, name = os.path.split(folder)
    if outer == folder:
        return os.name == "nt"
    if name.swapcase() == name:
        return folds_case(outer)
    return _same_file(folder, os.path.join(outer, name.swapcase()))  # noqa: PTH118


def _same_file(path: str, other: str) -> bool:
    return _file_number(other) is not None and _file_number(path) == _file_number(other)
