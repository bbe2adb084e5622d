"""Units of length and time: the names that files use for them, and what they measure."""

from __future__ import annotations

import math
from contextlib import suppress
from typing import Any

# The field's symbols, and the names that OME-Zarr and napari know.
UNITS = {
    "Å": "angstrom",
    "pm": "picometer",
    "nm": "nanometer",
    "µm": "micrometer",
    "mm": "millimeter",
    "cm": "centimeter",
    "m": "meter",
    "km": "kilometer",
    "in": "inch",
    "ft": "foot",
    "ns": "nanosecond",
    "µs": "microsecond",
    "ms": "millisecond",
    "s": "second",
    "min": "minute",
    "h": "hour",
    "d": "day",
}
UNIT_SYMBOLS = {name: symbol for symbol, name in UNITS.items()}
ALIASES = {
    "um": "micrometer",
    "micron": "micrometer",
    "microns": "micrometer",
    "\\u00b5m": "micrometer",
    "us": "microsecond",
    "sec": "second",
    "msec": "millisecond",
    "hr": "hour",
    "inches": "inch",
    "metre": "meter",
    "millimetre": "millimeter",
    "micrometre": "micrometer",
    "nanometre": "nanometer",
}
METRES = {
    "angstrom": 1e-10,
    "picometer": 1e-12,
    "nanometer": 1e-9,
    "micrometer": 1e-6,
    "millimeter": 1e-3,
    "centimeter": 1e-2,
    "meter": 1.0,
    "kilometer": 1e3,
    "inch": 0.0254,
    "foot": 0.3048,
}


def long_unit(unit: str | None) -> str:
    """Name of a unit that a file gives as a symbol or in another spelling; empty if unknown."""
    unit = (unit or "").strip().replace("\u03bc", "µ").replace("\\u00B5", "µ")
    if unit in UNITS:
        return UNITS[unit]
    known = ALIASES.get(unit.lower(), unit.lower())
    return known if known in UNIT_SYMBOLS else ""


def positive(value: Any) -> float | None:
    """The extent that a file gives; none where it is no such number."""
    with suppress(TypeError, ValueError, OverflowError):
        size = abs(float(value))
        return size if 0 < size < math.inf else None
    return None


def pixels_per(unit: str, size: float, of: str) -> float | None:
    """How many pixels of a size, given `of` a unit of length, fill one of another."""
    return METRES[unit] / METRES[of] / size if of in METRES and size > 0 else None
