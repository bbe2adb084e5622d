import numpy as np
import pytest
from scipy.ndimage import gaussian_filter

from napari_lle.model.evaluation.simulate import add_star, camera
from napari_lle.model.preprocessing.noise import Noise, fit_noise, left_in_means

SIDE = 512
GAIN, READ, OFFSET = 0.5, 3.0, 200  # electrons per ADU, electrons, ADU


def field(peak, rng):
    """Expected electrons: a ramp with stars and filaments on it."""
    light = np.broadcast_to(np.linspace(0.03, 0.8, SIDE) * peak, (SIDE, SIDE)).copy()
    for row, column in rng.uniform(0, SIDE, (60, 2)):
        add_star(light, row, column, peak)
    light[40:42] += 0.2 * peak
    return light


def deviations(noise, peak, unit=1 / GAIN, offset=OFFSET):
    """Estimated over true deviation of pixels of three brightnesses."""
    electrons = np.array([0.1, 0.3, 0.7]) * peak
    true = np.sqrt((electrons + READ**2) * unit**2 + 1 / 12)
    return np.sqrt(noise.variance(electrons * unit + offset)) / true


@pytest.mark.parametrize("peak", [25, 90, 600, 4000])
@pytest.mark.parametrize("hot", [False, True])
def test_the_noise_of_a_camera_is_found(peak, hot, rng):
    image = camera(field(peak, rng), rng, gain=GAIN, read_noise=READ, offset=OFFSET, full_well=1e6)
    if hot:
        image.flat[rng.integers(0, image.size, image.size // 2000)] = 60_000
    noise = fit_noise(image, black=OFFSET)
    assert noise.gain == pytest.approx(GAIN, rel=0.1)
    np.testing.assert_allclose(deviations(noise, peak), 1, atol=0.1)
    np.testing.assert_allclose(deviations(fit_noise(image), peak), 1, atol=0.1)


@pytest.mark.parametrize("peak", [25, 90])
def test_eight_bits_that_clip_the_background_do_not_hide_the_noise(peak, rng):
    unit = 200 / peak  # ADU per electron; without light, half of the pixels are clipped
    read = np.sqrt(field(peak, rng) + READ**2)
    electrons = field(peak, np.random.default_rng(0)) + read * rng.standard_normal(read.shape)
    image = np.clip(np.rint(electrons * unit), 0, 255).astype(np.uint8)
    assert (image == 0).mean() > 0.005
    noise = fit_noise(image, black=0)
    np.testing.assert_allclose(deviations(noise, peak, unit, 0)[1:], 1, atol=0.1)


def test_noise_that_does_not_grow_has_no_gain(rng):
    ramp = np.broadcast_to(np.linspace(0, 1, 400), (400, 400))
    noise = fit_noise((ramp + rng.normal(0, 0.02, ramp.shape)).astype(np.float32))
    assert noise.read_noise == pytest.approx(0.02, rel=0.05)
    np.testing.assert_allclose(noise.variance([0.0, 1.0]), 0.02**2, rtol=0.1)
    assert noise.grain == pytest.approx(1, abs=0.05)


def test_the_unit_of_the_image_is_the_unit_of_its_noise(rng):
    image = rng.poisson(np.broadcast_to(np.linspace(20, 400, 300), (300, 300))).astype(float)
    first, second = fit_noise(image, black=0), fit_noise(7 * image - 30, black=-30)
    assert second.gain == pytest.approx(first.gain / 7)
    assert second.read_noise == pytest.approx(7 * first.read_noise)
    a, b = second.normalized(-30, 670)
    assert a == pytest.approx(1 / (first.gain * 100), rel=1e-6)
    x = np.array([0.3, 0.9])
    bright = second.variance(700 * x - 30) / 700**2
    np.testing.assert_allclose(a * x + b, bright, rtol=1e-9)


def test_smeared_noise_is_coarse(rng):
    white = rng.standard_normal((512, 512))
    smeared = gaussian_filter(white, 0.6)
    found = fit_noise(smeared).grain
    means = smeared.reshape(256, 2, 256, 2).mean(axis=(1, 3))
    crossed = (
        smeared[::2, ::2] - smeared[1::2, ::2] - smeared[::2, 1::2] + smeared[1::2, 1::2]
    ) / 2
    coarse = (means[::2, ::2] - means[1::2, ::2] - means[::2, 1::2] + means[1::2, 1::2]) / 2
    assert found == pytest.approx(2 * coarse.std() / crossed.std(), rel=0.05)
    assert fit_noise(white).grain < 1.05


@pytest.mark.parametrize("axis", [0, 1])
@pytest.mark.parametrize("share", [0.05, 0.15, 0.4])
def test_lines_make_large_squares_as_noisy_as_they_are(rng, axis, share):
    """Offsets that rows share, or columns, of a share of the white noise's variance."""
    offsets = np.expand_dims(rng.normal(0, share**0.5, 512), 1 - axis)
    noise = fit_noise(rng.standard_normal((512, 512)) + offsets)
    assert noise.read_noise == pytest.approx(1, rel=0.02)
    square = left_in_means(noise.grain, 4)
    assert square == pytest.approx((1 / 16**2 + share / 16) ** 0.5, rel=0.1)


def test_images_without_noise_have_none():
    assert fit_noise(np.zeros((50, 50))).read_noise == 0
    assert fit_noise(np.full((3, 3), np.nan)) == Noise(np.inf, 0.0)
    ramp = np.broadcast_to(np.linspace(0, 1, 200), (200, 200))
    assert fit_noise(ramp).read_noise < 1e-6
    rounded = fit_noise(np.rint(900 * ramp).astype(np.uint16))
    assert rounded.read_noise == pytest.approx(np.sqrt(1 / 12))


@pytest.mark.parametrize("shape", [(6, 120, 140), (120, 140, 3)])
def test_stacks_and_colours_are_taken_together(shape, rng):
    image = rng.normal(100, 5, shape).astype(np.float32)
    image[..., 0, 0] = np.nan
    noise = fit_noise(image, rgb=shape[-1] == 3)
    assert np.sqrt(noise.variance(100)) == pytest.approx(5, rel=0.1)


def clipped_at(below, rng):
    """Noise of deviation 20 over a ramp whose offset lies so many deviations too low."""
    ramp = np.broadcast_to(np.linspace(-2.0, 6.0, 512), (512, 512)) - below
    stored = np.clip(np.rint(20 * (ramp + rng.standard_normal(ramp.shape))), 0, 255)
    return stored.astype(np.uint8)


@pytest.mark.parametrize("black", [None, 0.0])
@pytest.mark.parametrize("below", [0.0, 1.0])
def test_the_noise_of_what_is_clipped_at_black_is_as_small_as_it_is(below, black, rng):
    image = clipped_at(below, rng)
    noise = fit_noise(image, black=black)
    assert noise.cut_off == 1
    columns = image.mean(axis=0), image.std(axis=0)
    for mean in (0.2, 2.0, 10.0, 20.0):
        at = np.abs(np.log(np.maximum(columns[0], 1e-3) / mean)) < 0.2
        found = np.sqrt(noise.variance(mean)) / columns[1][at].mean()
        assert 0.8 < found < 2, mean
    whole = Noise(noise.gain, noise.read_noise)
    assert np.sqrt(whole.variance(2.0)) > 2 * np.sqrt(noise.variance(2.0))


def test_a_frame_of_zeros_hides_no_noise(rng):
    image = camera(field(90, rng), rng, read_noise=READ, offset=OFFSET)
    framed = np.pad(image, 128)
    noise, beside = fit_noise(framed, black=OFFSET), fit_noise(image, black=OFFSET)
    assert noise.cut_off == 0
    assert noise.read_noise == pytest.approx(beside.read_noise, rel=0.1)


def test_photons_that_are_counted_are_not_cut_off(rng):
    image = rng.poisson(np.broadcast_to(np.linspace(0, 3, 256), (256, 256))).astype(np.uint16)
    noise = fit_noise(image, black=0)
    np.testing.assert_allclose(noise.variance([0.5, 1.0, 2.0]), [0.5, 1, 2], rtol=0.2)


@pytest.mark.parametrize("dtype", [np.float16, np.float32])
def test_large_units_do_not_overflow(dtype, rng):
    image = rng.poisson(200, (128, 128)).astype(dtype) * dtype(200)
    variance = fit_noise(image).variance(image).mean()
    assert variance == pytest.approx(200 * 200**2, rel=0.1)
