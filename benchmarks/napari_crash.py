"""napari alone dies of a segmentation fault after a layer was removed: for a report to napari.

    xvfb-run -a python benchmarks/napari_crash.py         # dies in glDrawArrays
    xvfb-run -a python benchmarks/napari_crash.py --fix  # ends by itself

Seen with napari 0.9.2, vispy 0.17.0, Qt 6.11.0 (PyQt6) and Mesa 22.3.6 (llvmpipe and softpipe).

`VispyCanvas._clean_and_update_scenegraph` calls ``context.finish()``, which sends what vispy has
queued, ``glDeleteProgram`` of the removed layer among it, without making the canvas's context
current. After the window was painted, Qt's own context is, in which it composes the window. The
contexts share their names, so the program goes, but the canvas's context does not hear of it, and
the next image that is drawn dereferences a null pointer in the driver. Reports of access violations
on Windows, napari issues 6472 and 8471, end in the same call. Fixed by one line before
``finish()``: ``self.native.makeCurrent()``.
"""

from __future__ import annotations

import faulthandler
import sys

import napari
import numpy as np
from qtpy.QtWidgets import QApplication

faulthandler.enable()
viewer = napari.Viewer()
if "--fix" in sys.argv:
    canvas = viewer.window._qt_viewer.canvas.native
    viewer.layers.events.removing.connect(lambda: canvas.makeCurrent())
pixels = np.zeros((60, 70))
for _ in range(2):
    viewer.add_image(pixels)
    QApplication.processEvents()
viewer.layers.pop(0)
QApplication.processEvents()
viewer.add_image(pixels)
QApplication.processEvents()
viewer.close()
