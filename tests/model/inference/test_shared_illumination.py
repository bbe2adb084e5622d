import dask.array as da
import numpy as np
import pytest

from napari_lle.model import enhance, enhance_jointly, restore
from napari_lle.model.inference.enhance import scene_steps
from napari_lle.model.inference.options import EnhanceOptions
from napari_lle.model.inference.plan import survey
from napari_lle.model.progress import finish

LEVELS = {"black": 100.0, "white": 4000.0}


@pytest.fixture
def scene(rng):
    """Three channels of very different brightness, (C, Y, X)."""
    shape = rng.gamma(2, 1, (3, 48, 64)) * np.array([900, 300, 60])[:, None, None]
    return (100 + shape).clip(0, 4095).astype(np.uint16)


def test_an_axis_of_channels_is_treated_like_colours(scene, model_file):
    (result,) = enhance_jointly([scene], model_file, axis=0, **LEVELS)
    colours = enhance(np.moveaxis(scene, 0, -1), model_file, channels="joint", rgb=True, **LEVELS)
    np.testing.assert_allclose(
        np.moveaxis(result.reflectance, 0, -1), colours.reflectance, rtol=1e-6
    )
    assert result.record["channels"] == "joint"
    assert result.record["levels"] == {**LEVELS, "dtype": "uint16"}


def test_ratios_of_channels_stay(scene, model_file):
    (result,) = enhance_jointly([scene], model_file, axis=0, **LEVELS)
    x = (scene - LEVELS["black"]) / (LEVELS["white"] - LEVELS["black"])
    bright = x[0] > 0.01
    before = (x[1:] / x[0])[:, bright]
    after = (result.reflectance[1:] / result.reflectance[0].astype(float))[:, bright]
    np.testing.assert_allclose(after, before, rtol=1e-6, atol=1e-9)


def test_arrays_and_an_axis_of_them_are_one_thing(scene, model_file):
    apart = enhance_jointly(list(scene), model_file, **LEVELS)
    (one,) = enhance_jointly([scene], model_file, axis=0, **LEVELS)
    for result, plane in zip(apart, one.reflectance, strict=True):
        np.testing.assert_array_equal(result.reflectance, plane)


def test_arrays_keep_levels_of_their_own_and_return_bit_for_bit(scene, model_file):
    found = enhance_jointly(list(scene), model_file, strength=0.7)
    assert len({result.levels.white for result in found}) == 3
    for result, channel in zip(found, scene, strict=True):
        assert result.record["together"][0]["white"] == found[0].levels.white
        back = restore(result.reflectance, result.illumination, result.levels)
        assert back.dtype == channel.dtype
        np.testing.assert_array_equal(back, channel)


@pytest.mark.parametrize("axis", [0, 1, -3])
def test_channels_may_stand_anywhere_before_the_planes(scene, model_file, axis):
    planes = np.stack([scene, scene[:, ::-1]])  # (Z, C, Y, X)
    expected = np.stack(
        [enhance_jointly([s], model_file, axis=0, **LEVELS)[0].illumination for s in planes]
    )
    moved = np.moveaxis(planes, 1, axis)
    (result,) = enhance_jointly([moved], model_file, axis=axis, **LEVELS)
    found = np.moveaxis(result.illumination, axis % 4, 1)
    np.testing.assert_allclose(found, expected, rtol=0.05)  # statistics are of both planes
    back = restore(result.reflectance, result.illumination, result.levels)
    np.testing.assert_array_equal(back, moved)


def test_lazy_in_lazy_out_and_the_same(scene, model_file):
    stack = np.stack([scene, scene[:, ::-1]])
    chunked = da.from_array(stack, chunks=(1, 1, 20, 64))
    for arguments in (
        {"images": [stack], "axis": 1},
        {"images": [stack[:, 0], stack[:, 1]], "axis": None},
    ):
        lazy = [chunked] if arguments["axis"] else [chunked[:, 0], chunked[:, 1]]
        expected = enhance_jointly(model=model_file, **arguments, **LEVELS)
        found = enhance_jointly(lazy, model_file, axis=arguments["axis"], **LEVELS)
        for lazy_result, result in zip(found, expected, strict=True):
            assert isinstance(lazy_result.reflectance, da.Array)
            np.testing.assert_allclose(lazy_result.reflectance, result.reflectance, rtol=1e-6)
            back = restore(lazy_result.reflectance, lazy_result.illumination, result.levels)
            np.testing.assert_array_equal(
                back, restore(result.reflectance, result.illumination, result.levels)
            )


def test_only_the_planes_looked_at_are_read(scene, model_file):
    read = []

    def load(block_info=None):
        read.append(block_info[None]["chunk-location"])
        return scene[block_info[None]["chunk-location"][1]][None, None]

    stack = da.map_blocks(
        load, chunks=((1,) * 40, (1,) * 3, (48,), (64,)), dtype=np.uint16, meta=np.empty(0, "u2")
    )
    (result,) = enhance_jointly([stack], model_file, axis=1, **LEVELS)
    read.clear()
    np.asarray(result.reflectance[7, 2])
    assert {place[0] for place in read} == {7}
    assert {place[1] for place in read} == {0, 1, 2}


def test_a_part_takes_what_was_found_for_the_whole(scene, model_file):
    options = EnhanceOptions(model=model_file, channel_axis=0, **LEVELS)
    (part,) = finish(scene_steps([scene[:, :40]], options, survey(scene, options)))
    (whole,) = enhance_jointly([scene], model_file, axis=0, **LEVELS)
    np.testing.assert_allclose(
        part.reflectance()[:, :20], whole.reflectance[:, :20], rtol=1e-6
    )  # further than the receptive field from the cut


def test_what_does_not_fit_is_refused(scene, model_file):
    with pytest.raises(ValueError, match="one shape"):
        enhance_jointly([scene[0], scene[0, :20]], model_file)
    with pytest.raises(ValueError, match="before rows and columns"):
        enhance_jointly([scene], model_file, axis=2)
    with pytest.raises(ValueError, match="at least one array"):
        enhance_jointly([], model_file)
    with pytest.raises(ValueError, match="one for each of 2"):
        enhance_jointly(list(scene[:2]), model_file, black=[1.0])
