"""PNG, JPEG and WebP to arrays and back."""

from __future__ import annotations

import io
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from . import exif, png, profile
from .errors import FileError
from .memory import DECODE, Use
from .metadata import FileRecord, Picture, alpha_as, default_axes, fitting
from .orientation import turned_record, upright
from .units import METRES, pixels_per, positive

EIGHT_BIT = (".jpg", ".jpeg", ".webp")
SUFFIXES = (".png", *EIGHT_BIT)
FORMATS = ("PNG", "JPEG", "WEBP", "GIF", "BMP")  # whatever the name says
JFIF_LIMIT = 65535  # of dots per inch
EXIF_LIMIT = 65520  # bytes
PNG_LEVEL = 4  # of zlib: a third of the time of Pillow's 6, and no larger

_lock = threading.Lock()
_lifted: list[int | None] = []  # Pillow's limit, as each thread that lifts it found it


def read_picture(path: Path, image: int = 1, use: Use = DECODE) -> Picture:
    """Read a picture, or frame `image` of a moving one, at its full depth and turned upright.

    Grey pixels with alpha stay grey: alpha goes with the record.
    """
    from PIL import Image

    with any_size(), Image.open(path, formats=FORMATS) as file:
        use.check(path, *_values_and_bytes(path, file))
        count = getattr(file, "n_frames", 1)
        number = image_number(path, image, count)
        if png.is_deep(path):
            if number > 1:
                raise FileError(f"{path} is an animation of 16 bits: choose image 1.")
            pixels = png.read_deep(path)
        else:
            if count > 1:
                file.seek(number - 1)
            pixels = _unpacked(file, png.key_scale(path))
        told = file.getexif()
        orientation = told.get(exif.ORIENTATION, 1)
        found = profile.encode_profile(file.info.get("icc_profile"), pixels.shape[2:] > (2,))
        size = _pixel_size(file.info.get("dpi"))
        taken, block = exif.time_taken(told), exif.encode_exif(told)
    pixels = np.ascontiguousarray(upright(pixels, orientation, 0))
    alpha = pixels[..., 1].copy() if pixels.shape[2:] == (2,) else None
    pixels = pixels if alpha is None else pixels[..., 0].copy()
    rgb = pixels.ndim == 3
    about = FileRecord(default_axes(pixels.ndim, rgb), profile=found, exif=block, taken=taken)
    about = replace(about, **_axes_about(about.axes, size), alpha=alpha)
    return Picture(pixels, rgb, None, turned_record(about, orientation), number, count)


def image_number(path: Path, image: int, count: int) -> int:
    """The number of an image that a file holds; raise FileError where it does not."""
    if not 1 <= image <= count:
        images = "1 image" if count == 1 else f"images 1 to {count}"
        raise FileError(f"{path} holds {images}: there is no image {image}.")
    return image


def _unpacked(file: Any, scale: int) -> NDArray[Any]:
    """(Y, X), or with 2 to 4 channels: what stands for colours or alpha is made of it."""
    mode, key = file.mode, file.info.get("transparency")
    if mode in ("P", "PA"):
        file = file.convert("RGBA" if mode == "PA" or key is not None else "RGB")
    elif mode == "CMYK":
        file = file.convert("RGB")
    elif mode == "1":
        file = file.convert("L")
    pixels = np.array(file)
    if pixels.dtype == np.int32:  # how Pillow holds some 16-bit greys
        pixels = pixels.astype(np.uint16)
    if key is not None and mode in ("1", "L", "I;16", "I", "RGB"):
        unlike = pixels != np.array(key, pixels.dtype) * pixels.dtype.type(scale)
        seen = unlike.any(axis=-1) if mode == "RGB" else unlike
        alpha = seen * pixels.dtype.type(np.iinfo(pixels.dtype).max)
        pixels = np.dstack([pixels, alpha])
    return pixels


def _pixel_size(dpi: Any) -> list[float] | None:
    """Inches across a pixel: along X and Y."""
    if not isinstance(dpi, tuple) or len(dpi) != 2:
        return None
    counts = [positive(n) for n in dpi]
    return [1 / n for n in counts if n] if all(counts) and counts != [1.0, 1.0] else None


def _axes_about(axes: str, size: list[float] | None) -> dict[str, Any]:
    """Scale and units of the axes of a picture."""
    if size is None:
        return {}
    x, y = size
    given = {"X": x, "Y": y}
    return {
        "scale": tuple(given.get(axis, 1.0) for axis in axes),
        "units": tuple("inch" if axis in given else "" for axis in axes),
    }


def count_images(path: Path) -> int:
    """Frames of a picture."""
    from PIL import Image

    with any_size(), Image.open(path, formats=FORMATS) as image:
        return int(getattr(image, "n_frames", 1))


def _values_and_bytes(path: Path, file: Any) -> tuple[int, int]:
    """Values of a picture and bytes of each, as its head tells them."""
    deep = file.mode.startswith("I") or png.is_deep(path)
    return file.width * file.height * len(file.getbands()), 2 if deep else 1


@contextmanager
def any_size() -> Iterator[None]:
    """Lift Pillow's limit on pixels: slides are larger, and the memory is asked for them."""
    from PIL import Image

    with _lock:
        _lifted.append(Image.MAX_IMAGE_PIXELS)
        Image.MAX_IMAGE_PIXELS = None
    try:
        yield
    finally:
        with _lock:  # the last thread puts back what the first one found
            first = _lifted[0]
            _lifted.pop()
            if not _lifted:
                Image.MAX_IMAGE_PIXELS = first


def write_picture(
    path: Path, pixels: NDArray[Any], rgb: bool, about: FileRecord | None = None
) -> None:
    """Write (Y, X) or (Y, X, 3 or 4) pixels that the format can hold."""
    about = fitting(about, pixels.ndim, rgb)
    suffix = path.suffix.lower()
    if about.alpha is not None and suffix not in (".jpg", ".jpeg"):
        pixels = np.dstack([pixels, alpha_as(about.alpha, pixels.dtype)])
    if suffix == ".png":
        _write_png(path, pixels)
        extra = png.chunks(about, rgb)
        if extra:
            path.write_bytes(png.with_chunks(path.read_bytes(), extra))
    else:
        _write_eight_bit(path, pixels, about)


def _write_png(path: Path, pixels: NDArray[Any]) -> None:
    from PIL import Image

    if pixels.dtype == np.uint16 and pixels.ndim == 3:
        import imagecodecs

        path.write_bytes(imagecodecs.png_encode(np.ascontiguousarray(pixels)))
    else:
        save_picture(Image.fromarray(pixels), path, compress_level=PNG_LEVEL)


def _write_eight_bit(path: Path, pixels: NDArray[Any], about: FileRecord) -> None:
    """JPEG, which has no alpha, or WebP, which knows no grey."""
    from PIL import Image

    jpeg, coloured = path.suffix.lower() != ".webp", pixels.shape[2:] > (2,)
    block, found = exif.block(about), profile.decode_profile(about.profile, coloured)
    options: dict[str, Any] = {"quality": 95} if jpeg else {"lossless": True}
    options |= {"exif": block} if 0 < len(block) < EXIF_LIMIT else {}
    options |= {"icc_profile": found} if found else {}
    dots = _dots(about)
    options |= {"dpi": dots} if jpeg and dots else {}
    image = Image.fromarray(pixels[..., :3] if jpeg and coloured else pixels)
    save_picture(image, path, **options)


def _dots(about: FileRecord) -> tuple[int, int] | None:
    """Dots per inch along X and Y, where JFIF can say them."""
    found = []
    for axis in "XY":
        size, unit = about.size(axis)
        found.append(round(pixels_per("inch", size, unit) or 0) if unit in METRES else 0)
    return (found[0], found[1]) if all(0 < n <= JFIF_LIMIT for n in found) else None


def save_picture(image: Any, path: Path, **options: Any) -> None:
    """Write an image of Pillow's, which by itself goes on in silence where a disk is full."""
    from PIL import Image

    encoded = io.BytesIO()
    image.save(encoded, Image.registered_extensions()[path.suffix.lower()], **options)
    path.write_bytes(encoded.getvalue())
