"""The kernel of the form for noisy data, held equal to the network."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from helpers.models import noisy_model

from napari_lle.model import enhance, enhance_stored, kernels, load_model
from napari_lle.model.inference.planes import fill_plane
from napari_lle.model.inference.restoring import in_input_dtype
from napari_lle.model.network.formulas import DARKEST, SOFT_PLACE

pytest.importorskip("numba")
from napari_lle.model.kernels import forms
from napari_lle.model.kernels.cpu import compiled, mixing_runner, runner
from napari_lle.model.kernels.cpu.fused import widest

STATISTICS = torch.tensor([[0.1, 0, 0, 0, 0, 0, 0.05, 0.1, 1e-3, 1e-5, 1.2, 0.0]])


def kernel(network):
    layout = forms.layout(network.config, 1)
    compiled.compile_kernel(layout)
    return compiled.load_kernel(layout)


def sky(shape, seed=0):
    """Stars of all sizes over noise, squares, and hot and dark pixels; 0..1."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[: shape[0], : shape[1]]
    image = 0.05 + 0.2 * (y // 23 % 5 == 1) * (x // 31 % 4 == 2)
    for _ in range(max(image.size // 900, 1)):
        middle, size = rng.uniform(0, shape), rng.uniform(0.7, 3)
        distance = (y - middle[0]) ** 2 + (x - middle[1]) ** 2
        image += rng.pareto(1.5) * 0.05 * np.exp(-distance / 2 / size**2)
    image += rng.normal(size=shape) * np.sqrt(1e-3 * image + 1e-5)
    image[rng.random(shape) < 2e-3] = 1
    image[rng.random(shape) < 2e-3] = 0
    return image.clip(0, 1).astype(np.float32)


def fused(network, x, statistics=STATISTICS):
    """L of (H, W) or (H, W, 3)."""
    out = np.full(x.shape, np.nan, np.float32)
    planes = np.moveaxis(x, -1, 0) if x.ndim == 3 else np.broadcast_to(x, (3, *x.shape))
    steps = list(runner.strips(kernel(network), network, planes, statistics, out))
    assert [done for done, _ in steps] == list(range(1, steps[0][1] + 1))
    return out


def plain(network, x, statistics=STATISTICS):
    out = np.empty(x.shape, np.float32)
    planes = np.moveaxis(x, -1, 0) if x.ndim == 3 else np.broadcast_to(x, (3, *x.shape))
    list(fill_plane(network, np.ascontiguousarray(planes), statistics, out, 4096))
    return out


def assert_equal(network, x, statistics=STATISTICS):
    ours, theirs = fused(network, x, statistics), plain(network, x, statistics)
    lifted = np.maximum(x, DARKEST)
    np.testing.assert_allclose(lifted / ours, lifted / theirs, rtol=1e-5, atol=1e-5)


@pytest.fixture(scope="module", params=["science", "random"])
def network(request):
    return (load_model("science") if request.param == "science" else noisy_model(size=0.25)).network


@pytest.mark.parametrize("shape", [(1, 1), (1, 9), (5, 3), (15, 17), (57, 83), (131, 204)])
def test_the_kernel_is_the_network(network, shape):
    assert_equal(network, sky(shape))


@pytest.mark.parametrize("soft", [0.3, 1.0])
def test_the_kernel_is_the_network_on_soft_images(network, soft):
    statistics = STATISTICS.clone()
    statistics[:, SOFT_PLACE] = soft
    x = sky((131, 204))
    assert_equal(network, x, statistics)
    assert (fused(network, x, statistics) != fused(network, x)).any()


def test_each_colour_is_treated_by_itself(network):
    x = np.stack([sky((40, 51), seed) for seed in range(3)], axis=-1)
    assert_equal(network, x)
    for k in range(3):
        alone = fused(network, np.ascontiguousarray(x[..., k]))
        assert (fused(network, x)[..., k] == alone).all()


@pytest.mark.parametrize("value", [0.0, 1e-4, 0.3, 1.0])
def test_a_flat_image_stays_flat(network, value):
    x = np.full((33, 50), value, np.float32)
    assert_equal(network, x)
    light = fused(network, x)
    np.testing.assert_allclose(light, light[0, 0], rtol=1e-6)


@pytest.mark.parametrize("noise", [(0.0, 3e-11, 1.0), (0.3, 1e-2, 1.5), (1e-6, 1e-8, 0.9)])
def test_any_noise_from_rounding_to_nothing_else(noise):
    network = load_model("science").network  # weights by chance make much of rounding itself
    statistics = STATISTICS.clone()
    statistics[:, 8:11] = torch.tensor(noise)
    assert_equal(network, np.random.default_rng(1).random((70, 90), np.float32), statistics)


def test_where_nothing_is_heard_h_is_not_asked(network, monkeypatch):
    """Noise alone comes out the same whatever the weights."""
    x = np.random.default_rng(2).normal(0.1, 0.01, (90, 110)).astype(np.float32)
    statistics = STATISTICS.clone()
    statistics[:, 8:11] = torch.tensor([0.0, 1e-4, 1.0])
    found = kernel(network)
    silent = found._replace(choose=lambda *_: None)
    for other, same in ((x, True), (sky((90, 110)), False)):
        out, planes = np.empty(x.shape, np.float32), np.broadcast_to(other, (3, *x.shape))
        list(runner.strips(silent, network, planes, statistics, out))
        light = fused(network, other, statistics)
        assert (out == light).all() == same


@pytest.mark.parametrize(("pixels", "rows"), [(1, 16), (1, 48), (9000, 16), (1 << 30, 128)])
def test_any_cut_gives_the_same_bits(network, pixels, rows, monkeypatch):
    x = sky((150, 140))
    whole = fused(network, x)
    monkeypatch.setattr(mixing_runner, "PIXELS", pixels)
    monkeypatch.setattr(mixing_runner, "LEAST_BAND", rows)
    assert (fused(network, x) == whole).all()


def test_a_part_is_that_part_of_the_whole(network):
    """With the halo that the network asks for, from a multiple of its grid."""
    x, halo = sky((600, 640), 3), network.radius
    whole = fused(network, x)
    part = fused(network, np.ascontiguousarray(x[16:571, 32:601]))
    inner = (slice(halo, 555 - halo), slice(halo, 569 - halo))
    assert (part[inner] == whole[16:571, 32:601][inner]).all()


def test_wide_images_are_asked_about_in_parts(network):
    assert_equal(network, sky((20, 2 * widest(0) + 37)))


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32, ">u2"])
@pytest.mark.parametrize("channels", [(), (3,), (4,)])
def test_stored_pixels_are_enhanced_and_written(dtype, channels, monkeypatch):
    image = (sky((64, 75, *channels[:0]), 4) * 250).astype(dtype)
    if channels:
        image = np.stack([image] * channels[0], axis=-1)
        image[..., 1] //= 2
    kernel(load_model("science").network)
    options = {"rgb": bool(channels), "channels": "per" if channels else "auto"}
    by_torch = enhance(image, "science", **options)
    monkeypatch.delenv(kernels.SWITCH)
    made = enhance(image, "science", **options)
    assert (by_torch.record["kernel"], made.record["kernel"]) == ("torch", "numba")
    np.testing.assert_allclose(made.reflectance, by_torch.reflectance, rtol=0, atol=1e-5)
    stored = enhance_stored(image, "science", **options)
    levels = stored.astype(float) - in_input_dtype(made)
    assert stored.dtype == image.dtype.newbyteorder("=") and np.abs(levels).max() <= 1


def test_missing_pixels_stay_missing_and_spread_nothing(monkeypatch):
    image = sky((60, 70), 5)
    image[20:23, 30] = np.nan
    monkeypatch.delenv(kernels.SWITCH)
    network = load_model("science").network
    assert kernels.find(network, 1) is not None
    made = enhance(image, "science").reflectance
    monkeypatch.setenv(kernels.SWITCH, "torch")
    np.testing.assert_allclose(made, enhance(image, "science").reflectance, atol=1e-5)
    assert (np.isnan(made) == np.isnan(image)).all()


def test_nothing_is_compiled_while_it_runs(network):
    found = kernel(network)
    before = {name: part.signatures for name, part in compiled._ready.items()}
    fused(network, sky((40, 40)))
    assert found == kernel(network)
    assert {name: part.signatures for name, part in compiled._ready.items()} == before


def test_one_kernel_serves_grey_and_colours():
    network = noisy_model().network
    assert forms.layout(network.config, 1) == forms.layout(network.config, 3)
    assert forms.plain(network) and forms.trainable(network)
    wider = replace(network.config, dilations=(1, 300))
    assert not forms.plain(type(network)(wider))


def test_an_image_without_noise_is_the_network_s_too(network):
    """Its edges stand out by thousands of deviations, of which float32 keeps three digits less."""
    y, x = np.mgrid[:90, :110]
    clean = (0.1 + 0.5 * ((x // 17 + y // 13) % 3 == 1) * x / 110).astype(np.float32)
    quiet = STATISTICS * torch.tensor([1, 1, 1, 1, 1, 1, 1, 1, 0, 0, 1.0, 1])
    ours, theirs = fused(network, clean, quiet), plain(network, clean, quiet)
    lifted = np.maximum(clean, DARKEST)
    np.testing.assert_allclose(lifted / ours, lifted / theirs, atol=2e-3)
