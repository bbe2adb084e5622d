"""Make the pictures of the user guide: ``make screenshots``."""

from __future__ import annotations

from pathlib import Path
from time import monotonic

import napari
import numpy as np
from PIL import Image, ImageDraw, ImageFont
from qtpy.QtWidgets import QApplication

from napari_lle import _samples
from napari_lle.model import enhance

IMAGES = Path(__file__).parent / "images"


def wait(condition, seconds=60):
    """Let the window work until something is so."""
    end = monotonic() + seconds
    while not condition():
        if monotonic() > end:
            raise TimeoutError("The window did not get there in time.")
        QApplication.processEvents()


def save(pixels, name):
    """Write a PNG, with a palette of 256 colours where it would be too heavy for a page."""
    IMAGES.mkdir(exist_ok=True)
    path = IMAGES / name
    picture = Image.fromarray(np.asarray(pixels)[..., :3])
    picture.save(path, optimize=True)
    if path.stat().st_size > 500_000:
        picture.quantize(256).save(path, optimize=True)
    print(path.name, path.stat().st_size // 1024, "KB")


def enhance_widget():
    """Run the widget on the dark photograph, input and result beside each other."""
    viewer = napari.Viewer(show=True)
    viewer.window.resize(1300, 800)
    for data, options, _ in _samples.photograph_layers():
        viewer.add_image(data, **options)
    _, widget = viewer.window.add_plugin_dock_widget("napari-lle", "Enhance")
    widget.enhance()
    wait(lambda: not widget.job.running)
    grid = getattr(viewer, "canvas", viewer).grid  # napari 0.9 moved it
    grid.shape, grid.enabled = (2, 1), True
    viewer.reset_view()
    shown = monotonic() + 1  # a picture of a window that is still drawing is half empty
    wait(lambda: monotonic() > shown)
    save(viewer.screenshot(canvas_only=False, flash=False), "enhance_widget.png")
    viewer.close()


def before_after():
    """Put the dark photograph and its result side by side."""
    dark = _samples.photograph()
    result = enhance(dark).reflectance
    bright = np.rint(255 * np.clip(result, 0, 1)).astype(np.uint8)
    gap = np.full((dark.shape[0], 8, 3), 255, np.uint8)
    picture = Image.fromarray(np.concatenate([dark, gap, bright], axis=1))
    draw = ImageDraw.Draw(picture)
    font = ImageFont.load_default(size=22)
    for text, left in (("input", 12), ("enhanced", dark.shape[1] + 20)):
        draw.text((left, 10), text, fill="white", font=font, stroke_width=2, stroke_fill="black")
    save(np.asarray(picture), "before_after.png")


if __name__ == "__main__":
    enhance_widget()
    before_after()
