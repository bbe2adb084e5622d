"""Make the pictures of the user guide: ``make screenshots``."""

from __future__ import annotations

import numpy as np
from PIL import Image, ImageDraw, ImageFont
from skimage.data import coffee
from tour import tour
from window import open_widget, open_window, save, take, wait

from napari_lle import samples as _samples
from napari_lle.model import enhance

HEIGHT = 300  # of each picture in a row of them


def enhance_widget():
    """Run the widget on the dark photograph, input and result beside each other."""
    viewer = open_window(_samples.photograph_layers())
    widget = open_widget(viewer, "Enhance")
    widget.enhance()
    wait(lambda: not widget.job.running)
    grid = getattr(viewer, "canvas", viewer).grid  # napari 0.9 moved it
    grid.shape, grid.enabled = (2, 1), True
    viewer.reset_view()
    take(viewer, "enhance_widget.jpg")
    viewer.close()


def stage_inspector():
    """Look into the stages of the dark photograph as it opens: input, L and R side by side."""
    viewer = open_window(_samples.photograph_layers())
    widget = open_widget(viewer, "Stage inspector")
    wait(lambda: widget.finding is not None and not widget.job.running and not widget.working)
    take(viewer, "stage_inspector.jpg")
    viewer.close()


def training_widget():
    """Train on the dark photograph and what light there really was, annotated."""
    viewer = open_window([])
    (dark, options, _), *_ = _samples.photograph_layers()
    bright = coffee()  # what the sample was made from
    viewer.add_image(bright, name="reference", rgb=True)
    viewer.add_image(dark, **options)
    widget = open_widget(viewer, "Train on layer pairs")
    form = widget.form
    form.low.value, form.reference.value = viewer.layers[-1], viewer.layers["reference"]
    form.draw.native.click()
    wait(lambda: not widget.pairs.drawing.running)
    form.advanced["validate_every"].value, form.minutes.value = 30, 5.0  # for slow machines, too
    columns = dark.shape[1]
    labels = form.annotation.value
    marked = np.zeros(dark.shape[:2], np.uint8)
    marked[:, : columns // 2], marked[:, columns // 2 + 20 :] = 1, 2
    labels.data, labels.mode = marked, "pan_zoom"
    form.add.native.click()
    wait(lambda: not widget.job.running)
    form.split.native.click()
    wait(lambda: not widget.job.running)
    labels.visible = viewer.layers["dark photograph split"].visible = False
    form.train.native.click()
    wait(lambda: not widget.job.running)
    look_at(viewer, form.verdict.swipe.layers)
    take(viewer, "train_widget.jpg")
    widget.release()
    viewer.close()


def look_at(viewer, layers):
    """Show these layers alone, as large as they can be: the line lies in their middle."""
    for layer in viewer.layers:
        layer.visible = layer in layers
    corners = layers[0].extent.world
    canvas = viewer.window._qt_viewer.canvas.native
    camera = getattr(viewer, "scene", viewer).camera  # napari 0.9 moved it
    camera.center = (0, *corners.mean(axis=0))
    height, width = np.ptp(corners, axis=0)
    camera.zoom = 0.95 * min(canvas.height() / height, canvas.width() / width)


def before_after():
    """The three samples above, what becomes of them below."""
    columns = [column(make()) for make in _samples.ARRAYS.values()]
    gap = np.full((columns[0].shape[0], 8, 3), 255, np.uint8)
    picture = Image.fromarray(np.hstack([columns[0], gap, columns[1], gap, columns[2]]))
    draw = ImageDraw.Draw(picture)
    font = ImageFont.load_default(size=22)
    for text, top in (("input", 10), ("enhanced", HEIGHT + 18)):
        draw.text((12, top), text, fill="white", font=font, stroke_width=2, stroke_fill="black")
    save(picture, "before_after.jpg")


def column(image):
    """Input over result, of a stack the middle plane, `HEIGHT` pixels high each."""
    result = enhance(image)
    seen = (image - result.levels.black) / result.levels.span
    if image.ndim == 3 and image.shape[-1] != 3:
        seen, reflectance = seen[len(seen) // 2], result.reflectance[len(seen) // 2]
    else:
        reflectance = result.reflectance
    pictures = [small(part) for part in (seen, reflectance)]
    return np.vstack(
        [pictures[0], np.full((8, *pictures[0].shape[1:]), 255, np.uint8), pictures[1]]
    )


def small(image):
    """8-bit RGB of a common height."""
    pixels = np.rint(255 * np.clip(image, 0, 1)).astype(np.uint8)
    picture = Image.fromarray(pixels).convert("RGB")
    width = round(picture.width * HEIGHT / picture.height)
    return np.asarray(picture.resize((width, HEIGHT), Image.Resampling.LANCZOS))


if __name__ == "__main__":
    enhance_widget()
    tour()
    stage_inspector()
    training_widget()
    before_after()
