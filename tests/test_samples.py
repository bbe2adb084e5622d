import subprocess
import sys

import numpy as np
import pytest
from napari.layers import Layer

from napari_lle import samples as _samples


def test_camera_noise_is_poisson_plus_gaussian():
    rng = np.random.default_rng(0)
    image = _samples.camera(
        np.full((400, 400), 900.0), rng, gain=2.0, read_noise=8.0, offset=50, bits=16
    )
    assert image.dtype == np.uint16
    assert image.mean() == pytest.approx(900 / 2 + 50, rel=1e-3)
    # Shot and read variance in ADU, and the rounding's 1/12.
    assert image.var() == pytest.approx((900 + 64) / 4 + 1 / 12, rel=0.02)


def test_camera_saturates_at_full_well_and_at_the_converter():
    rng = np.random.default_rng(0)
    full = _samples.camera(np.full(9, 1e6), rng, read_noise=0, offset=100, full_well=3000)
    assert (full == 3100).all()
    clipped = _samples.camera(np.full(9, 1e6), rng, offset=0, bits=8)
    assert clipped.dtype == np.uint8
    assert (clipped == 255).all()


@pytest.mark.parametrize(
    ("name", "dtype", "shape"),
    [
        ("photograph", np.uint8, (400, 600, 3)),
        ("cells", np.uint16, (16, 256, 256)),
        ("stars", np.uint16, (600, 800)),
    ],
)
def test_arrays_are_dark_and_the_same_every_time(name, dtype, shape):
    image = _samples.ARRAYS[name]()
    assert image.dtype == dtype
    assert image.shape == shape
    assert (image == _samples.ARRAYS[name]()).all()
    # Half of the pixels lie in the lowest third of the range.
    assert np.median(image) < image.min() + (float(image.max()) - image.min()) / 3
    if dtype is np.uint8:
        assert image.mean() < 40


def test_stars_reach_from_the_noise_to_saturation():
    field = _samples.stars().astype(float)
    sky = np.median(field)
    noise = 1.4826 * np.median(np.abs(field - sky))
    assert noise < 20
    assert (field.max() - sky) / noise > 3000


@pytest.mark.parametrize("provider", ["photograph_layers", "cells_layers", "stars_layers"])
def test_providers_make_layers(provider):
    for data in getattr(_samples, provider)():
        layer = Layer.create(*data)
        assert layer.ndim == (3 if "cells" in provider else 2)
    if provider == "cells_layers":
        assert [str(u) for u in layer.units] == ["micrometer"] * 3
        assert layer.scale == pytest.approx([0.5, 0.16, 0.16])


def test_samples_need_no_napari():
    code = (
        "import sys, napari_lle.samples as s; s.photograph();"
        "print([m for m in ('napari', 'qtpy', 'torch') if m in sys.modules])"
    )
    answer = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert answer.stdout.strip() == "[]"
