"""Dark images, and what the network makes of them."""

import numpy as np

from napari_lle.model.inference.enhance import estimate_steps
from napari_lle.model.inference.options import EnhanceOptions
from napari_lle.model.progress import finish

rng = np.random.default_rng(0)


def dark(shape, dtype="uint8", top=60):
    return (rng.gamma(2, 0.2, shape).clip(0, 1) * top).astype(dtype)


def steps_of(image, model, known=None, **options):
    return estimate_steps(image, EnhanceOptions(model=model, **options), known)


def estimate(image, model, known=None, **options):
    return finish(steps_of(image, model, known, **options))
