"""Walk one image through the package that is on the path, for `house.py`.

It is run by itself, because the package is that of another revision.
"""

import importlib
import json
import sys
import time
from pathlib import Path

import numpy as np
import yaml
from helpers.walk import SHAPE, watched, watched_jobs
from napari.components import ViewerModel
from qtpy.QtWidgets import QApplication

import napari_lle
from napari_lle.model import enhance, kernels

list(kernels.warm_up(["photo"]))
kernels._background = True  # which is not to compile others meanwhile
image = np.random.default_rng(0).integers(0, 60, SHAPE).astype(np.uint8)
enhance(image)
with watched() as by_function:
    enhance(image)

manifest = yaml.safe_load((Path(napari_lle.__file__).parent / "napari.yaml").read_text())
commands = {each["id"]: each["python_name"] for each in manifest["contributions"]["commands"]}
module, name = commands["napari-lle.enhance"].split(":")
app = QApplication([])
viewer = ViewerModel()
viewer.add_image(image, rgb=True)
widget = getattr(importlib.import_module(module), name)(viewer)
while getattr(getattr(widget, "levels", 0), "found", 0) is None:
    app.processEvents()  # a histogram
with watched_jobs() as by_widget:
    widget.enhance()
    while widget.job.running:
        app.processEvents()
        time.sleep(0.01)
widget.release()
found = {}
for name, walk in (("enhance", by_function), ("widget", by_widget)):
    passes = walk.passes()
    found[name] = {"calls": len(walk.entries), "modules": len(passes), "most": max(passes.values())}
Path(sys.argv[1]).write_text(json.dumps(found))
