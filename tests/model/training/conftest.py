import numpy as np
import pytest
from skimage import data as pictures
from skimage.transform import resize

from napari_lle.model.data.pairs import Pair


@pytest.fixture(scope="module")
def pairs():
    rng = np.random.default_rng(0)
    found = []
    for i, name in enumerate(("astronaut", "coffee", "chelsea", "astronaut")):
        reference = resize(getattr(pictures, name)(), (48, 64), anti_aliasing=True)
        photons = rng.poisson(reference * 40) / 40 / 8
        low = np.clip(np.rint(photons * 255), 0, 255) / 255
        found.append(Pair(f"{i}", low.astype(np.float32), reference.astype(np.float32)))
    return found


@pytest.fixture(scope="module")
def alone(pairs):
    return [Pair(p.name, p.low, p.low) for p in pairs]
