"""What Pillow cannot do with PNG: 16 bits of several channels, transparent keys, chunks of ours."""

from __future__ import annotations

import struct
import zlib
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from . import exif, profile
from .metadata import FileRecord
from .units import METRES, pixels_per

SIGNATURE = b"\x89PNG\r\n\x1a\n"
BEHIND_HEADER = len(SIGNATURE) + 25
GREY, COLOUR, GREY_ALPHA, COLOUR_ALPHA = 0, 2, 4, 6


def is_deep(path: Path) -> bool:
    """16 bits in each of several channels: Pillow would silently keep 8."""
    with path.open("rb") as file:
        head = file.read(26)
    several = (COLOUR, GREY_ALPHA, COLOUR_ALPHA)
    return head[:8] == SIGNATURE and head[24:25] == b"\x10" and head[25] in several


def key_scale(path: Path) -> int:
    """By how much Pillow multiplies greys of 2 or 4 bits, but not the one that stands for none."""
    with path.open("rb") as file:
        head = file.read(26)
    few = head[:8] == SIGNATURE and head[25] == GREY and head[24] in (2, 4)
    return 255 // (2 ** head[24] - 1) if few else 1


def read_deep(path: Path) -> NDArray[np.uint16]:
    """(Y, X, 2, 3 or 4) values of 16 bits; a colour that stands for no colour becomes alpha."""
    import imagecodecs

    pixels: NDArray[np.uint16] = imagecodecs.png_decode(path.read_bytes())
    return pixels


def chunks(about: FileRecord, rgb: bool) -> bytes:
    """What tells the profile, the camera and the size of the pixels."""
    found = profile.decode_profile(about.profile, rgb)
    extra = _chunk(b"iCCP", b"ICC\0\0" + zlib.compress(found)) if found else b""
    counts = [_per_metre(about, axis) for axis in "XY"]
    if all(0 < n < 2**31 for n in counts):
        extra += _chunk(b"pHYs", struct.pack(">IIB", *counts, 1))
    said = exif.block(about) if about.exif or about.taken else b""
    if said:
        extra += _chunk(b"eXIf", said.removeprefix(exif.HEADER))
    return extra


def with_chunks(content: bytes, extra: bytes) -> bytes:
    """A PNG with more chunks, before its pixels."""
    return content[:BEHIND_HEADER] + extra + content[BEHIND_HEADER:]


def _per_metre(about: FileRecord, axis: str) -> int:
    size, unit = about.size(axis)
    return round(pixels_per("meter", size, unit) or 0) if unit in METRES else 0


def _chunk(kind: bytes, content: bytes) -> bytes:
    check = zlib.crc32(kind + content)
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", check)
