"""What compiles kernels in the background: one process for a user, however many windows open."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from hashlib import sha256
from pathlib import Path

from . import warm_up


def compile_alone(first: Sequence[str] = ()) -> bool:
    """Compile the kernels of some models, then all others; False where another process does so.

    That one goes on when its window is closed, and leaves on disk what the next window finds.
    """
    from filelock import FileLock, Timeout

    try:
        with FileLock(lock_file(), timeout=0):
            list(warm_up(first))
            list(warm_up())
    except Timeout:
        return False
    return True


def lock_file() -> Path:
    """Of this user and this installation."""
    whose = sha256(f"{Path.home()} {Path(__file__).parent}".encode()).hexdigest()[:16]
    return Path(tempfile.gettempdir()) / f"napari-lle-kernels-{whose}.lock"
