"""Files that are whole or absent."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def atomic_path(path: Path) -> Iterator[Path]:
    """Offer a temporary name beside `path`, which it becomes when the block ends without error.

    The suffix is kept, for writers that go by it. On any error or interrupt the temporary file is
    removed and `path` is as it was.
    """
    handle, name = tempfile.mkstemp(prefix=_prefix(path), suffix=path.suffix, dir=path.parent)
    os.close(handle)
    temporary = Path(name)
    try:
        yield temporary
        with temporary.open("rb+") as file:
            os.fsync(file.fileno())
        umask = os.umask(0)
        os.umask(umask)
        temporary.chmod(0o666 & ~umask)  # mkstemp makes private files; a result is an ordinary one
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def remove_leftovers(path: Path) -> None:
    """Remove the temporary files that killed processes left beside `path`."""
    for file in path.parent.iterdir():
        if file.name.startswith(_prefix(path)) and file.suffix == path.suffix:
            file.unlink(missing_ok=True)


def _prefix(path: Path) -> str:
    return f".{path.stem[:40]}-"
