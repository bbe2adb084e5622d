"""The pictures of the tour in the guide, in its order; a part of ``make screenshots``."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory

from window import open_widget, open_window, take, wait

from napari_lle import samples as _samples

QUALITY = 88


def tour():
    """From opening a sample to saving the picture and restoring what was measured."""
    viewer = open_window(_samples.cells_layers())
    widget = open_widget(viewer, "Enhance")
    form = widget.form
    wait(lambda: widget.preview.layer is not None and widget.levels.found is not None)
    take(viewer, "tour_preview.jpg", QUALITY)

    form.run.native.click()
    wait(lambda: not widget.job.running)
    form.folds["Compare"].expand(animate=False)
    form.compare.swipe.value = True
    wait(lambda: bool(widget.gallery._asked))
    wait(lambda: not widget.gallery._todo and not widget.gallery.job.running)
    take(viewer, "tour_compare.jpg", QUALITY)

    form.compare.swipe.value = False
    form.folds["Compare"].collapse(animate=False)
    for title in ("Save", "More"):
        form.folds[title].expand(animate=False)
    form.tone.all()[1].value = 0.35  # brightness
    with TemporaryDirectory() as folder:
        widget.saver.save(str(Path(folder) / "cells.png"))
        wait(lambda: not widget.saver.job.running)
    take(viewer, "tour_save.jpg", QUALITY)

    form.result.restore.native.click()
    wait(lambda: "dim cells restored" in viewer.layers)
    take(viewer, "tour_restore.jpg", QUALITY)
    viewer.close()
