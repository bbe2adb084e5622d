"""A scene as layers, and Training widgets with quick settings."""

import numpy as np
import pytest
from napari.components import ViewerModel
from skimage import data as pictures
from skimage.transform import resize

from napari_lle.widgets.training.widget import TrainWidget


@pytest.fixture(scope="module")
def scene():
    bright = (resize(pictures.coffee(), (80, 96), anti_aliasing=True) * 255).astype(np.uint8)
    return bright // 8, bright


@pytest.fixture
def viewer(scene):
    viewer = ViewerModel()
    for name, image in zip(("dark", "bright"), scene, strict=True):
        viewer.add_image(image, name=name, rgb=True, scale=(0.5, 0.5), units=("um", "um"))
    return viewer


@pytest.fixture
def make(keep, model_file):
    """Build a widget with quick settings for a viewer."""

    def build(viewer):
        widget = keep(TrainWidget(viewer))
        widget.form.model.use(str(model_file))
        widget.form.minutes.min = widget.form.minutes.value = 0.02  # less than people may choose
        for name, value in (("batch", 2), ("crop", 24), ("validate_every", 2)):
            widget.form.advanced[name].value = value
        return widget

    return build
