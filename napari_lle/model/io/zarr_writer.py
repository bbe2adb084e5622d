"""Zarr written block by block under a temporary name, so that a killed run can be taken up again.

A journal beside the chunks lists the blocks that are done. Zarr itself renames every chunk into
place, and blocks cover whole chunks, so that none is ever half-written.
"""

from __future__ import annotations

import json
import os
import shutil
import time
from collections.abc import Callable, Generator, Iterator
from contextlib import suppress
from functools import partial
from itertools import groupby
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..progress import Progress, finish
from .atomic import unwritten
from .digests import digest_steps
from .errors import FileError
from .labelling import step_of, with_name
from .locking import sole_writer
from .metadata import FileRecord, Output
from .provenance import Activity
from .zarr_labels import copy_labels
from .zarr_layout import CHUNK_SIDE, Level, StoredPlanes, create, open_levels, tell_origin

BLOCK = 4 * CHUNK_SIDE
JOURNAL = "journal.txt"
ATTEMPTS, ATTEMPT_PAUSE = 20, 0.05  # seconds


class Target(NamedTuple):
    """A Zarr to be: its path, array and what is told of it; see `files.write_image`."""

    path: Path
    shape: tuple[int, ...]
    dtype: np.dtype[Any]
    rgb: bool
    record: dict[str, Any] | None
    about: FileRecord | None
    step: Activity | None = None

    @property
    def folder(self) -> Path:
        """The temporary name; the same for every attempt, to be found again."""
        return self.path.with_name(f".{self.path.name}.partial")


class PlaneBlock(NamedTuple):
    """A part of one plane of one level."""

    level: int
    plane: tuple[int, ...]
    rows: slice
    columns: slice


BlockOf = Callable[[tuple[int, ...], slice, slice], tuple[NDArray[Any], ...]]
Fill = Callable[[PlaneBlock], None]
FillRun = Callable[[Fill, dict[int, PlaneBlock]], Iterator[int]]


def one_by_one(fill: Fill, blocks: dict[int, PlaneBlock]) -> Iterator[int]:
    """Fill numbered blocks here, yielding the number of each when it is done."""
    for number, block in blocks.items():
        fill(block)
        yield number


def write_steps(
    targets: list[Target], block_of: BlockOf, job: str = "", run: FillRun = one_by_one
) -> Generator[Progress, None, None]:
    """Fill one or more Zarrs of the same planes, yielding after every block.

    Parameters
    ----------
    targets : list of Target
    block_of : callable
        From the index of a plane, rows and columns to a block for each target.
    job : str
        What the blocks depend on: another text starts from the beginning, and so does none.
    run : callable
        Who fills the blocks, in any order, see `one_by_one`. It is called once for each level of
        the pyramid, for every level is made of the one before.
    """
    try:
        with sole_writer(target.path for target in targets):
            yield from _write_blocks(targets, block_of, job, run)
    except OSError as error:
        raise unwritten(targets[0].path, error) from None


def _write_blocks(
    targets: list[Target], block_of: BlockOf, job: str, run: FillRun
) -> Generator[Progress, None, None]:
    """`write_steps` by a sole writer; a disk that fails is left as it was."""
    try:
        levels, done = _open_targets(targets, job)
        blocks = list(_blocks(max(levels, key=len)))
        fill = partial(_fill_levels, levels, block_of)
        left = [number for number in range(len(blocks)) if number not in done]
        with (targets[0].folder / JOURNAL).open("a", newline="\n") as journal:
            for _, numbers in groupby(left, key=lambda number: blocks[number].level):
                for number in run(fill, {number: blocks[number] for number in numbers}):
                    journal.write(f"{number}\n")
                    journal.flush()
                    done.add(number)
                    yield Progress(len(done), len(blocks))
        _remove_torn(targets)
        for target, own in zip(targets, levels, strict=True):
            for _ in _tell_origin(target, own[0]):
                yield Progress(len(blocks), len(blocks))
            if target.about is not None and target.about.segmentations is not None:
                copy_labels(target.about.segmentations, target.folder)
        (targets[0].folder / JOURNAL).unlink()
        for target in reversed(targets):
            _publish(target)
    except (OSError, FileError):
        job = ""
        raise
    finally:
        if not job:
            for target in targets:
                _abandon(target.folder)


def write_zarr(path: Path, image: Output) -> None:
    """Write an image as a Zarr, complete or not at all; pixels of dask are read block by block."""
    image, step = with_name(image), step_of(image)
    pixels = image.pixels
    target = Target(path, pixels.shape, pixels.dtype, image.rgb, image.record, image.about, step)
    finish(write_steps([target], lambda index, *place: (np.asarray(pixels[index][place]),)))


def _tell_origin(target: Target, level: Level) -> Generator[Progress, None, None]:
    """Write how the pixels came about, which lie in the finest level now."""
    if target.step is None:
        return
    digest = yield from digest_steps(StoredPlanes(level))
    told = target.step.document(digest, target.shape, target.dtype.name)
    tell_origin(target.folder, told)


def _open_targets(targets: list[Target], job: str) -> tuple[list[list[Level]], set[int]]:
    """Open what an earlier attempt left, with the blocks it finished, or start anew."""
    title = json.dumps([job, *([t.shape, t.dtype.name, t.rgb, t.record] for t in targets)])
    file = targets[0].folder / JOURNAL
    with suppress(OSError):
        whole = file.read_text().rpartition("\n")[0]  # the last line may be torn
        first, *lines = whole.split("\n")
        if job and first == title and all(t.folder.is_dir() for t in targets):
            os.truncate(file, len(whole.encode()) + 1)
            _remove_torn(targets)
            levels = [open_levels(t.folder, t.shape, t.rgb, t.about) for t in targets]
            return levels, {int(line) for line in lines}
    for target in targets:
        _remove(target.folder)
    levels = [create(t.folder, t.shape, t.dtype, t.rgb, t.record, t.about) for t in targets]
    file.write_text(title + "\n", newline="\n")
    return levels, set()


def _blocks(levels: list[Level]) -> Iterator[PlaneBlock]:
    for number, level in enumerate(levels):
        shape = level.shape
        at = len(shape) - (3 if level.rgb else 2)
        for index in np.ndindex(shape[:at]):
            for top in range(0, shape[at], BLOCK):
                for left in range(0, shape[at + 1], BLOCK):
                    rows = slice(top, min(top + BLOCK, shape[at]))
                    columns = slice(left, min(left + BLOCK, shape[at + 1]))
                    yield PlaneBlock(number, index, rows, columns)


def _fill_levels(levels: list[list[Level]], block_of: BlockOf, block: PlaneBlock) -> None:
    place = block.plane, block.rows, block.columns
    if block.level == 0:
        for stages, pixels in zip(levels, block_of(*place), strict=True):
            stages[0].put(*place, pixels)
        return
    finer = [slice(2 * s.start, 2 * s.stop) for s in place[1:]]
    for stages in levels:
        if block.level >= len(stages):  # this one has no pyramid
            continue
        pixels = stages[block.level - 1].get(block.plane, finer[0], finer[1])
        stages[block.level].put(*place, _halved(pixels))


def _halved(pixels: NDArray[Any]) -> NDArray[Any]:
    """The means of 2 x 2 neighbours; a row or column left over counts twice."""
    pads = [(0, n % 2) for n in pixels.shape[:2]] + [(0, 0)] * (pixels.ndim - 2)
    wide = np.pad(pixels, pads, mode="edge")
    height, width = wide.shape[:2]
    squares = wide.reshape(height // 2, 2, width // 2, 2, *pixels.shape[2:])
    with np.errstate(invalid="ignore", over="ignore"):
        means = squares.mean(axis=(1, 3), dtype=np.float64)
    return (np.rint(means) if pixels.dtype.kind in "bui" else means).astype(pixels.dtype)


def _remove_torn(targets: list[Target]) -> None:
    """Remove the chunks that killed processes had not yet given their names."""
    for target in targets:
        for torn in target.folder.rglob("*.partial"):
            torn.unlink(missing_ok=True)


def _publish(target: Target) -> None:
    """Give a complete Zarr its name; what stood there goes away after it."""
    old = target.path.with_name(f".{target.path.name}.old")
    _remove(old)
    if target.path.exists():
        target.path.rename(old)
    target.folder.rename(target.path)
    _remove(old)


def _abandon(folder: Path) -> None:
    """Remove what failed; Zarr's own threads may still be putting chunks into it."""
    for _ in range(ATTEMPTS):
        try:
            _remove(folder)
            break
        except OSError:
            time.sleep(ATTEMPT_PAUSE)


def _remove(folder: Path) -> None:
    if folder.is_dir():
        shutil.rmtree(folder)
    else:
        folder.unlink(missing_ok=True)
