"""A contact sheet: cases of an evaluation, one row each, every picture labelled."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from .metrics import Image, eight_bit, psnr, ssim

if TYPE_CHECKING:
    from PIL.Image import Image as Picture

    from .photographs import Case

SHEET_HEIGHT = 240  # pixels of each picture
SHEET_GAP = 6


def contact_sheet(cases: Sequence[Case]) -> Picture:
    """Draw input, result, automatic gamma and reference of each case, with PSNR and SSIM."""
    from PIL import Image as Pillow

    rows = [_row(case) for case in cases]
    width = max(row.width for row in rows)
    sheet = Pillow.new(
        "RGB", (width, sum(row.height + SHEET_GAP for row in rows) - SHEET_GAP), "white"
    )
    top = 0
    for row in rows:
        sheet.paste(row, (0, top))
        top += row.height + SHEET_GAP
    return sheet


def _row(case: Case) -> Picture:
    from PIL import Image as Pillow

    parts = {
        f"{case.name}: input": case.low,
        "enhanced": case.result,
        "automatic gamma": case.gamma,
        "reference": case.reference,
    }
    pictures = [_with_label(label, image, case.reference) for label, image in parts.items()]
    width = sum(p.width + SHEET_GAP for p in pictures) - SHEET_GAP
    row = Pillow.new("RGB", (width, SHEET_HEIGHT), "white")
    left = 0
    for picture in pictures:
        row.paste(picture, (left, 0))
        left += picture.width + SHEET_GAP
    return row


def _with_label(label: str, image: Image, reference: Image) -> Picture:
    from PIL import Image as Pillow
    from PIL import ImageDraw, ImageFont

    pixels = eight_bit(image)
    if label != "reference":
        label += f"  {psnr(pixels, reference):.1f} dB  {ssim(pixels, reference):.2f}"
    picture = Pillow.fromarray(np.rint(pixels * 255).astype(np.uint8))
    width = round(picture.width * SHEET_HEIGHT / picture.height)
    picture = picture.resize((width, SHEET_HEIGHT), Pillow.Resampling.LANCZOS)
    font = ImageFont.load_default(size=15)
    outline = {"stroke_width": 2, "stroke_fill": "black"}
    ImageDraw.Draw(picture).text((6, 5), label, fill="white", font=font, **outline)
    return picture
