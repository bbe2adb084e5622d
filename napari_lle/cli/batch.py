"""Many files, one command: which they are, where each goes, and the work on all of them."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import NamedTuple

import typer

from .console import complain, reported, say


class Found(NamedTuple):
    """What arguments stand for, and a sentence for each of those that stand for nothing."""

    sources: list[Path]
    complaints: list[str]


def find_sources(inputs: list[Path]) -> Found:
    """Files for arguments, which are files, folders or patterns; each file once.

    Raises
    ------
    ValueError
        If the only argument stands for nothing.
    """
    from ..model.io.listing import find_images

    sources: dict[Path, None] = {}
    complaints = []
    for given in inputs:
        try:
            sources |= dict.fromkeys(find_images(given))
        except ValueError as error:
            if len(inputs) == 1:
                raise
            complaints.append(str(error))
    return Found(list(sources), complaints)


class Targets(NamedTuple):
    """A path for each source, and the folder that they go to where one was named."""

    paths: list[Path]
    folder: Path | None


def find_targets(sources: list[Path], output: str, *, one: bool) -> Targets:
    """One output for each source: `output` itself, or files of the same names in that folder.

    Parameters
    ----------
    sources : list of Path
    output : str
        With a slash at its end it is a folder, which need not exist.
    one : bool
        The user named one file, not a folder or a pattern.

    Raises
    ------
    ValueError
        If several files would go to one.
    """
    from ..model.io.files import SUFFIXES, is_zarr
    from ..model.io.names import result_name, suffix_of

    path = Path(output)
    slash = output.endswith(("/", os.sep))
    if one and not ((slash or path.is_dir()) and not is_zarr(path)):
        return Targets([path], None)
    if not path.is_dir() and suffix_of(path) in SUFFIXES and not slash:
        raise ValueError(f"{path} is not a folder: several inputs need one.")
    if path.exists() and (not path.is_dir() or is_zarr(path)):
        raise ValueError(f"{path} is not a folder of images: choose another.")
    targets = [path / result_name(source) for source in sources]
    if len(set(targets)) < len(targets):
        raise ValueError("Two inputs have one name: give them one at a time.")
    return Targets(targets, path)


@contextmanager
def made(folder: Path | None) -> Iterator[None]:
    """Make a folder where there is none; take it away again if nothing has come into it."""
    if folder is None:
        yield
        return
    missing = [each for each in (folder, *folder.parents) if not each.exists()]
    try:
        folder.mkdir(parents=True, exist_ok=True)
        yield
    finally:
        with suppress(OSError):  # not empty: all is well
            for each in missing:
                each.rmdir()


def run_all(
    pairs: list[tuple[Path, Path]],
    work: Callable[[Path, Path], None],
    complaints: Iterable[str] = (),
) -> None:
    """Do the work on each source and target, a line each; exit with 2 where any failed.

    `complaints` are sentences on arguments that were no files: said first, and counted.
    """
    failed = 0
    for sentence in complaints:
        complain(sentence)
        failed += 1
    total, done = failed + len(pairs), 0
    try:
        for source, target in pairs:
            try:
                with reported(str(source) if total > 1 else ""):
                    work(source, target)
            except typer.Exit:
                failed += 1
            else:
                done += 1
                say(f"{source} -> {target}")
    finally:
        if total > 1:
            say(f"{done} of {total} files done")
    if failed:
        raise typer.Exit(2)
