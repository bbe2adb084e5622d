"""What goes wrong with files, in one sentence."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from .reasons import reason


class FileError(ValueError):
    """A file that cannot be read or written; the message is one sentence for the user."""


@contextmanager
def needs(extra: str) -> Iterator[None]:
    """Turn a missing optional library into the sentence that says how to get it."""
    try:
        yield
    except ImportError as error:
        raise FileError(
            f"This format needs {error.name}: pip install 'napari-lle[{extra}]'."
        ) from None


@contextmanager
def readable(path: Path) -> Iterator[None]:
    """Turn whatever decoders raise on damaged files into one sentence."""
    try:
        yield
    except FileError:
        raise
    except Exception as error:
        if isinstance(error, OSError) and error.errno:
            raise FileError(f"{path} cannot be read: {reason(error)}.") from None
        raise FileError(
            f"{path} cannot be read, for it is damaged or of another format: is it complete?"
        ) from None
