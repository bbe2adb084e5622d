"""napari alone fails when a hidden layer gets data of more axes: for a report to napari.

    xvfb-run -a python benchmarks/napari_hidden.py         # ends in an IndexError
    xvfb-run -a python benchmarks/napari_hidden.py --mend  # ends by itself

Seen with napari 0.9.2. `Layer._update_dims` leaves it to `refresh` to forget the extent, which is
cached, and `refresh` does nothing while the layer is hidden: `layer.ndim` is 3 and
``layer.extent.data`` still has the 2 axes of before. From then on whatever looks at the extent
fails, `ViewerModel._merge_dims_and_layers_axis_labels` first and `Layer._update_draw` at every
drawing after it, until the layer is shown. Mended by ``self._clear_extent()`` in
`Layer._update_dims`, after ``self.refresh()``.
"""

from __future__ import annotations

import sys

import napari
import numpy as np
from napari.layers import Layer
from qtpy.QtWidgets import QApplication


def mend() -> None:
    update = Layer._update_dims

    def update_dims(layer: Layer) -> None:
        update(layer)
        layer._clear_extent()

    Layer._update_dims = update_dims


if __name__ == "__main__":
    if "--mend" in sys.argv:
        mend()
    viewer = napari.Viewer()
    layer = viewer.add_image(np.zeros((60, 70)))
    QApplication.processEvents()
    layer.visible = False
    layer.data = np.zeros((2, 60, 70))
    QApplication.processEvents()
    viewer.close()
