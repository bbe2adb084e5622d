"""The form for noisy linear data: what a mean can and cannot do, whatever its weights."""

import numpy as np
import pytest
import torch
from helpers.models import noisy_model

from napari_lle.model import enhance, load_model, restore
from napari_lle.model.inference.options import EnhanceOptions
from napari_lle.model.inference.plan import survey
from napari_lle.model.network.blocks import screen_stretch
from napari_lle.model.network.config import ConfigError, NetworkConfig
from napari_lle.model.network.evidence import standing_out, tamed, thinned
from napari_lle.model.network.formulas import CLOSED, SHARE, SQUARE
from napari_lle.model.network.mixing import candidates
from napari_lle.model.network.network import pad


def wild(seed=0, size=0.7):
    return noisy_model(seed, size).network


def figures(typical=0.1, shot=1e-3, floor=1e-4, grain=1.2, soft=0.0):
    return torch.tensor([[0.1, 0, 0, 0, 0, 0, typical, 0.1, shot, floor, grain, soft]])


def mixture(network, image, statistics):
    x = torch.as_tensor(image, dtype=torch.float32)[None, None]
    return network.block.mixture(pad(x, network.radius), statistics)[0][0, 0].numpy()


@pytest.mark.parametrize("seed", range(3))
def test_a_mixture_lies_between_what_was_measured_but_for_the_share_of_the_unheard(seed, rng):
    image = rng.uniform(0.2, 0.6, (37, 50))
    mixed = mixture(wild(seed), image, figures())
    beyond = SHARE[0] * np.ptp(image)
    assert image.min() - beyond <= mixed.min() and mixed.max() <= image.max() + beyond
    assert mixed.std() > 1e-3


@pytest.mark.parametrize(("soft", "share"), [(0.0, SHARE[0]), (1.0, SHARE[1])])
def test_noise_passes_a_linear_filter_whatever_the_weights(rng, soft, share):
    """Where nothing is proven, the sum of two noises gives the sum of their mixtures."""
    statistics = figures(shot=0.0, floor=1e-4, grain=1.0, soft=soft)
    one, other = (rng.normal(0, 0.004, (96, 96)) for _ in range(2))
    parts = [mixture(wild(), 0.3 + n, statistics) - 0.3 for n in (one, other, one + other)]
    around = np.s_[16:-16, 16:-16]  # the coarsest means, without their extremes, are not linear
    left = parts[2] - parts[0] - parts[1]
    assert np.abs(left[around]).max() < 0.2 * parts[2].std()
    smooth = np.array([1, 2, 1]) / 4
    expected = one - one.mean()
    for axis in (0, 1):
        expected = np.apply_along_axis(np.convolve, axis, expected, smooth, mode="same")
    np.testing.assert_allclose(parts[0][around], share * expected[around], atol=5e-4)


def test_all_networks_agree_on_noise(rng):
    image = 0.3 + rng.normal(0, 0.01, (64, 64))
    one, other = (mixture(wild(s), image, figures(shot=0.0)) for s in (0, 1))
    np.testing.assert_array_equal(one, other)


THIN = {
    "a line": np.s_[6, :],
    "two pixels": np.s_[2, 2:4],
    "a slanted line": (range(12), range(12)),
}


@pytest.mark.parametrize("where", THIN.values(), ids=THIN)
@pytest.mark.parametrize("value", [0.5, 0.0])
def test_what_is_thin_is_left_to_finer_sizes(where, value):
    noise = tuple(torch.full((1, 1, 1, 1), v) for v in (0.0, 1e-4, 1.0))
    image = torch.full((1, 1, 12, 12), 0.1)
    image[0, 0][where] = value
    image[..., 9, 5] = 0.13  # noise
    expected = torch.full_like(image, 0.1)
    expected[..., 9, 5] = 0.13
    torch.testing.assert_close(thinned(image, noise, 0), expected)


def test_what_is_wide_is_not_thin_but_at_its_corners():
    noise = tuple(torch.full((1, 1, 1, 1), v) for v in (0.0, 1e-4, 1.0))
    image = torch.full((1, 1, 16, 16), 0.1)
    image[..., 5:11, 4:12] = 0.5
    changed = (thinned(image, noise, 0) != image)[0, 0].numpy()
    assert not changed[:, 6:10].any() and not changed[7:9].any() and 0 < changed.sum() <= 16


def test_a_square_stands_out_sooner_than_its_pixels():
    deviation = torch.zeros(1, 1, 5, 5)
    deviation[..., 1:4, 1:4] = 3.0
    found = standing_out(deviation)[0, 0]
    assert found[1, 1] == pytest.approx(9.0) and found[1, 1] > max(CLOSED) > 3
    assert found[0, 0] == pytest.approx(4.0)


def test_a_flat_image_stays_flat_and_becomes_its_stretch():
    statistics = figures()
    flat = torch.full((1, 1, 30, 41), 0.07)
    network = wild()
    r = network.block.reflectance(pad(flat, network.radius), statistics)
    torch.testing.assert_close(r, screen_stretch(flat, statistics))


def test_candidates_are_means_of_what_they_say():
    fine = torch.arange(25.0).reshape(1, 1, 5, 5) ** 2
    known = torch.full((1, 1, 3, 3), 7.0)
    found = candidates(known, fine)[0, :, 1, 1]
    v = fine[0, 0]
    expected = [7, v[2, 2], v[2, 1:4].mean(), v[1:4, 2].mean(), torch.diagonal(v)[1:4].mean()]
    expected += [torch.diagonal(v.flip(1))[1:4].mean(), v[1:4, 1:4].mean()]
    torch.testing.assert_close(found, torch.tensor([float(e) for e in expected]))


def test_a_lone_pixel_is_kept_out_of_the_means():
    noise = tuple(torch.full((1, 1, 1, 1), v) for v in (0.0, 1e-4, 1.0))
    image = torch.full((1, 1, 9, 9), 0.1)
    image[0, 0, 2, 2], image[0, 0, 6, 6], image[0, 0, 6, 2] = 0.9, 0.0, 0.12
    tame, hot = tamed(image, noise)
    assert tame[0, 0, 2, 2] == pytest.approx(0.1) and tame[0, 0, 6, 6] == pytest.approx(0.1)
    assert tame[0, 0, 6, 2] == pytest.approx(0.12)  # 2 deviations are noise
    assert hot[0, 0, 2, 2] and hot.sum() == 1


def test_a_hot_pixel_stays_and_does_not_touch_its_neighbours():
    statistics, network = figures(shot=0.0, floor=1e-4), wild()
    image = np.random.default_rng(3).normal(0.1, 0.01, (48, 48))
    hot = image.copy()
    hot[20, 23] = 0.8
    change = mixture(network, hot, statistics) - mixture(network, image, statistics)
    assert change[20, 23] > 0.65
    change[20, 23] = 0
    assert np.abs(change).max() < 0.02  # its own noise left the means with it


@pytest.mark.parametrize("tile", [64, 100])
def test_tiles_are_the_whole(tile, rng):
    image = rng.poisson(8, (150, 131)).astype(np.uint16)
    whole, cut = (enhance(image, "science", tile=t).reflectance for t in (4096, tile))
    np.testing.assert_allclose(cut, whole, atol=2e-6)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32])
def test_what_was_measured_comes_back(dtype, rng):
    image = rng.poisson(5, (40, 33)).astype(dtype)
    image[3, 3] = 0  # below black: lifted in R, and negative or 0 in L
    result = enhance(image, "science")
    assert (result.reflectance >= 0).all()
    np.testing.assert_array_equal(
        restore(result.reflectance, result.illumination, result.levels), image
    )


def test_the_same_pixels_as_a_photograph_of_three_equal_colours(rng):
    image = rng.poisson(8, (50, 40)).astype(np.uint16) + np.uint16(2)
    levels = {"black": 0, "white": 30}
    grey = enhance(image, "science", **levels).reflectance
    colours = enhance(np.stack([image] * 3, -1), "science", **levels).reflectance
    for c in range(3):
        np.testing.assert_allclose(colours[..., c], grey, atol=0.02)


def test_units_do_not_matter(rng):
    image = rng.poisson(8, (64, 64)).astype(np.float64)
    first = enhance(image, "science").reflectance
    for k, c in ((1e-3, -50), (7, 0), (1e3, 1e3)):
        np.testing.assert_allclose(enhance(k * image + c, "science").reflectance, first, atol=1e-4)


def test_noise_falls_where_there_is_nothing_and_steps_stay(rng):
    light = np.full((128, 128), 20.0)
    light[:, 64:] = 200
    image = rng.poisson(light).astype(np.uint16)
    r = enhance(image, "science").reflectance
    plain = enhance(image, "science:global").reflectance
    for part in (np.s_[8:-8, 8:56], np.s_[8:-8, 72:-8]):
        assert r[part].std() < 0.35 * plain[part].std()
    before, after = (float(np.diff(a[8:-8, 62:66].mean(axis=0)).max()) for a in (plain, r))
    assert after > 0.9 * before


def test_the_noise_is_surveyed_for_this_form_only(rng):
    image = rng.poisson(30, (64, 64)).astype(np.uint16)
    known = survey(image, EnhanceOptions(model="science"))
    span = known.levels.span
    assert known.statistics.shot * span == pytest.approx(1, rel=0.5)  # an electron a unit
    assert survey(image, EnhanceOptions(model="linear")).statistics.shot == 0


def test_global_mode_is_the_plain_stretch(rng):
    image = rng.poisson(8, (50, 40)).astype(np.uint16)
    one, other = (enhance(image, m).reflectance for m in ("science:global", "linear:global"))
    np.testing.assert_allclose(one, other, atol=1e-6)


def test_what_no_count_is_near_is_black(rng):
    """R of a cut-off image fades around its only counts; where these are dense it does not."""
    network = wild()
    sparse = np.zeros((64, 64))
    sparse[30:32, 30:32] = 0.4
    x = torch.as_tensor(sparse, dtype=torch.float32)[None, None]
    stage = network(x.expand(-1, 3, -1, -1), figures(shot=0.0), stages=1)[0]
    r = stage.reflectance[0, 0].numpy()
    away = np.hypot(*(np.arange(64)[axis] - 30.5 for axis in np.ogrid[:64, :64]))
    assert (r[30:32, 30:32] > 0.1).all() and r[away > 12].max() < 1e-5
    _, near = network.block.mixture(pad(x, network.radius), figures(shot=0.0))
    alone = np.exp(-0.5 * (np.arange(-8, 9) / 2) ** 2)
    expected = sum(np.convolve(np.eye(64)[k], alone, mode="same") for k in (30, 31))
    np.testing.assert_allclose(near[0, 0], np.minimum(np.outer(expected, expected), 1), atol=1e-6)

    dense = torch.as_tensor(np.where(rng.random((64, 64)) < 0.1, 0, 0.3), dtype=torch.float32)
    _, near = network.block.mixture(pad(dense[None, None], network.radius), figures())
    assert (near == 1).all()


def test_what_is_read_is_what_matters():
    """The gradient of a pixel lies within the receptive field that the network tells."""
    network = wild(1, 0.1)
    side = 2 * network.reach() + 40
    image = torch.rand(1, 1, side, side)
    at = side // 2 // SQUARE * SQUARE + 3
    image[..., at, at] = 0.5  # within its neighbours' range: a lone pixel would be itself
    image.requires_grad_()
    network.block.mixture(pad(image, network.radius), figures())[0][0, 0, at, at].backward()
    rows = torch.nonzero(image.grad[0, 0].abs().sum(dim=1)).flatten()
    first, last = network.block.reads(at, at)
    assert first <= rows.min() and rows.max() <= last
    assert rows.max() - rows.min() > 6 * SQUARE  # and it looks far


def test_the_bundled_model_is_as_small_as_the_paper_says():
    model = load_model("science")
    assert model.network.config.reflectance == "mixing"
    assert 1250 <= model.network.inference_parameters() <= 1349


def test_another_size_of_the_illumination_is_refused_with_a_reason():
    with pytest.raises(ConfigError, match="illumination_scale of 1"):
        NetworkConfig("mixing", modulated=2, illumination_scale=2)
    with pytest.raises(ValueError, match="illumination_scale of 1"):
        enhance(np.ones((9, 9), np.uint16), "science", illumination_scale=2)
