"""What a file is by its first bytes, whatever its name says."""

from __future__ import annotations

from pathlib import Path

from .errors import FileError
from .names import suffix_of

# First bytes, the format's name, its suffixes.
SIGNATURES = (
    (b"\x89PNG\r\n\x1a\n", "PNG", (".png",)),
    (b"\xff\xd8\xff", "JPEG", (".jpg", ".jpeg")),
    (b"II*\x00", "TIFF", (".tif", ".tiff")),
    (b"MM\x00*", "TIFF", (".tif", ".tiff")),
    (b"II+\x00", "TIFF", (".tif", ".tiff")),  # BigTIFF
    (b"MM\x00+", "TIFF", (".tif", ".tiff")),
    (b"SIMPLE  =", "FITS", (".fits", ".fit", ".fts", ".fits.fz", ".fit.fz", ".fts.fz")),
)


def is_tiff(path: Path) -> bool:
    """Whether a file begins as a TIFF does."""
    with path.open("rb") as file:
        start = file.read(4)
    return any(start == signature for signature, name, _ in SIGNATURES if name == "TIFF")


def misnamed(path: Path) -> FileError | None:
    """The error to raise for a file that cannot be read because it is empty or of another kind."""
    if not path.is_file():
        return None
    with path.open("rb") as file:
        start = file.read(16)
    if not start:
        return FileError(f"{path} cannot be read (it is empty): is it complete?")
    for signature, name, suffixes in SIGNATURES:
        if start.startswith(signature) and suffix_of(path) not in suffixes:
            return FileError(
                f"{path} is a {name} file: rename it so that it ends in {suffixes[0]}."
            )
    return None
