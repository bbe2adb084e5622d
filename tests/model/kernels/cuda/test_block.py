"""The fused block against the network itself."""

import numpy as np
import pytest
from helpers.cuda import KINDS, STATISTICS, by_torch, fused, model, photograph, picture, run
from helpers.models import FORMS

from napari_lle.model import kernels, load_model
from napari_lle.model.inference.estimate import Estimate
from napari_lle.model.inference.planes import Seen
from napari_lle.model.inference.restoring import in_input_dtype
from napari_lle.model.network.bundled import bundled_models
from napari_lle.model.preprocessing.levels import Levels

WHOLE = [n for n in bundled_models() if load_model(n).network.grid == 1]
SHAPES = [(20, 23), (1, 1), (1, 9), (3, 2)]
# How a block ends does not meet the number of colours, nor the activation: each stands once.
CASES = [(kind, 3, "relu") for kind in KINDS]
CASES += [("cleaning", 1, "relu"), ("cleaning", 3, "prelu"), ("metering", 1, "prelu")]


def by_kernels(network, x, size=512, **options):
    shape = (*x.shape[1:], 3) if len(x) == 3 else x.shape[1:]
    return run(fused(network, len(x), **options), network, x, shape, size=size)


def reflected(x, light):
    return (np.moveaxis(x, 0, -1) if len(x) == 3 else x[0]) / light


@pytest.mark.parametrize(("kind", "colours", "activation"), CASES)
def test_the_kernels_are_the_network(kind, colours, activation):
    network = model(kind, activation=activation).network
    x = picture(colours, SHAPES[0])
    expected = by_torch(network, x)
    for half, most in ((False, 1e-5), (True, 1e-3)):
        light = by_kernels(network, x, half=half)
        assert np.abs(light - expected).max() <= most
        assert np.abs(reflected(x, light) - reflected(x, expected)).max() <= most


def test_a_reduced_illumination_is_left_to_torch(monkeypatch):
    monkeypatch.delenv(kernels.SWITCH, raising=False)
    assert kernels.find(load_model("photo-quarter").network, 3, "cuda") is None


@pytest.mark.parametrize(("name", "colours"), [*((name, 3) for name in WHOLE), ("linear", 1)])
def test_trained_networks_keep_their_results(name, colours):
    network = model(name).network
    x = picture(colours, SHAPES[0])
    expected = by_torch(network, x)
    whole, half = by_kernels(network, x), by_kernels(network, x, half=True)
    assert np.abs(whole - expected).max() <= 1e-5
    assert 1e-5 < np.abs(half - expected).max() <= 1e-3  # it is kept in halves, and that is enough
    assert np.abs(reflected(x, half) - reflected(x, expected)).max() <= 1e-3


@pytest.mark.parametrize(("shape", "colours"), [*zip(SHAPES[1:], (3, 1, 3), strict=True)])
def test_images_smaller_than_the_halo(shape, colours):
    network = model("cleaning").network
    x = picture(colours, shape)
    np.testing.assert_allclose(by_kernels(network, x), by_torch(network, x), rtol=0, atol=1e-5)


def test_layouts_of_other_sizes_and_reaches():
    sizes = {"dilations": (1, 7), "branch_width": 3, "widths": (5, 9), "activation": "prelu"}
    network = model("stretching", **sizes).network
    x = picture(3, (20, 23))
    np.testing.assert_allclose(by_kernels(network, x), by_torch(network, x), rtol=0, atol=1e-5)


def test_numbers_outside_the_range_are_the_networks_too():
    x = picture(3, (20, 23))
    x[:, 12, 13] = [-0.2, 5.0, 0.0]
    for kind in FORMS:
        network = model(kind).network
        np.testing.assert_allclose(by_kernels(network, x), by_torch(network, x), atol=1e-5)


@pytest.mark.parametrize(("half", "colours"), [(False, 3), (True, 1)])
def test_any_cut_gives_the_same_bits(half, colours):
    network = model("cleaning").network
    x = picture(colours, (20, 38))
    whole = by_kernels(network, x, half=half)
    assert (by_kernels(network, x, size=17, half=half) == whole).all()
    small = fused(network, colours, half=half, block=(16, 32))
    assert (run(small, network, x, whole.shape) == whole).all()


LEVELS = {"uint8": (3.3, 97.1), "uint16": (101.7, 4003.9)}
# Bytes in all shapes; words in one of each kind, for what shapes differ in does not meet the dtype.
STORED = [
    ("uint8", "per", (20, 23, 3)),
    ("uint8", "joint", (20, 23, 3)),
    ("uint8", "joint", (20, 23)),
    ("uint8", "per", (20, 23, 4)),
    ("uint8", "joint", (20, 23, 4)),
    ("uint16", "per", (20, 23, 4)),
    ("uint16", "joint", (20, 23)),
]


@pytest.mark.parametrize(("dtype", "channels", "shape"), STORED)
def test_stored_integers_go_in_and_come_out(dtype, channels, shape):
    image = photograph(shape, dtype)
    colours = 3 if channels == "per" else 1
    rgb = len(shape) == 3
    network = model("cleaning").network
    darkest = float(network.block.darkest(STATISTICS))
    seen = Seen(image, Levels(*LEVELS[dtype], dtype), rgb, channels == "per")
    path = fused(network, colours)
    shape_of_light = (20, 23, 3) if colours == 3 else (20, 23)
    light = run(path, network, seen, shape_of_light)
    # Normalised on the device to the last bit: the same light as of what NumPy normalised.
    floats = seen[:, :, :][:colours]
    assert (light == run(path, network, floats, shape_of_light)).all()
    estimate = Estimate(image, light, seen.levels, rgb, darkest)
    expected = in_input_dtype(estimate.result())
    made = run(fused(network, colours, picture=True), network, seen, shape, dtype)
    assert (made == expected).all()


def test_what_is_no_uint8_or_uint16_has_no_picture():
    network = model("division").network
    with pytest.raises(ValueError, match="take the illumination"):
        run(fused(network, 1, picture=True), network, picture(1, (8, 9)), (8, 9))
