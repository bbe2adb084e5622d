"""What the numbers of a TIFF stand for: its tags honoured, or the file refused."""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from .errors import FileError
from .exif import ORIENTATION

PHOTOMETRIC, EXTRA_SAMPLES, INK_SET, SUBSAMPLING = 262, 338, 332, 530
WHITE_IS_0, BLACK_IS_0, RGB, PALETTE, SEPARATED, YCBCR, LINEAR_RAW = 0, 1, 2, 3, 5, 6, 34892
REFUSED = {
    8: "CIELab colours",
    9: "ICCLab colours",
    10: "ITULab colours",
    32803: "a camera's raw mosaic",
    32844: "LogL values",
    32845: "LogLuv colours",
}
# Codecs that give RGB for YCbCr.
COLOUR_CODECS = {6, 7, 33003, 33004, 33005, 33007, 34712, 34892}
ASSOCIATED, UNASSOCIATED = 1, 2


class Meant(NamedTuple):
    """Pixels in their meaning; the last axis holds ``S`` colours, ``A`` grey and alpha, ``C``
    other samples, or is X where the kind is empty.
    """

    pixels: Any
    kind: str


def check_meaning(path: Path, page: Any) -> None:
    """Raise FileError for pixels that stand for what is not read."""
    photometric, plain = _photometric(page), page.compression not in COLOUR_CODECS
    refused = REFUSED.get(photometric or 0, "")
    if photometric == YCBCR and plain:
        halved = tuple(page.tags.valueof(SUBSAMPLING, (2, 2))) != (1, 1)
        refused = "YCbCr colours" if halved or page.dtype != np.uint8 else ""
    elif photometric == SEPARATED and page.tags.valueof(INK_SET, 1) != 1:
        refused = "inks that are not CMYK"
    elif photometric in (WHITE_IS_0, PALETTE, SEPARATED) and page.dtype.kind not in "bu":
        refused = f"{page.dtype} values that are not intensities"
    if refused:
        raise FileError(f"{path} holds {refused}: save it as grey or RGB.")


def meant(pixels: Any, page: Any, samples: int) -> Meant:
    """The meaning of the numbers of a page or a stack of such; `samples` of a pixel lie last."""
    photometric = _photometric(page)
    if photometric == PALETTE:
        return Meant(_looked_up(np.asarray(pixels), page.colormap), "S")
    if photometric == SEPARATED:
        return Meant(_of_inks(np.asarray(pixels)), "S")
    if photometric == YCBCR and page.compression not in COLOUR_CODECS:
        return Meant(_of_luma(np.asarray(pixels)), "S")
    pixels = _full_range(pixels, page, photometric == WHITE_IS_0)
    colours = photometric in (RGB, YCBCR, LINEAR_RAW, None)
    extra = tuple(page.extrasamples)
    if samples == 2 and not colours and extra and extra[0] in (ASSOCIATED, UNASSOCIATED):
        return Meant(pixels, "A")
    if samples < 2:
        return Meant(pixels, "")
    return Meant(pixels, "S" if colours and samples in (3, 4) else "C")


def orientation(page: Any) -> int:
    """1 to 8."""
    return int(page.tags.valueof(ORIENTATION, 1))


def premultiplied(page: Any) -> bool:
    """Whether alpha is in the colours already."""
    return ASSOCIATED in page.extrasamples


def _photometric(page: Any) -> int | None:
    """What a page says; nothing where it is silent and the number of samples must tell."""
    return int(page.photometric) if PHOTOMETRIC in page.tags else None


def _full_range(pixels: Any, page: Any, inverted: bool) -> Any:
    """Black is 0, white the dtype's most where that is less than the dtype's bits can say."""
    bits = page.bitspersample
    bits = bits if isinstance(bits, int) else bits[0]
    if pixels.dtype.kind == "b":
        pixels = pixels.astype(np.uint8)
    if pixels.dtype.kind != "u":
        return pixels
    top = 2 ** min(bits, 8 * pixels.dtype.itemsize) - 1
    if inverted:
        pixels = pixels.dtype.type(top) - pixels
    if bits < 8:  # as of PNG; deeper ones are counts
        table = np.rint(np.arange(256) * (255 / top)).clip(0, 255).astype(np.uint8)
        pixels = table[pixels] if isinstance(pixels, np.ndarray) else pixels.map_blocks(table.take)
    return pixels


def _looked_up(indices: NDArray[Any], table: NDArray[np.uint16]) -> NDArray[Any]:
    """(..., 3) colours of 8 bits, or of 16 where the table says more."""
    low = table & 255
    coarse = bool(((low == 0) | (low == table >> 8)).all())
    colours = (table >> 8).astype(np.uint8) if coarse else table
    return np.ascontiguousarray(colours.T)[indices]


def _of_inks(inks: NDArray[Any]) -> NDArray[Any]:
    """RGB of CMYK, without a profile as Pillow does; a fifth sample is alpha."""
    top = np.iinfo(inks.dtype).max
    share = inks[..., :4].astype(np.float64)
    light = top - share[..., 3:]
    colours = light - np.floor(share[..., :3] * light / top + 0.5)
    made = colours.astype(inks.dtype)
    return np.concatenate([made, inks[..., 4:5]], axis=-1)


def _of_luma(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    from PIL import Image

    planes = pixels.reshape(-1, *pixels.shape[-3:])
    made = [np.asarray(Image.fromarray(p, "YCbCr").convert("RGB")) for p in planes]
    return np.stack(made).reshape(pixels.shape)
