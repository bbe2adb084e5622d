import numpy as np
import pytest

from napari_lle.model.data.pairs import Pair
from napari_lle.model.data.self_pairs import EXCESS, REDUCED, reduce, self_pairs

rng = np.random.default_rng(0)


def dark(noise=0.01, shape=(128, 160)):
    y, x = np.mgrid[: shape[0], : shape[1]] / 100
    scene = (0.06 + 0.03 * np.sin(2 * x) * np.cos(3 * y))[..., None] * np.array([1, 0.8, 0.6])
    image = np.clip(scene + rng.normal(0, noise, scene.shape), 0, 1).astype(np.float32)
    return Pair("a", image, image), scene


def test_reference_is_the_reduced_image_under_the_stated_curve():
    image, _ = dark()
    (pair,) = self_pairs([image], k=0.8, draws=1)
    clean = reduce(image)
    assert pair.reference.shape == (128 // REDUCED, 160 // REDUCED, 3)
    expected = clean / (clean + 0.8 * image.low.mean())
    np.testing.assert_allclose(pair.reference, expected, rtol=1e-5)


def test_noise_is_that_of_the_image():
    image, _ = dark(noise=0.01)
    pairs = self_pairs([image], k=0.8, draws=20)
    noise = np.stack([pair.low for pair in pairs]) - reduce(image)
    # Of white noise the residual to a Gaussian of 2 pixels keeps nearly all.
    assert noise.std() == pytest.approx(EXCESS * 0.01, rel=0.1)
    assert abs(noise.mean()) < 5e-4
    between = np.corrcoef(noise[0].ravel(), noise[1].ravel())[0, 1]
    assert abs(between) < 0.2


def test_a_noiseless_image_makes_noiseless_pairs():
    image, _ = dark(noise=0)
    (pair,) = self_pairs([image], k=0.8, draws=1)
    assert np.abs(pair.low - reduce(image)).max() < 1.5 / 255


def test_inputs_are_8_bit_and_statistics_the_dark_image_s():
    image, _ = dark()
    for pair in self_pairs([image], k=0.8, draws=3):
        codes = pair.low * 255
        np.testing.assert_allclose(codes, np.rint(codes), atol=1e-4)
        assert (pair.statistics == image.statistics).all()


def test_references_are_never_looked_at():
    image, _ = dark()
    with_reference = Pair("a", image.low, np.full_like(image.low, np.nan))
    for a, b in zip(self_pairs([image], 0.8), self_pairs([with_reference], 0.8), strict=True):
        assert (a.low == b.low).all() and (a.reference == b.reference).all()


def test_small_images_are_refused():
    tiny = Pair("tiny", *(np.zeros((40, 80, 3), np.float32),) * 2)
    with pytest.raises(ValueError, match="tiny is too small: 64 pixels"):
        self_pairs([tiny], 0.8)
