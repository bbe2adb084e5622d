import numpy as np
import pytest

from napari_lle.model.data import crops
from napari_lle.model.data.crops import BACKLIT, Augmentation, draw_batch
from napari_lle.model.data.folders import image_files
from napari_lle.model.data.loading import load_masks, load_pairs
from napari_lle.model.data.pairs import Pair, annotated, as_photograph, make_pair, split_by_scene
from napari_lle.model.io.files import write_image
from napari_lle.model.preprocessing.statistics import ADAPTED, LIT, SPARED

rng = np.random.default_rng(0)


def pairs(n=6, shape=(40, 50, 3)):
    out = []
    for i in range(n):
        reference = rng.random(shape).astype(np.float32)
        out.append(Pair(str(i), reference / 8, reference))
    return out


def test_folders_pair_by_stem_in_natural_order(tmp_path):
    for folder in ("low", "high"):
        (tmp_path / folder).mkdir()
        for name in ("10", "9", "100") if folder == "low" else ("100", "9", "10", "7"):
            pixels = np.full((20, 30, 3), int(name), np.uint8)
            write_image(
                tmp_path / folder / f"{name}{'.png' if folder == 'low' else '.tif'}",
                pixels,
                rgb=True,
            )
    found = load_pairs(tmp_path / "low", tmp_path / "high")
    assert [p.name for p in found] == ["9", "10", "100"]
    assert found[1].low.dtype == np.float32
    assert found[1].low.max() == pytest.approx(10 / 255)


def test_folder_errors_say_what_is_wrong(tmp_path):
    with pytest.raises(ValueError, match="no folder"):
        image_files(tmp_path / "gone")
    with pytest.raises(ValueError, match="holds no images"):
        image_files(tmp_path)
    for name in ("a.png", "a.tif"):
        write_image(tmp_path / name, np.zeros((8, 8), np.uint8), rgb=False)
    with pytest.raises(ValueError, match="two images named a"):
        image_files(tmp_path)


def test_pairs_of_different_sizes_are_refused():
    with pytest.raises(ValueError, match="scene7: the dark image is 5 x 4 pixels"):
        make_pair("scene7", np.zeros((4, 5, 3), np.uint8), np.zeros((5, 4, 3), np.uint8))


def test_greys_and_alpha_become_three_channels():
    grey = rng.integers(0, 255, (9, 9)).astype(np.uint8)
    x = as_photograph(grey)
    assert x.shape == (9, 9, 3) and (np.ptp(x, axis=-1) == 0).all()
    assert as_photograph(np.zeros((9, 9, 4), np.uint8)).shape == (9, 9, 3)
    with pytest.raises(ValueError, match="neither 2-D nor in colours"):
        as_photograph(np.zeros((3, 9, 9)))


@pytest.mark.parametrize("n", [2, 3, 7, 20, 113])
@pytest.mark.parametrize("share", [0.01, 0.2, 0.99])
def test_split_is_a_partition_with_nothing_empty(n, share):
    everything = pairs(1) * n
    numbered = [Pair(str(i), p.low, p.reference) for i, p in enumerate(everything)]
    training, held_out = split_by_scene(numbered, share)
    assert training and held_out
    names = sorted([int(p.name) for p in training + held_out])
    assert names == list(range(n))


def test_split_holds_out_neighbours_together():
    blank = np.zeros((8, 8, 3), np.float32)
    series = [Pair(str(i), blank, blank) for i in range(100)]
    _, held_out = split_by_scene(series, 0.2, blocks=4)
    numbers = np.array([int(p.name) for p in held_out])
    assert len(numbers) == 20
    assert (np.diff(numbers) > 1).sum() == 3  # four runs
    with pytest.raises(ValueError, match="two images"):
        split_by_scene([], 0.2)


def test_crops_of_both_images_are_the_same_place_and_turn():
    for crop in range(5):
        batch = draw_batch(pairs(), np.random.default_rng(crop), 8, 16, halo=3)
        assert batch.low.shape == (8, 3, 22, 22)
        assert batch.reference.shape == (8, 3, 16, 16)
        np.testing.assert_allclose(batch.low[..., 3:-3, 3:-3] * 8, batch.reference, rtol=1e-6)


def test_halo_is_the_image_itself_and_reflection_beyond():
    image = np.arange(12 * 12, dtype=np.float32).reshape(12, 12, 1).repeat(3, 2) / 200
    batch = draw_batch([Pair("a", image, image)], np.random.default_rng(1), 4, 12, halo=2)
    padded = np.pad(image[..., 0], 2, "reflect")
    for crop in batch.low[:, 0]:
        turns = [np.rot90(f, k) for f in (padded, padded[:, ::-1]) for k in range(4)]
        assert any((crop == t).all() for t in turns)


def test_equal_states_draw_equal_batches():
    data = pairs()
    draws = [draw_batch(data, np.random.default_rng(5), 4, 16, 2, Augmentation()) for _ in range(2)]
    for a, b in zip(*draws, strict=True):
        assert (a == b).all()


def test_statistics_are_the_whole_image_s():
    data = pairs(1)
    data[0].low[:20] = 0  # half of the image is black
    batch = draw_batch(data, np.random.default_rng(0), 3, 8)
    assert batch.statistics[:, 0] == pytest.approx(data[0].low.mean(), rel=1e-5)


def test_augmentation_feeds_the_reference_and_other_exposures():
    data = pairs(4)
    lit = draw_batch(data, np.random.default_rng(0), 40, 16, 0, Augmentation(exposure=0, lit=1))
    same = np.abs(lit.low - lit.reference).max(axis=(1, 2, 3)) < 0.51 / 255 + 1e-6
    assert 8 < same.sum() < 32
    varied = draw_batch(data, np.random.default_rng(0), 40, 16, 0, Augmentation(exposure=1, lit=0))
    gains = np.log2(varied.low.mean(axis=(1, 2, 3)) / varied.reference.mean(axis=(1, 2, 3)) * 8)
    assert gains.min() < -0.8 and gains.max() > 0.8 and np.abs(gains).max() < 1.7
    codes = varied.low * 255
    np.testing.assert_allclose(codes, np.rint(codes), atol=1e-4)


@pytest.mark.parametrize("shape", [(30, 40), (900, 1300)])
def test_varied_images_of_any_size_are_told_by_as_many_squares(shape, monkeypatch):
    seen = []
    monkeypatch.setattr(crops, "image_statistics", lambda s: seen.append(len(s)) or [0.1] * 12)
    image = np.random.default_rng(0).random((*shape, 3)).astype(np.float32)
    draw_batch([Pair("a", image, image)], np.random.default_rng(0), 4, 16, 0, Augmentation(1, 0))
    assert len(seen) == 4
    assert min(seen) > 0.7 * min(crops.FRAME_SQUARES, image[..., 0].size / 4)
    assert max(seen) < 1.5 * crops.FRAME_SQUARES


def test_frames_of_two_lights_are_lifted_in_the_dark_and_spared_in_the_bright():
    data = pairs(4)
    backlit = Augmentation(exposure=0, lit=0, backlit=1)
    batch = draw_batch(data, np.random.default_rng(0), 60, 16, 0, backlit)
    lit, adapted = batch.statistics[:, LIT], batch.statistics[:, ADAPTED]
    whole = batch.statistics[:, 0]
    dark = batch.low.mean(axis=(1, 2, 3)) < 0.2
    assert 15 < dark.sum() < 45
    assert (lit[whole < 0.15] <= SPARED + 1e-6).all() and (adapted <= whole + 1e-6).all()
    target = 8 * BACKLIT * batch.low[dark]  # references are 8 times as bright as images
    np.testing.assert_allclose(batch.reference[dark], target, atol=8 * 0.51 / 255)
    for low, target, share, unit in zip(
        batch.low[~dark], batch.reference[~dark], lit[~dark], adapted[~dark], strict=True
    ):
        np.testing.assert_allclose(target, share * low + (1 - share) * low / (low + unit), 1e-5)


def test_annotations_part_a_pair():
    (pair,) = pairs(1)
    mask = np.zeros((40, 50), np.uint8)
    mask[:20], mask[30:, :25] = 1, 2
    training, held_out = annotated(pair, mask)
    for part, value in ((training, 1), (held_out, 2)):
        known = ~np.isnan(part.reference)
        assert (known == (mask == value)[..., None]).all()
        assert (part.reference[known] == pair.reference[known]).all()
        assert part.partial and (part.low == pair.low).all()
        assert (part.statistics == pair.statistics).all()
    assert annotated(pair, np.ones((40, 50)))[1] is None
    for wrong in (np.ones((40, 49)), np.full((40, 50), 3)):
        with pytest.raises(ValueError, match="annotation of 0 must be of its size"):
            annotated(pair, wrong)


def test_annotations_come_from_files_by_stem(tmp_path):
    found = pairs(3)
    mask = np.ones((40, 50), np.uint8)
    mask[20:] = 2
    write_image(tmp_path / "1.png", mask, rgb=False)
    training, held_out = load_masks(tmp_path, found)
    assert [p.name for p in training] == ["0", "1", "2"]
    assert [p.name for p in held_out] == ["1"]
    assert [p.partial for p in training] == [False, True, False]
    with pytest.raises(ValueError, match="has the name of a pair"):
        load_masks(tmp_path, [Pair("x", found[0].low, found[0].reference)])


def test_crops_fall_where_something_is_known():
    (pair,) = pairs(1)
    mask = np.zeros((40, 50), np.uint8)
    mask[:14, :14] = 1
    part, _ = annotated(pair, mask)
    batch = draw_batch([part], np.random.default_rng(0), 30, 12, 0, Augmentation(0, 1))
    share = 1 - np.isnan(batch.reference).mean(axis=(1, 2, 3))
    assert share.min() > 0 and np.median(share) > 0.25
    assert np.isfinite(batch.low).all()
