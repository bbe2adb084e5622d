"""FITS: physical values in this machine's byte order, and the header with its WCS."""

from __future__ import annotations

import json
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .metadata import FileError, FileRecord, Picture, default_axes, needs, readable

SUFFIXES = (".fits", ".fit", ".fts")
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
# What describes the stored numbers, not the sky: set by the writer.
STRUCTURE = ("SIMPLE", "XTENSION", "BITPIX", "NAXIS", "EXTEND", "PCOUNT", "GCOUNT", "GROUPS")
SCALING = ("BSCALE", "BZERO", "BLANK")
OF_THE_DATA = ("BUNIT", "DATAMIN", "DATAMAX", "CHECKSUM", "DATASUM")


def read_fits(path: Path, *, lazy: bool = False) -> Picture:
    """Read the first image of two axes or more.

    Three planes along an axis of type RGB are colours, and go to the last axis.

    Parameters
    ----------
    path : Path
    lazy : bool
        Leave the pixels in the file: a dask array of one chunk for each plane.
    """
    with _quiet() as fits, fits.open(path) as file:
        number = next((i for i, hdu in enumerate(file) if hdu.is_image and len(hdu.shape) > 1), -1)
        if number < 0:
            raise FileError(
                f"{path} holds no image of two axes or more: name a FITS file that does."
            )
        hdu = file[number]
        header = hdu.header.copy()
        shape = tuple(hdu.shape)
        probe = hdu.section[(slice(0, 1),) * len(shape)]
        dtype = np.asarray(probe).dtype.newbyteorder("=")
        pixels = _lazy_pixels(path, number, shape, dtype) if lazy else hdu.data.astype(dtype)
        record = json.loads(file[EXTENSION].data.tobytes()) if EXTENSION in file else None
    rgb = len(shape) == 3 and shape[0] in (3, 4) and str(header.get("CTYPE3", "")).strip() == "RGB"
    pixels = np.moveaxis(pixels, 0, -1) if rgb else pixels
    text = header.tostring(sep="\n", endcard=False, padding=False)
    return Picture(pixels, rgb, record, FileRecord(default_axes(len(shape), rgb), header=text))


def write_fits(
    path: Path,
    pixels: NDArray[Any],
    rgb: bool,
    record: dict[str, Any] | None = None,
    about: FileRecord | None = None,
    *,
    history: str = "",
) -> None:
    """Write an image with the header that `about` carries, and a HISTORY card.

    Values that were read through BSCALE and BZERO are stored through them again where they are
    measured ones, that is where no record of a result goes with them.
    """
    if pixels.dtype.name not in DTYPES:
        raise FileError(f"{path.name}: FITS cannot hold {pixels.dtype}.")
    given = about.header if about else ""
    with _quiet() as fits:
        header = fits.Header.fromstring(given, sep="\n") if given else fits.Header()
        scaling = _scaling(header) if record is None else None
        for key in (*STRUCTURE, *SCALING, "CHECKSUM", "DATASUM", *(OF_THE_DATA if record else ())):
            header.remove(key, ignore_missing=True, remove_all=True)
        for key in [k for k in header if k.startswith("NAXIS")]:
            del header[key]
        planes = np.moveaxis(pixels, -1, 0) if rgb else pixels
        if rgb:
            header["CTYPE3"] = "RGB"
        elif str(header.get("CTYPE3", "")).strip() == "RGB":  # one illumination of all colours
            del header["CTYPE3"]
        if history:
            header.add_history(history)
        if scaling is not None and pixels.dtype.kind == "f":
            hdu = _as_stored(fits, planes, header, *scaling)
        else:
            hdu = fits.PrimaryHDU(np.ascontiguousarray(planes), header)
        hdus = [hdu]
        if record is not None:
            text = np.frombuffer(json.dumps(record).encode(), np.uint8)
            hdus.append(fits.ImageHDU(text, name=EXTENSION))
        fits.HDUList(hdus).writeto(path, overwrite=True, output_verify="silentfix+ignore")


def _scaling(header: Any) -> tuple[int, float, float] | None:
    """BITPIX, BSCALE and BZERO of integers that stand for other values."""
    bits, scale, zero = (header.get(k, d) for k, d in (("BITPIX", 0), ("BSCALE", 1), ("BZERO", 0)))
    return (int(bits), float(scale), float(zero)) if bits > 0 and (scale, zero) != (1, 0) else None


def _as_stored(
    fits: Any, planes: NDArray[Any], header: Any, bits: int, scale: float, zero: float
) -> Any:
    """An HDU of the integers that stand for these values; a lost pixel becomes the lowest."""
    kind = np.dtype("uint8" if bits == 8 else f"int{bits}")
    limits = np.iinfo(kind)
    stored = np.rint((planes.astype(np.float64) - zero) / scale)
    lost = ~np.isfinite(stored)
    stored = np.clip(np.where(lost, limits.min, stored), limits.min, limits.max).astype(kind)
    hdu = fits.PrimaryHDU(stored, header)
    hdu.header["BSCALE"], hdu.header["BZERO"] = scale, zero
    if lost.any():
        hdu.header["BLANK"] = int(limits.min)
    return hdu


def _lazy_pixels(path: Path, number: int, shape: tuple[int, ...], dtype: np.dtype[Any]) -> Any:
    import dask.array as da

    def read(block_info: Any = None) -> NDArray[Any]:
        where = tuple(slice(*span) for span in block_info[None]["array-location"])
        with readable(path), _quiet() as fits, fits.open(path) as file:
            return np.asarray(file[number].section[where]).astype(dtype)

    chunks = (*((1,) * n for n in shape[:-2]), *((n,) for n in shape[-2:]))
    return da.map_blocks(read, chunks=chunks, dtype=dtype, meta=np.empty(0, dtype))


@contextmanager
def _quiet() -> Iterator[Any]:
    """Offer `astropy.io.fits`; its remarks on old headers are not the user's to mend."""
    with needs("astro"):
        from astropy.io import fits
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield fits
