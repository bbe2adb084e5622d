from types import SimpleNamespace

import numpy as np
import pytest
from napari.layers import Image

from napari_lle.model.inference.looks import look_options
from napari_lle.widgets.enhance.warming import needed_models

COLOURS, GREY = np.zeros((8, 9, 3), np.uint8), np.zeros((8, 9), np.uint16)


def needed(pixels, model):
    """With a form that holds nothing else."""
    layer = None if pixels is None else Image(pixels, rgb=pixels.ndim == 3)
    image, together = SimpleNamespace(value=layer), SimpleNamespace(value=False)
    options = look_options(model=model)
    return needed_models(SimpleNamespace(image=image, together=together, options=lambda: options))


@pytest.mark.parametrize(
    ("pixels", "model", "first"),
    [
        (COLOURS, "auto", ["photo"]),
        (GREY, "auto", ["science"]),
        (GREY, "linear:global", ["linear"]),
        (GREY, "stretch:mtf", []),
        (GREY, "of/my/own.safetensors", []),
        (None, "auto", []),
    ],
)
def test_the_open_image_tells_what_is_compiled_first(pixels, model, first):
    assert needed(pixels, model) == first
