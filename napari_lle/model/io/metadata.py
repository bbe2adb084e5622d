"""What a file says about its pixels: axes, physical scale, channels, colours, header, profile."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from .provenance import Activity, Document

# FITS cards that hold for the stored numbers only.
STORED_CARDS = ("BITPIX", "BSCALE", "BZERO", "BLANK", "DATAMIN", "DATAMAX", "CHECKSUM", "DATASUM")
OF_AXES = ("scale", "translate", "units")
OF_THE_FILE = {"alpha", "segmentations"}  # pixels beside those of the image
UNNAMED = "QRUVWABDEFGHIJKLMNOP"  # letters for axes that nothing is known of, in this order


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
    colours : tuple of str
        What each channel is shown in, ``RRGGBB``; one for an image without channels.
    windows : tuple of (min, max, start, end)
        Of the values of each channel: their range, and from where to where they are shown.
    luts : tuple of str
        The look-up table of each channel, 3 x 256 bytes in base64.
    labels : tuple of str
        Names of planes.
    profile, exif : str
        Colour profile and EXIF block of a picture, in base64; the EXIF says nothing of
        orientation, for pixels are upright.
    rendering : str
        What OME-Zarr says of how channels are shown beside names, colours and windows, as JSON.
    taken : str
        When the image was taken, ISO 8601.
    name : str
        The image's own, where its file holds one.
    premultiplied : bool
        The colours have been multiplied by alpha.
    alpha : ndarray, (..., Y, X), optional
        Opacity beside grey pixels, in their dtype; not part of `to_dict`.
    segmentations : Path, optional
        Of an OME-Zarr, the group ``labels`` beside the image; not part of `to_dict`.
    """

    axes: str
    scale: tuple[float, ...] = ()
    translate: tuple[float, ...] = ()
    units: tuple[str, ...] = ()
    channels: tuple[str, ...] = ()
    header: str = ""
    plain: bool = False
    colours: tuple[str, ...] = ()
    windows: tuple[tuple[float, float, float, float], ...] = ()
    luts: tuple[str, ...] = ()
    labels: tuple[str, ...] = ()
    profile: str = ""
    exif: str = ""
    rendering: str = ""
    taken: str = ""
    name: str = ""
    premultiplied: bool = False
    alpha: Any = field(default=None, compare=False, repr=False)
    segmentations: Path | None = field(default=None, compare=False, repr=False)

    def __post_init__(self) -> None:
        for name, default in zip(OF_AXES, (1.0, 0.0, ""), strict=True):
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

    @property
    def stored_bits(self) -> int:
        """BITPIX of the FITS file that the pixels came from; 0 where they came from another."""
        found = [c for c in self.header.split("\n") if c.startswith("BITPIX  =")]
        return int(found[0][9:].split("/")[0]) if found else 0

    def size(self, axis: str) -> tuple[float, str]:
        """Extent of a pixel along an axis and its unit; the unit is empty where unknown."""
        place = self.axes.find(axis)
        return (1.0, "") if place < 0 else (self.scale[place], self.units[place])

    def picked(self, axes: str, order: Iterable[int]) -> FileRecord:
        """The record of an array whose axes are some of this one's, in another order."""
        order = tuple(order)
        chosen: dict[str, Any] = {
            name: tuple(getattr(self, name)[i] for i in order) for name in OF_AXES
        }
        return replace(self, axes=axes, **chosen)

    def without_colours(self) -> FileRecord:
        """The record of an array that lacks the last axis, S."""
        return self.picked(self.axes[:-1], range(len(self.axes) - 1))

    def of_other_values(self) -> FileRecord:
        """The record of an array computed from this one: without how its numbers are stored."""
        cards = [c for c in self.header.split("\n") if c[:8].strip() not in STORED_CARDS]
        return replace(self, header="\n".join(cards), windows=())

    def to_dict(self) -> dict[str, Any]:
        """Plain values, without those that are not set."""
        told = {f.name: getattr(self, f.name) for f in fields(self) if f.name not in OF_THE_FILE}
        return {k: v for k, v in told.items() if v or k in ("axes", *OF_AXES)}

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> FileRecord:
        """The inverse of `to_dict`, also after JSON has made lists of tuples.

        What a later version has added is passed over.
        """
        known = {f.name for f in fields(cls)} - OF_THE_FILE
        return cls(**{k: _tuples(v) for k, v in values.items() if k in known})


def _tuples(value: Any) -> Any:
    return tuple(map(_tuples, value)) if isinstance(value, list | tuple) else value


class Picture(NamedTuple):
    """Pixels as stored, whether their last axis holds colours, and what the file said of them.

    `record` is that of the `Result` which the file holds, `about` what any file may tell. The
    pixels are those of image `number` of the `images` that the file holds; `provenance` says how
    they came about, see there.
    """

    pixels: Any
    rgb: bool
    record: dict[str, Any] | None = None
    about: FileRecord | None = None
    number: int = 1
    images: int = 1
    provenance: Document | None = None


class Output(NamedTuple):
    """One image of a file to be written; see `files.write_image`.

    `step` is what it was made by, where there is no record of a result to tell that, and `earlier`
    what is known of its input; `provenance` is what the file is to say of both.
    """

    pixels: Any
    rgb: bool
    record: dict[str, Any] | None = None
    about: FileRecord | None = None
    history: str = ""
    step: Activity | None = None
    earlier: Document | None = None
    provenance: Document | None = None


def alpha_as(alpha: Any, dtype: np.dtype[Any]) -> NDArray[Any]:
    """Opacity in another dtype: 0 to the most of an integer, 0 to 1 of others."""
    alpha = np.asarray(alpha)
    if alpha.dtype == dtype:
        return alpha
    share = alpha / (np.iinfo(alpha.dtype).max if alpha.dtype.kind in "ui" else 1)
    most = np.iinfo(dtype).max if dtype.kind in "ui" else 1
    return (np.rint(share * most) if dtype.kind in "ui" else share).astype(dtype)


def default_axes(ndim: int, rgb: bool) -> str:
    """Letters for an array that nothing is known of: the last two are Y and X."""
    lead = UNNAMED[: ndim - 2 - rgb]
    return lead + "YX" + ("S" if rgb else "")


def own_letters(names: Iterable[str]) -> str:
    """A letter for each axis: its own if it has one and no other axis does."""
    names = list(names)
    own = [name.upper() if len(name) == 1 else "" for name in names]
    free = iter([letter for letter in UNNAMED if letter == "Q" or letter not in own])
    return "".join(a if a not in ("", "Q") and own.count(a) == 1 else next(free) for a in own)


def fitting(about: FileRecord | None, ndim: int, rgb: bool) -> FileRecord:
    """The record for writing `ndim` axes: `about` if it has as many, else bare letters."""
    if about is not None and about.axes[-1:] == "S" and not rgb:
        about = about.without_colours()
    if about is None:
        return FileRecord(default_axes(ndim, rgb))
    if len(about.axes) != ndim or (about.axes[-1:] == "S") != rgb:
        bare = dict.fromkeys(("channels", "colours", "windows", "luts", "labels", *OF_AXES), ())
        return replace(about, axes=default_axes(ndim, rgb), **bare, alpha=None)  # type: ignore[arg-type]
    return about
