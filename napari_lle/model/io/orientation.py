"""Which way up pixels are: the eight orientations of EXIF and TIFF."""

from __future__ import annotations

from typing import Any

from .metadata import FileRecord

# Number: rows and columns change places, then rows and columns run backwards.
TURNS = {
    2: (False, False, True),
    3: (False, True, True),
    4: (False, True, False),
    5: (True, False, False),
    6: (True, False, True),
    7: (True, True, True),
    8: (True, True, False),
}


def upright(pixels: Any, orientation: int, rows: int) -> Any:
    """Turn an array, of NumPy or dask, upright; `rows` is the place of Y, and X follows it."""
    if orientation not in TURNS:
        return pixels
    swapped, down, across = TURNS[orientation]
    pixels = pixels.swapaxes(rows, rows + 1) if swapped else pixels
    steps = (slice(None, None, -1 if down else None), slice(None, None, -1 if across else None))
    return pixels[(slice(None),) * rows + steps]


def turned_record(about: FileRecord, orientation: int) -> FileRecord:
    """The record of pixels that `upright` has turned."""
    if not TURNS.get(orientation, (False,))[0]:
        return about
    order = list(range(len(about.axes)))
    y, x = about.axes.index("Y"), about.axes.index("X")
    order[y], order[x] = x, y
    return about.picked(about.axes, order)
