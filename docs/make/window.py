"""A window for pictures of the guide: opened, waited for, and taken a picture of."""

from __future__ import annotations

from pathlib import Path
from time import monotonic

import napari
import numpy as np
from PIL import Image
from qtpy.QtWidgets import QApplication

IMAGES = Path(__file__).parents[1] / "images"
SIZE = (1280, 800)


def open_window(layers):
    """A viewer of the size of all pictures, with the layers of a sample."""
    viewer = napari.Viewer(show=True)
    viewer.window.resize(*SIZE)
    for data, options, _ in layers:
        viewer.add_image(data, **options)
    return viewer


def open_widget(viewer, title):
    """One of the widgets, by the menu, with everything folded."""
    _, widget = viewer.window.add_plugin_dock_widget("napari-lle", title)
    for fold in widget.form.folds.values():
        fold.collapse(animate=False)
    return widget


def wait(condition, seconds=600):
    """Let the window work until something is so."""
    end = monotonic() + seconds
    while not condition():
        if monotonic() > end:
            raise TimeoutError("The window did not get there in time.")
        QApplication.processEvents()


def take(viewer, name, quality=92):
    """Save a picture of the window; one that is still drawing would be half empty."""
    shown = monotonic() + 2
    wait(lambda: monotonic() > shown)
    save(viewer.screenshot(canvas_only=False, flash=False), name, quality)


def save(pixels, name, quality=92):
    """Write a picture for a page."""
    IMAGES.mkdir(exist_ok=True)
    path = IMAGES / name
    picture = Image.fromarray(np.asarray(pixels)[..., :3])
    picture.save(path, quality=quality, subsampling=0, optimize=True)
    print(path.name, path.stat().st_size // 1024, "KB")
