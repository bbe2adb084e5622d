"""Many files, one command: which they are, where each goes, and the work on all of them."""

from __future__ import annotations

import os
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping
from contextlib import closing, contextmanager, suppress
from itertools import groupby
from pathlib import Path
from typing import NamedTuple

import typer

from .console import complain, end_drains, reported, say, shared_bars

SMALL = 2**23  # bytes of a file


class FoundSources(NamedTuple):
    """What arguments stand for, and a sentence for each of those that stand for nothing."""

    sources: list[Path]
    complaints: list[str]


def find_sources(inputs: list[Path]) -> FoundSources:
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
    return FoundSources(list(sources), complaints)


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

    if not output.strip():
        raise ValueError("The output has no name: give -o a file, or a folder ending in /.")
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
        raise ValueError("Two inputs have the same name: give them one at a time.")
    return Targets(targets, path)


class BatchPlan(NamedTuple):
    """Sources with their targets, a folder to be made for them, and what is wrong beside them."""

    pairs: list[tuple[Path, Path]]
    folder: Path | None
    complaints: list[str]


def plan_batch(
    inputs: list[Path], output: str, besides: Mapping[str, Path], model: str
) -> BatchPlan:
    """Find what goes where, before anything is read or written.

    Parameters
    ----------
    inputs : list of Path
        Files, folders or patterns.
    output : str
        A file or a folder.
    besides : mapping of str to Path
        Files for one image that are written beside its output, by the names of their options.
    model : str
        Which must not be written over if it is a file.

    Raises
    ------
    ValueError
        If outputs cannot be written, or would replace each other or what is read.
    """
    from ..model.io.files import is_zarr
    from ..model.io.outputs import check_outputs
    from ..model.network.bundled import own_file

    sources, complaints = find_sources(inputs)
    one = len(inputs) == 1 and sources == inputs
    targets = find_targets(sources, output, one=one)
    for name, path in besides.items():
        if path.is_dir() and not is_zarr(path):
            raise ValueError(f"--{name} {path} is a folder: name a file in it.")
    if besides and not one:
        raise ValueError(f"--{next(iter(besides))} is one file: give one input at a time.")
    check_outputs([*targets.paths, *besides.values()], [*sources, *own_file(model)])
    return BatchPlan(list(zip(sources, targets.paths, strict=True)), targets.folder, complaints)


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
    work: Callable[[Path, Path], str | None],
    complaints: Iterable[str] = (),
    *,
    together: bool = False,
) -> None:
    """Do the work on each source and target, a line each; exit with 2 where any failed.

    Parameters
    ----------
    pairs : list of (source, target)
    work : callable
        What it returns is added to the line.
    complaints : iterable of str
        Sentences on arguments that were no files: said first, and counted.
    together : bool
        Work on several small files at once.
    """
    failed = 0
    for sentence in complaints:
        complain(sentence)
        failed += 1
    total, done = failed + len(pairs), 0

    def attempt(pair: tuple[Path, Path]) -> str | None:
        source, target = pair
        try:
            with reported(str(source) if total > 1 else ""):
                note = work(source, target)
        except typer.Exit:
            return None
        return f"{source} -> {target}" + (f": {note}" if note else "")

    try:
        attempts = _attempts(attempt, pairs, together)
        # Closed at once: an interrupt may come between two lines, while others are at work.
        with shared_bars(len(pairs)) as advance, closing(attempts):
            for line in attempts:
                advance()
                if line is None:
                    failed += 1
                else:
                    done += 1
                    say(line)
    finally:
        if total > 1:
            say(f"{done} of {total} files done")
    if failed:
        raise typer.Exit(2)


def _attempts(
    attempt: Callable[[tuple[Path, Path]], str | None],
    pairs: list[tuple[Path, Path]],
    together: bool,
) -> Generator[str | None, None, None]:
    """The outcome of each attempt, in order: small files several at once, large ones by one."""
    if not together or len(pairs) < 2:
        yield from map(attempt, pairs)
        return
    from ..model.io.atomic import umask
    from ..model.runtime.threads import in_order

    umask()  # asked for once, while there is one thread
    for small, group in groupby(pairs, key=lambda pair: _is_small(pair[0])):
        run = list(group)
        yield from in_order(attempt, run, end_drains) if small else map(attempt, run)


def _is_small(file: Path) -> bool:
    """Whether several such files fit into memory at once."""
    try:
        return file.is_file() and file.stat().st_size < SMALL
    except OSError:
        return True  # which will be told
