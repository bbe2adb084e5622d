"""What a file says about its pixels: axes, physical scale, channels, the header of a FITS file."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, NamedTuple

# The field's symbols, and the names that OME-Zarr and napari know.
UNITS = {
    "Å": "angstrom",
    "pm": "picometer",
    "nm": "nanometer",
    "µm": "micrometer",
    "mm": "millimeter",
    "cm": "centimeter",
    "m": "meter",
    "in": "inch",
    "ns": "nanosecond",
    "µs": "microsecond",
    "ms": "millisecond",
    "s": "second",
    "min": "minute",
    "h": "hour",
    "d": "day",
}
SYMBOLS = {name: symbol for symbol, name in UNITS.items()}
# FITS cards that hold for the stored numbers only.
STORED = ("BITPIX", "BSCALE", "BZERO", "BLANK", "DATAMIN", "DATAMAX", "CHECKSUM", "DATASUM")
ALIASES = {"um": "micrometer", "micron": "micrometer", "microns": "micrometer", "sec": "second"}


class FileError(ValueError):
    """A file that cannot be read or written; the message is one sentence for the user."""


@dataclass(frozen=True)
class FileRecord:
    """What a file tells of its array, and what a result's file should tell of its own.

    Attributes
    ----------
    axes : str
        A letter for each axis of the array: T, C, Z, Y, X and S for colours, others if unnamed.
    scale, translate : tuple of float
        Size of a pixel and place of the first one, for each axis; 1 and 0 where unknown.
    units : tuple of str
        Of scale and translate, long names such as ``micrometer``; empty where unknown.
    channels : tuple of str
        Names along the C axis.
    header : str
        Cards of a FITS header, a line each, in the order of the file.
    plain : bool
        A Zarr array without the groups and levels of OME-Zarr.
    """

    axes: str
    scale: tuple[float, ...] = ()
    translate: tuple[float, ...] = ()
    units: tuple[str, ...] = ()
    channels: tuple[str, ...] = ()
    header: str = ""
    plain: bool = False

    def __post_init__(self) -> None:
        for name, default in (("scale", 1.0), ("translate", 0.0), ("units", "")):
            given = tuple(getattr(self, name)) or (default,) * len(self.axes)
            if len(given) != len(self.axes):
                raise ValueError(f"{name} has {len(given)} entries for the axes {self.axes}.")
            object.__setattr__(self, name, given)
        object.__setattr__(self, "channels", tuple(self.channels))

    @property
    def measured(self) -> bool:
        """Whether the file said more than the shape of its array."""
        spatial = any(self.units) or set(self.scale) > {1.0} or any(self.translate)
        return spatial or bool(self.channels)

    def without_colours(self) -> FileRecord:
        """The record of an array that lacks the last axis, S."""
        fields = {n: getattr(self, n)[:-1] for n in ("axes", "scale", "translate", "units")}
        return replace(self, **fields)

    def of_other_values(self) -> FileRecord:
        """The record of an array computed from this one: without how its numbers are stored."""
        cards = [c for c in self.header.split("\n") if c[:8].strip() not in STORED]
        return replace(self, header="\n".join(cards))

    def to_dict(self) -> dict[str, Any]:
        """Plain values."""
        return asdict(self)

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> FileRecord:
        """The inverse of `to_dict`, also after JSON has made lists of tuples."""
        fields: dict[str, Any] = {
            k: tuple(v) if isinstance(v, list) else v for k, v in values.items()
        }
        return cls(**fields)


class Picture(NamedTuple):
    """Pixels as stored, whether their last axis holds colours, and what the file said of them.

    `record` is that of the `Result` which the file holds, `about` what any file may tell.
    """

    pixels: Any
    rgb: bool
    record: dict[str, Any] | None = None
    about: FileRecord | None = None


def default_axes(ndim: int, rgb: bool) -> str:
    """Letters for an array that nothing is known of: the last two are Y and X."""
    lead = "QRUVW"[: ndim - 2 - rgb]
    return lead + "YX" + ("S" if rgb else "")


def own_letters(names: Iterable[str]) -> str:
    """A letter for each axis: its own if it has one and no other axis does."""
    free = iter("QRUVW")
    own = [name.upper() if len(name) == 1 else "" for name in names]
    return "".join(a if a not in ("", "Q") and own.count(a) == 1 else next(free) for a in own)


def fitting(about: FileRecord | None, ndim: int, rgb: bool) -> FileRecord:
    """The record for writing `ndim` axes: `about` if it has as many, else bare letters."""
    if about is not None and about.axes[-1:] == "S" and not rgb:
        about = about.without_colours()
    if about is None or len(about.axes) != ndim:
        return FileRecord(default_axes(ndim, rgb), header=about.header if about else "")
    return about


def long_unit(unit: str | None) -> str:
    """Name of a unit that a file gives as a symbol or in another spelling; empty if unknown."""
    unit = (unit or "").strip().replace("\u03bc", "µ").replace("\\u00B5", "µ")
    if unit in UNITS:
        return UNITS[unit]
    return ALIASES.get(unit.lower(), unit if unit in SYMBOLS else "")


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
        reason = (str(error).splitlines() or [type(error).__name__])[0]
        raise FileError(f"{path} cannot be read ({reason}): is it complete?") from None
