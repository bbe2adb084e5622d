"""FITS: physical values in this machine's byte order, and the header with its WCS."""

from __future__ import annotations

import json
import math
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from .errors import FileError, needs, readable
from .fits_header import about_header, cleaned, describe, inherited, label
from .memory import READ, Use
from .metadata import Output, Picture, fitting
from .raster import image_number

UNPACKED = (".fits", ".fit", ".fts")
SUFFIXES = (
    *UNPACKED,
    *(f"{suffix}.gz" for suffix in UNPACKED),
    *(f"{suffix}.fz" for suffix in UNPACKED),
)
DTYPES = (
    "uint8",
    "int8",
    "int16",
    "uint16",
    "int32",
    "uint32",
    "int64",
    "uint64",
    "float32",
    "float64",
)
EXTENSION = "NAPARI_LLE"  # holds the record of a result as bytes of JSON
PROVENANCE = "PROVENANCE"  # holds how an image came about, the same way


class FitsScaling(NamedTuple):
    """How integers of a file stand for values."""

    bits: int
    scale: float
    zero: float
    blank: int | None

    @classmethod
    def told(cls, header: Any) -> FitsScaling:
        """What BITPIX, BSCALE, BZERO and BLANK say."""
        bits, blank = int(header.get("BITPIX", 0)), header.get("BLANK")
        scale, zero = float(header.get("BSCALE", 1)), float(header.get("BZERO", 0))
        return cls(bits, scale, zero, int(blank) if isinstance(blank, int) and bits > 0 else None)

    @property
    def dtype(self) -> np.dtype[Any]:
        """Of the values: integers where they are some, with the numbers below 0 moved or not."""
        if self.bits < 0:
            return np.dtype(f"f{-self.bits // 8}")
        kind = "u1" if self.bits == 8 else f"i{self.bits // 8}"
        if self.blank is None and (self.scale, self.zero) == (1, 0):
            return np.dtype(kind)
        if self.blank is None and self.moved:
            return np.dtype("i1" if self.bits == 8 else f"u{self.bits // 8}")
        return np.dtype("f4" if self.bits <= 16 else "f8")

    @property
    def moved(self) -> bool:
        """Integers of the other signedness, as FITS writes them."""
        return self.scale == 1 and self.zero == (-128 if self.bits == 8 else 2 ** (self.bits - 1))

    def values(self, raw: NDArray[Any]) -> NDArray[Any]:
        """Numbers of a file as values; blank ones are NaN."""
        dtype = self.dtype
        if (self.scale, self.zero) == (1, 0) and self.blank is None:
            return raw.astype(dtype)
        if dtype.kind in "ui":
            own = raw.astype(raw.dtype.newbyteorder("="))
            sign = np.array(1 << (self.bits - 1), f"u{dtype.itemsize}").view(own.dtype)
            return (own ^ sign).view(dtype)
        values = raw * np.float64(self.scale) + self.zero
        if self.blank is not None:
            values[raw == self.blank] = np.nan
        return values.astype(dtype)

    def numbers(self, values: NDArray[Any]) -> tuple[NDArray[Any], int | None]:
        """The integers that stand for values, and that which stands for none where one does."""
        kind = np.dtype("u1" if self.bits == 8 else f"i{self.bits // 8}")
        limits = np.iinfo(kind)
        blank = limits.min if self.blank is None else self.blank
        numbers = np.rint((values.astype(np.float64) - self.zero) / self.scale)
        lost = ~np.isfinite(numbers)
        # float64 cannot hold the largest int64: stay below what rounds up past it.
        top = np.nextafter(float(limits.max), 0) if self.bits == 64 else limits.max
        numbers = np.clip(np.where(lost, 0, numbers), limits.min, top).astype(kind)
        numbers[lost] = blank
        return numbers, blank if lost.any() or self.blank is not None else None


def read_fits(path: Path, *, lazy: bool = False, image: int = 1, use: Use = READ) -> Picture:
    """Read image `image` of those of two axes or more.

    Three planes along an axis of type RGB are colours, and go to the last axis.

    Parameters
    ----------
    path : Path
    lazy : bool
        Leave the pixels in the file: a dask array of one chunk for each plane.
    image : int
        Counted from 1.
    use : Use
        What is checked before pixels are read.
    """
    with _quiet() as fits, _opened(fits, path) as file:
        places = [i for i, hdu in enumerate(file) if hdu.is_image and len(hdu.shape) > 1]
        if not places:
            raise FileError(
                f"{path} holds no image of two axes or more: name a FITS file that does."
            )
        number = image_number(path, image, len(places))
        place = places[number - 1]
        hdu = file[place]
        shape, stored = tuple(hdu.shape), FitsScaling.told(hdu.header)
        header = inherited(file[0].header, hdu.header) if place else hdu.header.copy()
        if lazy:
            pixels = _lazy_fits(path, place, shape, stored)
        else:
            use.check(path, math.prod(shape), stored.dtype.itemsize)
            pixels = stored.values(np.asarray(hdu.data))
        record, provenance = (_told(file, name, number) for name in (EXTENSION, PROVENANCE))
    rgb = len(shape) == 3 and shape[0] in (3, 4) and str(header.get("CTYPE3", "")).strip() == "RGB"
    pixels = np.moveaxis(pixels, 0, -1) if rgb else pixels
    about = about_header(header, len(shape), rgb)
    return Picture(pixels, rgb, record, about, number, len(places), provenance)


def _told(file: Any, name: str, number: int) -> dict[str, Any] | None:
    """What is kept as text beside an image; another program's extension may have such a name."""
    with suppress(KeyError, ValueError, AttributeError):
        told = json.loads(file[name, number].data.tobytes())
        return told if isinstance(told, dict) else None
    return None


def write_fits(path: Path, images: Sequence[Output]) -> None:
    """Write images, the first as the primary one, each with the header that it carries.

    Values that were read through BSCALE, BZERO and BLANK are stored through them again where they
    are measured ones, that is where no record of a result goes with them.
    """
    compressed = path.suffix == ".fz"
    with _quiet() as fits:
        hdus: list[Any] = []
        for image in images:
            hdus += _hdus(fits, *_numbers(fits, image), first=not hdus, compressed=compressed)
        for number, image in enumerate(images, 1):
            for name, told in ((EXTENSION, image.record), (PROVENANCE, image.provenance)):
                if told is not None:
                    text = np.frombuffer(json.dumps(told).encode(), np.uint8)
                    hdus.append(fits.ImageHDU(text, name=name, ver=number))
        fits.HDUList(hdus).writeto(path, overwrite=True, output_verify="silentfix+ignore")


def _numbers(fits: Any, image: Output) -> tuple[NDArray[Any], Any]:
    """What is stored for an image, planes of colours first, and the header that tells it."""
    pixels, rgb = image.pixels, image.rgb
    about = fitting(image.about, pixels.ndim, rgb)
    header = fits.Header.fromstring(about.header, sep="\n") if about.header else fits.Header()
    stored = FitsScaling.told(header)
    cleaned(header, result=bool(image.record))
    planes = np.ascontiguousarray(np.moveaxis(pixels, -1, 0) if rgb else pixels)
    if rgb:
        header["CTYPE3"] = "RGB"
    elif str(header.get("CTYPE3", "")).strip() == "RGB":  # one illumination of all colours
        del header["CTYPE3"]
    if not about.header:
        describe(header, about)
    if image.record is not None:
        label(header, image.record)
    if image.history:
        header.add_history(image.history)
    through = image.record is None and pixels.dtype.kind == "f" and stored.bits > 0
    if through and stored.dtype.kind == "f":
        return _as_stored(planes, header, stored)
    return planes, header


def _as_stored(planes: NDArray[Any], header: Any, stored: FitsScaling) -> tuple[NDArray[Any], Any]:
    """The integers that stand for these values, and a header that says so."""
    numbers, blank = stored.numbers(planes)
    header["BSCALE"], header["BZERO"] = stored.scale, stored.zero
    if blank is not None:
        header["BLANK"] = blank
    return numbers, header


def _hdus(
    fits: Any, planes: NDArray[Any], header: Any, *, first: bool, compressed: bool
) -> list[Any]:
    """The parts of a file; each number as it is, also where the file is a packed one."""
    kept = {key: header[key] for key in ("BSCALE", "BZERO", "BLANK") if key in header}
    if compressed:
        options = {"compression_type": "GZIP_2", "quantize_level": 0.0}
        empty = [fits.PrimaryHDU()] if first else []
        hdus = [*empty, fits.CompImageHDU(planes, header, **options)]
    else:
        hdus = [(fits.PrimaryHDU if first else fits.ImageHDU)(planes, header)]
    hdus[-1].header.update(kept)  # astropy takes numbers for values and drops these
    return hdus


def _lazy_fits(path: Path, place: int, shape: tuple[int, ...], stored: FitsScaling) -> Any:
    import dask.array as da

    def read(block_info: Any = None) -> NDArray[Any]:
        where = tuple(slice(*span) for span in block_info[None]["array-location"])
        with readable(path), _quiet() as fits, _opened(fits, path) as file:
            return stored.values(np.asarray(file[place].section[where]))

    chunks = (*((1,) * n for n in shape[:-2]), *((n,) for n in shape[-2:]))
    return da.map_blocks(read, chunks=chunks, dtype=stored.dtype, meta=np.empty(0, stored.dtype))


def _opened(fits: Any, path: Path) -> Any:
    """A file whose numbers come as they are stored: astropy 8 fails on unsigned ones with BLANK."""
    return fits.open(path, do_not_scale_image_data=True)


@contextmanager
def _quiet() -> Iterator[Any]:
    """Offer `astropy.io.fits`; its remarks on old headers are not for the user."""
    with needs("astro"):
        from astropy.io import fits
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield fits
