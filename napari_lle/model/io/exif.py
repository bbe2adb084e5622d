"""EXIF: what a camera says of a picture, and when it was taken, whatever file it lies in."""

from __future__ import annotations

import re
import struct
import warnings
from base64 import b64decode, b64encode
from contextlib import suppress
from pathlib import Path
from typing import Any

from .metadata import FileRecord
from .units import METRES, pixels_per

HEADER = b"Exif\0\0"
IFD, GPS = 0x8769, 0x8825
ORIENTATION = 0x0112
X_RESOLUTION, Y_RESOLUTION, RESOLUTION_UNIT = 0x011A, 0x011B, 0x0128
SOFTWARE_TAG, TIME = 0x0131, 0x0132
TIME_TAKEN, OFFSET_TAKEN, FRACTION_TAKEN = 0x9003, 0x9011, 0x9291
# Make, model, software, time, artist, copyright: what a TIFF says outside its EXIF.
DESCRIPTIVE = (0x010F, 0x0110, SOFTWARE_TAG, TIME, 0x013B, 0x8298)
STRUCTURAL = (X_RESOLUTION, Y_RESOLUTION, RESOLUTION_UNIT, 0x0213)  # and the place of chroma
STAMP = re.compile(r"(\d{4})[:-](\d\d)[:-](\d\d)[ T](\d\d:\d\d:\d\d)")


def encode_exif(exif: Any) -> str:
    """A `PIL.Image.Exif` in base64, without orientation; empty where it says nothing more."""
    with suppress(Exception):  # a damaged block costs the block, not the pixels
        exif.pop(ORIENTATION, None)
        told = set(exif) - {*STRUCTURAL, IFD, TIME, SOFTWARE_TAG}
        if told or exif.get_ifd(IFD):
            return b64encode(exif.tobytes()).decode()
    return ""


def decode_exif(text: str) -> Any:
    """The `PIL.Image.Exif` of a base64 text."""
    from PIL import Image

    exif = Image.Exif()
    with suppress(Exception):
        exif.load(b64decode(text))
    return exif


def of_tiff(file: Any, offset: int) -> Any:
    """What the page at an offset of an open TIFF says as EXIF does: camera, time, place."""
    from PIL import Image

    found, kept = Image.Exif(), Image.Exif()
    with suppress(Exception), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # damage costs what it hits
        file.seek(0)
        head = file.read(4)
        found.endian, found.bigtiff = "<" if head[:2] == b"II" else ">", b"+" in head
        found.load_from_fp(file, offset)
        kept.update({tag: found[tag] for tag in DESCRIPTIVE if tag in found})
        for tag in (IFD, GPS):
            if tag in found:
                kept[tag] = found.get_ifd(tag)
    return kept


def time_taken(exif: Any) -> str:
    """When a picture was taken, ISO 8601; empty where it is not told."""
    with suppress(Exception):
        inner = exif.get_ifd(IFD)
        stamp = STAMP.match(str(inner.get(TIME_TAKEN) or exif.get(TIME) or ""))
        if stamp:
            fraction = re.match(r"\d+", str(inner.get(FRACTION_TAKEN) or ""))
            offset = re.match(r"[+-]\d\d:\d\d", str(inner.get(OFFSET_TAKEN) or ""))
            return (
                f"{stamp[1]}-{stamp[2]}-{stamp[3]}T{stamp[4]}"
                + (f".{fraction[0]}" if fraction else "")
                + (offset[0] if offset else "")
            )
    return ""


def camera_time(taken: str) -> str:
    """An ISO time as EXIF and TIFF write it; empty where it is none."""
    stamp = STAMP.match(taken)
    return f"{stamp[1]}:{stamp[2]}:{stamp[3]} {stamp[4]}" if stamp else ""


def exif_of(about: FileRecord) -> Any:
    """The EXIF of a record: that which was read, its time and its size of pixels."""
    exif = decode_exif(about.exif)
    stamp = camera_time(about.taken)
    if stamp and not about.exif:
        exif[IFD] = {TIME_TAKEN: stamp}
    for tag, axis in ((X_RESOLUTION, "X"), (Y_RESOLUTION, "Y")):
        size, unit = about.size(axis)
        if unit in METRES:
            of = "inch" if unit == "inch" else "centimeter"
            count = pixels_per(of, size, unit)
            if count and count < 2**31:
                exif[tag], exif[RESOLUTION_UNIT] = count, 2 if of == "inch" else 3
    return exif


def block(about: FileRecord) -> bytes:
    """EXIF as JPEG, WebP and Pillow write it; empty where there is nothing to say."""
    exif = exif_of(about)
    with suppress(Exception):
        return exif.tobytes() if len(exif) else b""
    return b""


def append_to_tiff(path: Path, text: str) -> None:
    """Add the EXIF of a base64 text to the first page of a TIFF, behind what the file holds.

    Libraries for scientific TIFF do not write it; BigTIFF, larger than EXIF can point to, stays
    without.
    """
    from PIL.TiffImagePlugin import ImageFileDirectory_v2

    exif = decode_exif(text)
    with path.open("r+b") as file:
        order = "<" if file.read(2) == b"II" else ">"
        version, first = struct.unpack(f"{order}HI", file.read(6))
        if version != 42:
            return
        file.seek(first)
        count = struct.unpack(f"{order}H", file.read(2))[0]
        entries = [file.read(12) for _ in range(count)]
        following = file.read(4)
        end = file.seek(0, 2)
        file.write(b"\0" * (end % 2))
        for tag in (IFD, GPS):
            inner = exif.get_ifd(tag)
            if inner:
                directory = ImageFileDirectory_v2(prefix=b"II" if order == "<" else b"MM")
                directory.update(inner)
                offset = file.tell()
                file.write(directory.tobytes(offset))
                file.write(b"\0" * (file.tell() % 2))
                entries.append(struct.pack(f"{order}HHII", tag, 4, 1, offset))
        if len(entries) == count:
            return
        entries.sort(key=lambda entry: struct.unpack(f"{order}H", entry[:2]))
        offset = file.tell()
        file.write(struct.pack(f"{order}H", len(entries)) + b"".join(entries) + following)
        file.seek(4)
        file.write(struct.pack(f"{order}I", offset))
