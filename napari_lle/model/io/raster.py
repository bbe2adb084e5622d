"""PNG, JPEG and WebP to arrays and back."""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .memory import check_memory
from .metadata import Picture

EIGHT_BIT = (".jpg", ".jpeg", ".webp")
SUFFIXES = (".png", *EIGHT_BIT)


def read_picture(path: Path) -> Picture:
    """Read a picture at its full depth, turned upright."""
    from PIL import Image, ImageOps

    values, itemsize = count_values(path)
    check_memory(path, 2 * values * itemsize, "cut it into parts, or make a TIFF of it")
    if _is_deep_colour_png(path):
        import imagecodecs

        return Picture(imagecodecs.imread(path), True)
    with any_size(), Image.open(path) as image:
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


def count_values(path: Path) -> tuple[int, int]:
    """Values of a picture and bytes of each, without reading them."""
    from PIL import Image

    with any_size(), Image.open(path) as image:
        deep = image.mode.startswith("I") or _is_deep_colour_png(path)
        return image.width * image.height * len(image.getbands()), 2 if deep else 1


@contextmanager
def any_size() -> Iterator[None]:
    """Lift Pillow's limit on pixels: slides are larger, and the memory is asked for them."""
    from PIL import Image

    limit, Image.MAX_IMAGE_PIXELS = Image.MAX_IMAGE_PIXELS, None
    try:
        yield
    finally:
        Image.MAX_IMAGE_PIXELS = limit


def _is_deep_colour_png(path: Path) -> bool:
    """16 bits in each of several channels: Pillow would silently keep 8."""
    with path.open("rb") as file:
        head = file.read(26)
    return head[:4] == b"\x89PNG" and head[24:26] in (b"\x10\x02", b"\x10\x06")


def write_picture(path: Path, pixels: NDArray[Any]) -> None:
    """Write (Y, X) or (Y, X, 3 or 4) pixels that the format can hold."""
    from PIL import Image

    suffix = path.suffix.lower()
    if suffix == ".png" and pixels.dtype == np.uint16 and pixels.ndim == 3:
        import imagecodecs

        path.write_bytes(imagecodecs.png_encode(pixels))
    elif suffix == ".webp":
        save_picture(Image.fromarray(pixels), path, lossless=True)
    elif suffix in EIGHT_BIT:
        save_picture(Image.fromarray(pixels[..., :3]), path, quality=95)  # JPEG has no alpha
    else:
        save_picture(Image.fromarray(pixels), path)


def save_picture(image: Any, path: Path, **options: Any) -> None:
    """Write an image of Pillow's, which by itself goes on in silence where a disk is full."""
    from PIL import Image

    encoded = io.BytesIO()
    image.save(encoded, Image.registered_extensions()[path.suffix.lower()], **options)
    path.write_bytes(encoded.getvalue())
