"""The curves of a run as a picture, drawn with Pillow: matplotlib would be one more dependency."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

from PIL import Image, ImageDraw

PANEL_SIZE = (720, 300)  # of one panel
MARGIN = 60
INK, GRID = (40, 40, 40), (220, 220, 220)
LINE_COLOURS = ((31, 119, 180), (255, 127, 14), (44, 160, 44))

# One panel each: what is drawn in it, where the run has it.
PANELS = (("loss", "held_out_loss"), ("psnr",), ("ssim",), ("agreement_max", "agreement_mean"))


def draw_curves(history: Sequence[dict[str, Any]]) -> Image.Image:
    """Draw losses, scores and stage agreement against the step.

    Parameters
    ----------
    history : sequence of dict
        At least one row, each with ``step`` and figures.
    """
    panels = [[name for name in names if name in history[0]] for names in PANELS]
    panels = [names for names in panels if names]
    picture = Image.new("RGB", (PANEL_SIZE[0], PANEL_SIZE[1] * len(panels)), "white")
    draw = ImageDraw.Draw(picture)
    for i, names in enumerate(panels):
        _draw_panel(draw, history, names, i * PANEL_SIZE[1])
    return picture


def _draw_panel(
    draw: ImageDraw.ImageDraw, history: Sequence[dict[str, Any]], names: list[str], top: int
) -> None:
    values = [row[name] for row in history for name in names if math.isfinite(row[name])]
    low, high = (min(values), max(values)) if values else (0.0, 1.0)
    if low == high:
        low, high = low - 0.5, high + 0.5
    last = history[-1]["step"]
    left, right = MARGIN, PANEL_SIZE[0] - 20
    upper, lower = top + 30, top + PANEL_SIZE[1] - 30

    def place(step: int, value: float) -> tuple[float, float]:
        share = (value - low) / (high - low)
        return left + (right - left) * step / last, lower - (lower - upper) * share

    for i in range(5):
        value = low + (high - low) * i / 4
        y = place(0, value)[1]
        draw.line([(left, y), (right, y)], fill=GRID)
        draw.text((4, y - 6), f"{value:.4g}", fill=INK)
        draw.text((place(last * i // 4, low)[0] - 10, lower + 6), str(last * i // 4), fill=INK)
    for i, name in enumerate(names):
        points = [place(r["step"], r[name]) for r in history if math.isfinite(r[name])]
        for a, b in pairwise(points):
            draw.line([a, b], fill=LINE_COLOURS[i], width=2)
        for x, y in points:
            draw.ellipse([x - 2, y - 2, x + 2, y + 2], fill=LINE_COLOURS[i])
        draw.text((left + 150 * i, top + 8), name, fill=LINE_COLOURS[i])
