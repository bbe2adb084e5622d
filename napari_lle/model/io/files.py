"""Image files to arrays and back: each format has its module, this one chooses."""

from __future__ import annotations

import importlib.util
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from . import fits_files as fits
from . import names, tiff, tiff_writer, zarr_files, zarr_writer
from . import raster as pictures
from .atomic import atomic_path
from .errors import FileError, readable
from .labelling import with_origin
from .magic_bytes import is_tiff, misnamed
from .memory import DECODE, READ, Use
from .metadata import FileRecord, Output, Picture
from .names import inside_zarr, stem_of, suffix_of

__all__ = [
    "SUFFIXES",
    "FileError",
    "FileRecord",
    "Output",
    "Picture",
    "check_format",
    "count_images",
    "holds_alpha",
    "holds_several",
    "is_zarr",
    "read_image",
    "read_images",
    "stem_of",
    "suffix_of",
    "write_image",
    "write_images",
]

SUFFIXES = (*pictures.SUFFIXES, *tiff.SUFFIXES, *fits.SUFFIXES, *zarr_files.SUFFIXES)


def read_image(
    path: str | Path, *, lazy: bool = False, image: int = 1, use: Use | None = None
) -> Picture:
    """Read an image file at its full depth.

    Parameters
    ----------
    path : path
    lazy : bool
        Leave the pixels of TIFF, FITS and Zarr where they are until they are asked for: an array
        of dask, of Zarr or mapped into memory, whatever the format does best.
    image : int
        Which one, counted from 1, where a file holds several: series of a TIFF, frames of a
        picture, images of a FITS, series, fields of a plate or arrays of a Zarr.
    use : Use, optional
        What the memory must hold, which is asked before pixels are read; the image alone when not
        given.

    Returns
    -------
    Picture
        (..., Y, X) or (..., Y, X, 3 or 4) in the file's dtype and native byte order, turned
        upright; its `images` says how many the file holds.

    Raises
    ------
    FileError
        If the file is missing, damaged or of another kind, its format needs an extra, its numbers
        stand for what is not read, or it holds no such image.
    """
    path = Path(path)
    _check_suffix(path)
    if not path.exists() or (path.is_dir() and not _is_read_by(path, zarr_files)):
        raise FileError(f"There is no file {path}.")
    try:
        with readable(path):
            return _read_picture(path, lazy, image, use)
    except FileError as error:
        raise misnamed(path) or error from None


def _read_picture(path: Path, lazy: bool, image: int, use: Use | None) -> Picture:
    how: dict[str, Any] = {"lazy": lazy, "image": image, "use": use or READ}
    if _is_read_by(path, tiff) or (
        _is_read_by(path, pictures) and is_tiff(path)
    ):  # many programs read it so
        return tiff.read_tiff(path, **how)
    if _is_read_by(path, fits):
        return fits.read_fits(path, **how)
    if _is_read_by(path, zarr_files):
        return zarr_files.read_zarr(path, **how)
    return pictures.read_picture(path, image, use or DECODE)


def read_images(
    path: str | Path, first: Picture | None = None, use: Use | None = None
) -> list[Picture]:
    """Read all images of a file; the frames of a moving picture are one image, with an axis T.

    Parameters
    ----------
    path : path
    first : Picture, optional
        The first of them, where that is read already.
    use : Use, optional
        As `read_image`.

    Raises
    ------
    FileError
        As `read_image`.
    """
    first = first or read_image(path, use=use)
    found = [first, *(read_image(path, image=n, use=use) for n in range(2, first.images + 1))]
    frames = len(found) > 1 and _is_read_by(Path(path), pictures) and not is_tiff(Path(path))
    if not frames or len({(p.pixels.shape, p.rgb) for p in found}) > 1:
        return found
    about = first.about or FileRecord("YXS" if first.rgb else "YX")
    moving = replace(
        about,
        axes=f"T{about.axes}",
        scale=(1.0, *about.scale),
        translate=(0.0, *about.translate),
        units=("", *about.units),
        alpha=None,
    )
    return [Picture(np.stack([p.pixels for p in found]), first.rgb, None, moving)]


def count_images(path: str | Path) -> int:
    """How many images a file holds; their pixels are left unread where they can be.

    Raises
    ------
    FileError
        As `read_image`.
    """
    path = Path(path)
    if path.is_file() and _is_read_by(path, pictures) and not is_tiff(path):
        with readable(path):
            return pictures.count_images(path)
    return read_image(path, lazy=True).images


def write_image(
    path: str | Path,
    pixels: NDArray[Any],
    *,
    rgb: bool,
    record: dict[str, Any] | None = None,
    about: FileRecord | None = None,
    history: str = "",
) -> None:
    """Write an image file, complete or not at all.

    Parameters
    ----------
    path : path
        Its suffix chooses the format.
    pixels : ndarray, (..., Y, X) or (..., Y, X, 3 or 4)
    rgb : bool
        The last axis holds colours.
    record : dict, optional
        How the pixels were made, plain values; TIFF, FITS and Zarr keep it.
    about : FileRecord, optional
        What the pixels' source said of them; written as far as the format can say it.
    history : str, optional
        A line on what was done; FITS keeps it.

    Raises
    ------
    FileError
        If the format cannot hold such pixels, or the file cannot be written.
    """
    write_images(path, [Output(pixels, rgb, record, about, history)])


def write_images(path: str | Path, images: Sequence[Output]) -> None:
    """Write a file of one image or, where the format holds several, of all; whole or not at all.

    Raises
    ------
    FileError
        As `write_image`; or if the format holds one image only.
    """
    path = Path(path)
    for each in images:
        check_format(path, each.pixels.dtype, each.pixels.ndim - each.rgb)
    if len(images) != 1 and not holds_several(path):
        raise FileError(f"{path.name} holds one image, not {len(images)}: write to .tif instead.")
    one = images[0]
    if _is_read_by(path, zarr_files):
        zarr_writer.write_zarr(path, one)
        return
    if _is_read_by(path, tiff) or _is_read_by(path, fits):
        images = [with_origin(each) for each in images]
    with atomic_path(path) as temporary:
        if _is_read_by(path, tiff):
            tiff_writer.write_tiff(temporary, images)
        elif _is_read_by(path, fits):
            fits.write_fits(temporary, images)
        else:
            pictures.write_picture(temporary, one.pixels, one.rgb, one.about)


def holds_alpha(path: str | Path, *, grey: bool) -> bool:
    """Whether a file named so can hold opacity beside grey, or beside colours."""
    path = Path(path)
    if _is_read_by(path, pictures):
        return suffix_of(path) == ".png" or (suffix_of(path) == ".webp" and not grey)
    return _is_read_by(path, tiff) or not grey


def holds_several(path: str | Path) -> bool:
    """Whether a file named so can hold several images: series of a TIFF, extensions of a FITS."""
    return _is_read_by(Path(path), tiff) or _is_read_by(Path(path), fits)


def check_format(path: str | Path, dtype: DTypeLike, axes: int = 2) -> None:
    """Raise FileError unless a file named so can hold `axes` spatial axes of `dtype`."""
    path = Path(path)
    _check_suffix(path)
    suffix = suffix_of(path)
    if suffix == names.ZARR and inside_zarr(path):
        raise FileError(f"{path} lies inside a Zarr: write a result beside it.")
    if not path.parent.is_dir():
        raise FileError(f"There is no folder {path.parent} to write {path.name} to.")
    if _is_read_by(path, tiff):
        return
    dtype = np.dtype(dtype)
    for module, library, extra in ((zarr_files, "zarr", "zarr"), (fits, "astropy", "astro")):
        if _is_read_by(path, module):
            if importlib.util.find_spec(library) is None:
                raise FileError(f"{path.name} needs {library}: pip install 'napari-lle[{extra}]'.")
            if dtype.name not in module.DTYPES:
                raise FileError(
                    f"{path.name}: {suffix} cannot hold {dtype}; write to .tif instead."
                )
            return
    held = ("uint8",) if suffix in pictures.EIGHT_BIT else ("uint8", "uint16")
    if dtype.name not in held:
        raise FileError(f"{path.name}: {suffix} cannot hold {dtype}; write to .tif instead.")
    if axes != 2:
        raise FileError(f"{path.name}: {suffix} cannot hold a stack; write to .tif instead.")


def is_zarr(path: str | Path) -> bool:
    """Whether a path names a Zarr, which is written chunk by chunk."""
    return _is_read_by(Path(path), zarr_files)


def _is_read_by(path: Path, module: Any) -> bool:
    return suffix_of(path) in module.SUFFIXES


def _check_suffix(path: Path) -> None:
    if suffix_of(path) not in SUFFIXES:
        raise FileError(f"{path} is none of {', '.join(SUFFIXES)}.")
