"""Image files to arrays and back: PNG, JPEG, WebP and TIFF."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import DTypeLike, NDArray

from .atomic import atomic_path

TIFF = (".tif", ".tiff")
EIGHT_BIT = (".jpg", ".jpeg", ".webp")
SUFFIXES = (".png", *EIGHT_BIT, *TIFF)


class FileError(ValueError):
    """A file that cannot be read or written; the message is one sentence for the user."""


class Picture(NamedTuple):
    """Pixels as stored, whether their last axis holds colours, and the record of a result."""

    pixels: NDArray[Any]
    rgb: bool
    record: dict[str, Any] | None = None


def read_image(path: str | Path) -> Picture:
    """Read an image file at its full depth.

    Returns
    -------
    Picture
        (..., Y, X) or (..., Y, X, 3 or 4) in the file's dtype; JPEG turned upright.

    Raises
    ------
    FileError
        If the file is missing, damaged or of another kind.
    """
    path = Path(path)
    _check_suffix(path)
    if not path.is_file():
        raise FileError(f"There is no file {path}.")
    try:
        return _read_tiff(path) if path.suffix.lower() in TIFF else _read_picture(path)
    except FileError:
        raise
    except Exception as error:  # decoders raise whatever they like on damaged files
        reason = (str(error).splitlines() or [type(error).__name__])[0]
        raise FileError(f"{path} cannot be read ({reason}): is it complete?") from None


def write_image(
    path: str | Path, pixels: NDArray[Any], *, rgb: bool, record: dict[str, Any] | None = None
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
        How the pixels were made, plain values; TIFF keeps it.

    Raises
    ------
    FileError
        If the format cannot hold such pixels, or the file cannot be written.
    """
    path = Path(path)
    check_format(path, pixels.dtype, pixels.ndim - rgb)
    try:
        with atomic_path(path) as temporary:
            if path.suffix.lower() in TIFF:
                _write_tiff(temporary, pixels, rgb, record)
            else:
                _write_picture(temporary, pixels)
    except OSError as error:
        raise FileError(f"{path} cannot be written: {error.strerror or error}.") from None


def check_format(path: str | Path, dtype: DTypeLike, axes: int = 2) -> None:
    """Raise FileError unless a file named so can hold `axes` spatial axes of `dtype`."""
    path = Path(path)
    _check_suffix(path)
    suffix = path.suffix.lower()
    if not path.parent.is_dir():
        raise FileError(f"There is no folder {path.parent} to write {path.name} to.")
    if suffix in TIFF:
        return
    held = ("uint8",) if suffix in EIGHT_BIT else ("uint8", "uint16")
    dtype = np.dtype(dtype)
    if dtype.name not in held:
        raise FileError(f"{path.name}: {suffix} cannot hold {dtype}; write to .tif instead.")
    if axes != 2:
        raise FileError(f"{path.name}: {suffix} cannot hold a stack; write to .tif instead.")


def _check_suffix(path: Path) -> None:
    if path.suffix.lower() not in SUFFIXES:
        raise FileError(f"{path} is none of {', '.join(SUFFIXES)}.")


def _read_tiff(path: Path) -> Picture:
    import tifffile

    with tifffile.TiffFile(path) as file:
        series = file.series[0]
        pixels = series.asarray()
        axes = series.axes
        if "S" in axes and axes[-1] != "S":  # planar colours
            pixels = np.moveaxis(pixels, axes.index("S"), -1)
        described: Any = (file.shaped_metadata or ({},))[0]
        kept = described.get("napari_lle")
    return Picture(pixels, "S" in axes and pixels.shape[-1] in (3, 4), kept and json.loads(kept))


def _write_tiff(path: Path, pixels: NDArray[Any], rgb: bool, record: dict[str, Any] | None) -> None:
    import tifffile

    metadata = {"napari_lle": json.dumps(record)} if record else {}
    photometric = "rgb" if rgb else "minisblack"
    tifffile.imwrite(path, pixels, photometric=photometric, metadata=metadata)


def _read_picture(path: Path) -> Picture:
    from PIL import Image, ImageOps

    if _is_deep_colour_png(path):
        import imagecodecs

        return Picture(imagecodecs.imread(path), True)
    with Image.open(path) as image:
        image = ImageOps.exif_transpose(image)
        mode = image.mode
        if mode in ("P", "PA", "LA"):
            image = image.convert("RGBA" if "A" in mode or "transparency" in image.info else "RGB")
        elif mode == "CMYK":
            image = image.convert("RGB")
        elif mode == "1":
            image = image.convert("L")
        pixels = np.array(image)
    if pixels.dtype == np.int32:  # how Pillow holds some 16-bit greys
        pixels = pixels.astype(np.uint16)
    return Picture(pixels, pixels.ndim == 3)


def _is_deep_colour_png(path: Path) -> bool:
    """16 bits in each of several channels: Pillow would silently keep 8."""
    with path.open("rb") as file:
        head = file.read(26)
    return head[:4] == b"\x89PNG" and head[24:26] in (b"\x10\x02", b"\x10\x06")


def _write_picture(path: Path, pixels: NDArray[Any]) -> None:
    from PIL import Image

    suffix = path.suffix.lower()
    if suffix == ".png" and pixels.dtype == np.uint16 and pixels.ndim == 3:
        import imagecodecs

        path.write_bytes(imagecodecs.png_encode(pixels))
    elif suffix == ".webp":
        Image.fromarray(pixels).save(path, lossless=True)
    elif suffix in EIGHT_BIT:
        Image.fromarray(pixels[..., :3]).save(path, quality=95)  # JPEG has no alpha
    else:
        Image.fromarray(pixels).save(path)
