"""A small histogram of a layer with its black and white levels in it."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PIL import Image as Picture
from PIL import ImageDraw
from qtpy.QtGui import QImage, QPixmap

SIZE = (240, 56)  # fits beside a scroll bar in the least width of a widget
BARS = SIZE[0] // 2
AROUND = 0.15  # of the span between the levels that is shown on either side
BAR, BLACK, WHITE = (140, 140, 140, 255), (76, 141, 255, 255), (255, 176, 0, 255)


def draw_histogram(values: NDArray[np.float64], black: float, white: float) -> Picture.Image:
    """Counts, on a logarithmic scale, with a line at each level; the ends take what lies beyond."""
    low, high = shown_range(black, white)
    counts, _ = np.histogram(np.clip(values, low, high), BARS, (low, high))
    heights = np.log1p(counts) / max(np.log1p(counts.max(initial=0)), 1.0)
    picture = Picture.new("RGBA", SIZE, (0, 0, 0, 0))
    pen = ImageDraw.Draw(picture)
    bottom = SIZE[1] - 1
    for i, height in enumerate(heights):
        if height:
            pen.rectangle([(2 * i, bottom - height * bottom), (2 * i + 1, bottom)], fill=BAR)
    for level, colour in ((black, BLACK), (white, WHITE)):
        x = place_of(level, low, high)
        pen.line([(x, 0), (x, bottom)], fill=colour, width=2)
    return picture


def shown_range(black: float, white: float) -> tuple[float, float]:
    """The values at the left and the right end."""
    margin = AROUND * (white - black) or 1.0
    return black - margin, white + margin


def place_of(level: float, low: float, high: float) -> float:
    """The column of a value."""
    return float((level - low) / (high - low) * SIZE[0])


def pixmap(picture: Picture.Image) -> QPixmap:
    """A picture for Qt."""
    wide = picture.convert("RGBA")
    image = QImage(wide.tobytes(), *wide.size, 4 * wide.width, QImage.Format.Format_RGBA8888)
    return QPixmap.fromImage(image)  # which copies the bytes
