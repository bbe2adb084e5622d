"""FITS headers: what goes from one to the next, what it says of axes, what stays behind."""

from __future__ import annotations

import warnings
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, NamedTuple

from .exif import STAMP
from .metadata import FileRecord, default_axes, own_letters
from .roles import note_of, word_of
from .units import METRES, UNIT_SYMBOLS, long_unit, positive

# What describes the stored numbers, not the sky: set by the writer.
STRUCTURE = (
    "SIMPLE",
    "XTENSION",
    "BITPIX",
    "NAXIS",
    "EXTEND",
    "PCOUNT",
    "GCOUNT",
    "GROUPS",
    "INHERIT",
)
SCALING = ("BSCALE", "BZERO", "BLANK")
CHECKSUM_CARDS = ("CHECKSUM", "DATASUM")
OF_THE_DATA = ("BUNIT", "DATAMIN", "DATAMAX")
REPEATED = ("COMMENT", "HISTORY", "")
ARCSECOND, ARCSEC = "arcsecond", "arcsec"  # what napari calls it, and FITS
# What turns numbers into fluxes and electrons, which R has not.
CALIBRATED = (
    "PHOTFLAM",
    "PHOTFNU",
    "PHOTPLAM",
    "PHOTBW",
    "PHOTZPT",
    "PHOTZP",
    "PHOTMODE",
    "ZEROPT",
    "ZPT",
    "ZP",
    "MAGZP",
    "MAGZPT",
    "MAGZERO",
    "GAIN",
    "EGAIN",
    "RDNOISE",
    "READNOIS",
    "SATURATE",
)


class Coordinates(NamedTuple):
    """Where an image lies on the sky.

    Attributes
    ----------
    extension : str
        The image's own name; empty where it has none.
    wcs : astropy.wcs.WCS, optional
        World coordinates, where the header holds any.
    pixel : (float, float), optional
        Seconds of arc along rows and columns, where both last axes are of the sky.
    """

    extension: str
    wcs: Any = None
    pixel: tuple[float, float] | None = None

    @classmethod
    def of_text(cls, text: str) -> Coordinates:
        """What the cards of a header say, a line each."""
        from astropy.io.fits import Header
        from astropy.wcs import WCS
        from astropy.wcs.utils import proj_plane_pixel_scales

        header = Header.fromstring(text, sep="\n")
        name = str(header.get("EXTNAME", "")).strip()
        if not any(str(header.get(f"CTYPE{number}", "")).strip() for number in (1, 2)):
            return cls(name)
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                wcs = WCS(header)
                if not wcs.has_celestial or {wcs.wcs.lng, wcs.wcs.lat} != {0, 1}:
                    return cls(name, wcs)
                columns, rows = (float(v) for v in proj_plane_pixel_scales(wcs)[:2] * 3600)
        except Exception:  # whatever is wrong with such cards, the image can be shown
            return cls(name)
        # Without these astropy takes pixels of a degree.
        told = any(header.get(key) for key in ("CDELT1", "CD1_1", "CD1_2"))
        known = told and positive(rows) and positive(columns)
        return cls(name, wcs, (rows, columns) if known else None)


def inherited(primary: Any, own: Any) -> Any:
    """The header of an extension with the cards of the primary one that it lacks.

    A primary header without an image of its own speaks of the whole file; another is inherited
    where INHERIT says so.
    """
    header = own.copy()
    if primary.get("NAXIS", 0) and own.get("INHERIT", False) is not True:
        return header
    skipped = {*STRUCTURE, *SCALING, *CHECKSUM_CARDS, *OF_THE_DATA, "EXTNAME"}
    place = 0
    for card in primary.cards:
        if card.keyword in skipped or card.keyword.startswith("NAXIS"):
            continue
        if card.keyword in REPEATED or card.keyword not in own:
            # Before the extension's own, after what says that it is one.
            header.insert(len(STRUCTURE) + place, card)
            place += 1
    return header


def cleaned(header: Any, *, result: bool) -> None:
    """Take out what describes the numbers of another file."""
    for key in (*STRUCTURE, *SCALING, *CHECKSUM_CARDS, *(OF_THE_DATA if result else ())):
        header.remove(key, ignore_missing=True, remove_all=True)
    for key in [k for k in header if k.startswith("NAXIS")]:
        del header[key]


def label(header: Any, record: dict[str, Any]) -> None:
    """Say in the header of an image of a run what it is, and that its numbers have no unit."""
    for key in CALIBRATED:
        header.remove(key, ignore_missing=True, remove_all=True)
    word, note = word_of(record), note_of(record)
    own = str(header.get("EXTNAME", "")).strip()
    header["EXTNAME"] = f"{own} {word}".strip()
    header["BUNIT"] = ("", f"{word}: no unit, not calibrated")
    header["LLEKIND"] = (word, "of napari-lle")
    if note:
        header["LLENOTE"] = note


def about_header(header: Any, ndim: int, rgb: bool) -> FileRecord:
    """What a header says of the axes of an array; the text of it goes along."""
    text = header.tostring(sep="\n", endcard=False, padding=False)
    axes = list(default_axes(ndim, rgb))
    numbers = [*range(ndim - rgb, 0, -1), *([3] if rgb else [])]  # FITS counts from the fastest
    scale, translate, units = [1.0] * ndim, [0.0] * ndim, [""] * ndim
    for place, number in enumerate(numbers):
        kind = str(header.get(f"CTYPE{number}", "")).strip().upper()
        if kind in ("T", "C", "Z") and place < ndim - 2 - rgb:
            axes[place] = kind
        symbol = str(header.get(f"CUNIT{number}", "")).strip()
        on_sky = kind.startswith(("RA", "DEC", "GLON", "GLAT"))  # not along pixels: see Coordinates
        unit = ARCSECOND if symbol == ARCSEC and not on_sky else long_unit(symbol)
        step = positive(header.get(f"CDELT{number}"))
        if unit and step:
            scale[place], units[place] = step, unit
            with suppress(TypeError, ValueError):
                first = 1 - float(header.get(f"CRPIX{number}", 1))
                translate[place] = float(header.get(f"CRVAL{number}", 0)) + first * step
    when = str(header.get("DATE-OBS", ""))
    letters = own_letters(axes) if len(set(axes)) < ndim else "".join(axes)
    about = FileRecord(letters, tuple(scale), tuple(translate), tuple(units), header=text)
    return replace(about, taken=when if STAMP.match(when) else "")


def describe(header: Any, about: FileRecord) -> None:
    """Write into a header of ours what another format's file said of axes and time."""
    axes = about.axes.removesuffix("S")
    for place, axis in enumerate(axes):
        number, size, unit = len(axes) - place, about.scale[place], about.units[place]
        if axis in "TCZ":
            header[f"CTYPE{number}"] = axis
        if not unit:
            continue
        shift = about.translate[place]
        if unit in METRES and unit not in ("angstrom", "nanometer", "micrometer", "meter"):
            factor = METRES[unit] / METRES["millimeter"]  # FITS knows no inch
            size, shift, unit = size * factor, shift * factor, "millimeter"
        symbol = _fits_unit(unit)
        if not symbol:
            continue
        header[f"CUNIT{number}"] = symbol
        header[f"CDELT{number}"], header[f"CRPIX{number}"] = size, 1.0
        header[f"CRVAL{number}"] = shift
    when = _universal(about.taken)
    if when:
        header["DATE-OBS"] = when


def _fits_unit(unit: str) -> str:
    """The symbol of a unit in FITS; empty where it has none that `about_header` reads."""
    if unit == ARCSECOND:
        return ARCSEC
    return "Angstrom" if unit == "angstrom" else UNIT_SYMBOLS.get(unit, "").replace("µ", "u")


def _universal(taken: str) -> str:
    """A time as FITS writes it; one that tells its zone is moved to UTC."""
    with suppress(ValueError):
        time = datetime.fromisoformat(taken)
        time = time.astimezone(UTC).replace(tzinfo=None) if time.tzinfo else time
        return time.isoformat()
    return ""
