import numpy as np
import pytest

from napari_lle.model.preprocessing.levels import (
    Levels,
    blocks,
    denormalize,
    find_levels,
    network_input,
    normalize,
    sample,
)

INTEGERS = ["uint8", "uint16", "uint32", "int8", "int16", "int32"]


def test_a_photograph_keeps_its_full_range():
    image = np.full((4, 5, 3), 20, np.uint8)
    assert find_levels(image, rgb=True) == Levels(0, 255, "uint8")


def test_percentiles_survive_hot_pixels_and_nan():
    rng = np.random.default_rng(0)
    image = np.linspace(480, 520, 300) + rng.normal(0, 5, (300, 300)).astype(np.float32)
    image[::50, ::50] = 65535  # 36 hot pixels
    image[0, :5] = [np.nan, np.inf, -np.inf, np.nan, np.nan]
    levels = find_levels(image)
    assert 465 < levels.black < 480
    assert 520 < levels.white < 535


@pytest.mark.parametrize("dtype", [np.uint16, np.float32])
@pytest.mark.parametrize("rgb", [False, True])
def test_mere_noise_is_not_spread_to_grey(dtype, rgb):
    rng = np.random.default_rng(0)
    shape = (200, 200, 3) if rgb else (3, 200, 200)
    image = rng.normal(500, 6, shape).astype(dtype)
    levels = find_levels(image, rgb=rgb)
    assert np.median(normalize(image, levels)) == pytest.approx(0.24, abs=0.01)
    assert levels.black == pytest.approx(500 - 3.09 * 6, abs=2)
    assert find_levels(image, rgb=rgb, white=520).white == 520


def test_a_scene_with_some_noise_keeps_its_percentiles():
    rng = np.random.default_rng(0)
    scene = np.where(np.arange(300) % 100 < 60, 520, 480) + rng.normal(0, 6, (300, 300))
    assert find_levels(scene).white == pytest.approx(np.percentile(scene, 99.9), abs=0.5)


@pytest.mark.parametrize("dtype", ["u2", "i4", "f4", "f8"])
def test_the_order_of_bytes_means_nothing(dtype, rng):
    image = (1000 * rng.random((64, 96)) ** 3).astype(dtype)
    swapped = find_levels(image.astype(np.dtype(dtype).newbyteorder(">")))
    assert (swapped.black, swapped.white) == (find_levels(image).black, find_levels(image).white)


def test_given_levels_replace_the_automatic_ones():
    image = np.arange(1000, dtype=np.uint16).reshape(20, 50)
    assert find_levels(image, black=-5, white=2000) == Levels(-5, 2000, "uint16")
    for beyond in ({"black": 5000}, {"white": -5000}):
        with pytest.raises(ValueError, match="leaves nothing of the image"):
            find_levels(image, **beyond)
    with pytest.raises(ValueError, match="below the white level"):
        find_levels(image, black=10, white=10)


@pytest.mark.parametrize(
    "image", [np.zeros((3, 4)), np.full((3, 4), 7, np.uint16), np.full((2, 2), np.nan)]
)
def test_constant_images_have_levels(image):
    levels = find_levels(image)
    assert levels.black < levels.white


def test_bad_input_is_named():
    with pytest.raises(ValueError, match="empty"):
        find_levels(np.empty((0, 5)))
    with pytest.raises(TypeError, match="complex"):
        find_levels(np.zeros((2, 2), complex))


@pytest.mark.parametrize("dtype", [*INTEGERS, ">u2", "bool"])
@pytest.mark.parametrize("levels", [(0.0, 1.0), (-3.7, 1234.5), (100.25, 101.0)])
def test_denormalize_undoes_normalize_exactly(dtype, levels):
    dtype = np.dtype(dtype)
    top = 1 if dtype.kind == "b" else np.iinfo(dtype).max
    bottom = 0 if dtype.kind == "b" else np.iinfo(dtype).min
    image = np.random.default_rng(0).integers(bottom, top, 500, endpoint=True).astype(dtype)
    found = Levels(*levels, dtype.name)
    back = denormalize(normalize(image, found), found)
    assert back.dtype == dtype.newbyteorder("=")
    assert (back == image).all()


def test_denormalize_clips_to_the_dtype():
    levels = Levels(0, 255, "uint8")
    assert denormalize([-1.0, 0.5, 9.0], levels).tolist() == [0, 128, 255]


def test_network_input_is_finite_and_in_range():
    x = network_input(np.array([np.nan, -np.inf, -2, 0.25, 3, np.inf]))
    assert x.dtype == np.float32
    assert x.tolist() == [0, 0, 0, 0.25, 1, 1]


def test_sample_thins_a_stack_without_reading_it_all():
    class Counting:
        """A stack that counts the planes it is asked for."""

        def __init__(self, shape):
            self.shape, self.ndim, self.size = shape, len(shape), int(np.prod(shape))

        def __getitem__(self, key):
            read.append(key)
            return np.broadcast_to(np.float32(key[0]), self.shape[1:])

    read = []
    values = sample(Counting((100, 1000, 1000)))
    assert values.size <= 2_500_000
    assert np.unique(values).size == len(read) == 16
    assert read[0] == (0,) and read[-1] == (99,)


@pytest.mark.parametrize("shape", [(1, 1), (1, 6), (2, 2), (5, 7), (6, 9), (3, 5, 4)])
def test_squares_cover_small_images(shape):
    image = np.arange(np.prod(shape)).reshape(shape)
    squares = sample(image)
    assert squares.shape[1:] == (2, 2)
    assert set(squares.ravel()) == set(image.ravel())


def test_squares_are_neighbours():
    image = np.arange(12 * 15).reshape(12, 15)
    for step, top, left in ((2, 0, 0), (8, 3, 5), (5, 1, 0)):
        squares = blocks(image, step, top, left)
        assert (squares[:, 0, 1] - squares[:, 0, 0] == 1).all()
        assert (squares[:, 1, 0] - squares[:, 0, 0] == 15).all()
        assert squares[0, 0, 0] == 15 * top + left


def scene(shape=(240, 300)):
    return np.random.default_rng(1).normal(500, 10, shape).astype(np.float32)


@pytest.mark.parametrize("value", [0, 65535, np.nan, 430])
@pytest.mark.parametrize("width", [3, 35])
def test_levels_survive_empty_margins(value, width):
    inner = scene()
    outer = np.pad(inner, width, constant_values=value)
    bare, framed = find_levels(inner), find_levels(outer)
    assert framed.black == pytest.approx(bare.black, abs=3)
    assert framed.white == pytest.approx(bare.white, abs=3)


def test_one_sided_and_sheared_margins_are_left_out():
    inner = scene()
    left = np.pad(inner, ((0, 0), (90, 0)))
    assert find_levels(left) == find_levels(inner)
    y, x = np.mgrid[: inner.shape[0], : inner.shape[1]]
    sheared = np.where(x + y < 120, 0, inner)
    assert find_levels(sheared).black == pytest.approx(find_levels(inner).black, abs=3)
    stack = np.stack([np.pad(inner, ((0, 0), (i, 40 - i))) for i in (0, 10, 40)])
    assert find_levels(stack).black == pytest.approx(find_levels(inner).black, abs=3)


def test_a_background_of_one_value_is_no_margin():
    drawn = np.zeros((60, 60), np.uint16)
    drawn[10:50, 5:55] = 100
    assert find_levels(drawn) == Levels(0, 100, "uint16")
    y, x = np.mgrid[-40:40, -40:40]
    blob = 100 * np.exp(-(y**2 + x**2) / 400)
    assert find_levels(blob).black < 1
    clipped = np.clip(np.random.default_rng(0).normal(1, 2, (200, 200)), 0, None)
    clipped[:20] = 0
    assert find_levels(clipped).black == 0


def test_levels_of_a_region():
    image = scene()
    image[50:80, 60:90] += 1000
    mask = np.zeros(image.shape, bool)
    mask[50:80, 60:90] = True
    levels = find_levels(image, roi=mask)
    assert levels == find_levels(image, roi=(slice(50, 80), slice(60, 90)))
    assert 1460 < levels.black < 1480
    assert find_levels(np.stack([image] * 3), roi=mask).black == pytest.approx(levels.black, abs=1)
    with pytest.raises(ValueError, match="no values"):
        find_levels(image, roi=np.zeros_like(mask))
    with pytest.raises(ValueError, match="mask of booleans"):
        find_levels(image, roi=mask[1:])
    photo = np.zeros((8, 9, 3), np.uint8)
    photo[:4] = 30
    assert find_levels(photo, rgb=True, roi=(slice(0, 4), slice(None))).black == 30


def test_values_whose_squares_overflow_have_levels():
    odd = np.resize([0.0, 0.0, 1.0, -2.68e154, -2.68e154], (6, 7))
    levels = find_levels(odd)
    assert levels.black == pytest.approx(-2.68e154, rel=1e-3) and np.isfinite(levels.white)
