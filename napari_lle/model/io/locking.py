"""One writer for each output: a second one is told so at once, before it makes anything."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

from .errors import FileError


@contextmanager
def sole_writer(paths: Iterable[Path]) -> Iterator[None]:
    """Hold the right to write some outputs, which the system takes back from a killed process.

    Raises
    ------
    FileError
        If another run is writing one of them.
    """
    with ExitStack() as held:
        for path in paths:
            held.enter_context(_held(path))
        yield


@contextmanager
def _held(path: Path) -> Iterator[None]:
    from filelock import FileLock, Timeout

    file = path.with_name(f".{path.name}.lock")
    # A generator that holds it may be gone on with in another thread.
    lock = FileLock(file, timeout=0, thread_local=False)
    try:
        lock.acquire()
    except Timeout:
        raise FileError(
            f"{path} is being written by another run: wait for it, or choose another output."
        ) from None
    except NotImplementedError:  # a network drive without locks
        yield
        return
    try:
        yield
    finally:
        with suppress(OSError):
            if os.name != "nt":  # there it goes with the release
                file.unlink(missing_ok=True)
        lock.release()
