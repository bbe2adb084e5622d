"""Lazy results: equal to the eager ones, and no more computed than is looked at."""

import threading
from dataclasses import replace

import dask
import dask.array as da
import numpy as np
import pytest
from dask.cache import Cache
from helpers.lazy import watched
from helpers.models import random_model

from napari_lle.model import enhance, restore
from napari_lle.model.inference.lazy_arrays import excerpt, in_memory
from napari_lle.model.preprocessing.levels import sample

LEVELS = {"black": 100.0, "white": 4000.0}


@pytest.fixture
def small_planes(monkeypatch):
    """Planes of more than 64 pixels count as large, so that tests of them are quick."""
    monkeypatch.setattr("napari_lle.model.inference.lazy.LARGEST_PLANE", 64)


@pytest.mark.parametrize(
    ("shape", "rgb", "channels", "dtype"),
    [
        ((150, 201), False, "auto", "uint16"),
        ((2, 70, 130), False, "auto", "float32"),
        ((150, 131, 3), True, "joint", "uint16"),
        ((150, 131, 3), True, "per", "uint16"),
        ((70, 131, 4), True, "joint", "uint8"),
        ((70, 131, 4), True, "per", "uint8"),
        ((2, 65, 131, 3), True, "auto", "float64"),
    ],
)
def test_tiles_equal_the_whole_and_restore_gives_the_input(
    rng, small_planes, shape, rgb, channels, dtype
):
    image = rng.integers(0, 250, shape).astype(dtype)
    options = {"model": random_model(), "strength": 0.7, "channels": channels, "rgb": rgb}
    black = 0.0 if np.dtype(dtype).kind == "f" else 3.0
    options |= {"black": black, "white": 180.0}
    whole = enhance(image, **options)
    lazily = enhance(
        da.from_array(image, chunks=(1,) * (len(shape) - 2 - rgb) + (32, 48) + (3, 1)[:rgb]),
        **options,
    )
    for name in ("reflectance", "illumination"):
        ours, theirs = getattr(lazily, name), getattr(whole, name)
        assert isinstance(ours, da.Array) and ours.dtype == theirs.dtype
        assert ours.shape == theirs.shape and ours.npartitions > 1
        np.testing.assert_allclose(ours.compute(), theirs, rtol=0, atol=1e-6)
    assert lazily.record == whole.record and lazily.levels == whole.levels
    back = restore(lazily.reflectance, lazily.illumination, lazily.levels)
    assert isinstance(back, da.Array) and back.dtype == image.dtype
    if np.dtype(dtype).kind == "f":
        np.testing.assert_allclose(back.compute(), image, rtol=2e-7)
    else:
        assert (back.compute() == image).all()


def test_nothing_is_read_until_asked_and_then_one_plane(rng):
    source, stack = watched(rng.integers(0, 4000, (40, 32, 48)).astype(np.uint16), (1, 32, 48))
    result = enhance(stack, random_model(), **LEVELS)
    surveyed = len(source.read)
    assert surveyed <= 40  # each plane at most once, for the statistics
    source.read.clear()
    result.reflectance[7].compute()
    assert [key[0] for key, _ in source.read] == [slice(7, 8)]
    source.read.clear()
    restore(result.reflectance, result.illumination, result.levels)
    assert not source.read


def test_a_part_of_a_large_plane_reads_its_neighbourhood(rng, small_planes):
    source, plane = watched(rng.integers(0, 4000, (640, 640)).astype(np.uint16), (32, 32))
    result = enhance(plane, random_model(), **LEVELS)
    source.read.clear()
    result.reflectance[300:310, 300:310].compute()
    assert 0 < sum(size for _, size in source.read) <= 192**2


@pytest.mark.parametrize(("shape", "rgb"), [((30, 20, 22), False), ((3, 20, 22, 4), True)])
def test_the_excerpt_has_the_sample_of_the_whole(rng, monkeypatch, shape, rgb):
    monkeypatch.setattr("napari_lle.model.preprocessing.sampling.SAMPLE", 5000)
    monkeypatch.setattr("napari_lle.model.inference.lazy_arrays.SAMPLE", 5000)
    image = rng.integers(0, 999, shape)
    part = excerpt(da.from_array(image, chunks=7), rgb)
    assert (sample(part, rgb=rgb) == sample(image, rgb=rgb)).all()


def test_large_planes_are_surveyed_by_windows(rng, monkeypatch):
    monkeypatch.setattr("napari_lle.model.inference.lazy_arrays.WHOLE_PLANES", 500_000)
    monkeypatch.setattr("napari_lle.model.inference.lazy_arrays.SAMPLE", 120_000)
    ramp = np.linspace(0, 60000, 1000)[:, None] + np.linspace(0, 5000, 1200)
    source, image = watched(ramp.astype(np.uint16), (100, 100))
    part = excerpt(image, False)
    assert part.shape == (9, 128, 128) and sum(size for _, size in source.read) < ramp.size / 2
    assert part[0, 0, 0] == 0 and part[-1, -1, -1] == 65000  # corners are seen
    source.read.clear()
    assert (excerpt(source, False) == part).all()
    assert [size for _, size in source.read] == [128**2] * 9


def test_zarr_arrays_are_as_lazy_as_those_of_dask(rng):
    zarr = pytest.importorskip("zarr", reason="needs the extra zarr")
    image = rng.integers(0, 4000, (3, 40, 50)).astype(np.uint16)
    stored = zarr.create_array({}, data=image, chunks=(1, 20, 20))
    result = enhance(stored, random_model())
    assert isinstance(result.reflectance, da.Array)
    whole = enhance(image, random_model())
    np.testing.assert_allclose(result.reflectance.compute(), whole.reflectance, atol=1e-6)


def test_lazy_input_is_checked_at_once(rng):
    image = da.zeros((40, 40), chunks=20)
    with pytest.raises(ValueError, match="strength must be a number"):
        enhance(image, random_model(), strength=2)
    with pytest.raises(ValueError, match="empty"):
        enhance(da.zeros((0, 40, 40)), random_model())
    with pytest.raises(ValueError, match="do not belong together"):
        restore(image, image[1:], {**LEVELS, "dtype": "uint8"})


def test_two_models_are_told_apart(rng):
    image = da.from_array(rng.random((40, 40)).astype(np.float32))
    models = (replace(random_model(form), digest=form) for form in ("division", "stretching"))
    one, other = (enhance(image, model, black=0, white=1) for model in models)
    r, s = dask.compute(one.reflectance, other.reflectance)
    assert np.abs(r - s).max() > 1e-3


def test_an_excerpt_is_read_once_while_it_is_held(rng):
    source, stack = watched(rng.integers(0, 900, (5, 8, 9)).astype(np.uint16), (1, 8, 9))
    held = in_memory(stack, False)
    assert in_memory(stack + 0, False) is not held
    source.read.clear()
    assert in_memory(stack, False) is held and not source.read
    source.values[:] = 7
    del held
    assert (in_memory(stack, False) == 7).all()


def test_what_reads_an_excerpt_at_the_same_time_waits_for_it(rng):
    begun, go = threading.Event(), threading.Event()

    def load(block):
        begun.set()
        assert go.wait(60)
        return block

    source, stack = watched(rng.integers(0, 900, (3, 8, 9)).astype(np.uint16), (1, 8, 9))
    stack = stack.map_blocks(load, meta=np.empty((0, 0, 0), np.uint16))
    found = []
    threads = [
        threading.Thread(target=lambda: found.append(in_memory(stack, False))) for _ in range(2)
    ]
    threads[0].start()
    assert begun.wait(60)
    threads[1].start()
    go.set()
    for thread in threads:
        thread.join(60)
    assert found[0] is found[1] and len(source.read) == 3


def test_a_chunk_that_was_read_and_kept_is_not_read_again_for_a_result(rng):
    source, stack = watched(rng.integers(0, 900, (5, 16, 18)).astype(np.uint16), (1, 16, 18))
    result = enhance(stack, model=random_model(), **LEVELS)
    with Cache(1e9), dask.config.set({"optimization.fuse.active": False}):  # as napari looks
        stack[3].compute()
        source.read.clear()
        result.reflectance[3].compute()
        restore(result.reflectance, result.illumination, result.levels)[3].compute()
    assert not source.read
