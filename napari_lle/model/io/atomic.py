"""Files that are whole or absent."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path

from .errors import FileError
from .reasons import reason

PROBE_BYTES = bytes(1 << 16)  # written to learn what is wrong with a disk


@contextmanager
def atomic_path(path: Path) -> Iterator[Path]:
    """Offer a temporary name beside `path`, which it becomes when the block ends without error.

    The suffix is kept, for writers that go by it. On any error or interrupt the temporary file is
    removed and `path` is as it was.

    Raises
    ------
    FileError
        If the disk does not take the file; the message says why, whatever the writer raised.
    """
    try:
        handle, name = tempfile.mkstemp(prefix=_prefix(path), suffix=path.suffix, dir=path.parent)
    except OSError as error:
        raise unwritten(path, error) from None
    os.close(handle)
    temporary = Path(name)
    try:
        yield temporary
        with temporary.open("rb+") as file:
            os.fsync(file.fileno())
        # mkstemp makes private files; a result is an ordinary one.
        temporary.chmod(0o666 & ~umask())
        temporary.replace(path)
    except Exception as error:
        cause = refusal(temporary, error)
        if cause is None:
            raise
        raise unwritten(path, cause) from None
    finally:
        with suppress(OSError):  # the disk may be gone, and the file with it
            temporary.unlink(missing_ok=True)


def unwritten(path: Path, error: OSError) -> FileError:
    """The sentence on a file that the system would not write."""
    return FileError(f"{path} cannot be written: {reason(error)}.")


def refusal(file: Path, error: Exception) -> OSError | None:
    """The system's error behind what a writer raised into a file; None if it has no part in it.

    Writers lose the reason on their way, so it is asked for again.
    """
    if isinstance(error, OSError) and error.errno:
        return error
    try:
        with file.open("rb+") as probed:
            probed.seek(0, os.SEEK_END)
            probed.write(PROBE_BYTES)
            probed.flush()
            os.fsync(probed.fileno())
    except OSError as found:
        return found
    return error if isinstance(error, OSError) else None


@cache  # to ask is to set it: not while another thread makes a file
def umask() -> int:
    """The permissions that this process takes from the files it makes, as they were at first."""
    mask = os.umask(0)
    os.umask(mask)
    return mask


def remove_leftovers(path: Path) -> None:
    """Remove the temporary files that killed processes left beside `path`."""
    for file in path.parent.iterdir():
        if file.name.startswith(_prefix(path)) and file.suffix == path.suffix:
            file.unlink(missing_ok=True)


def _prefix(path: Path) -> str:
    return f".{path.stem[:40]}-"
