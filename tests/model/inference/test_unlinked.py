"""Levels per channel under one illumination, and the brightness of the sky."""

import json

import dask.array as da
import numpy as np
import pytest

from napari_lle.model import enhance, enhance_jointly, enhance_stored, restore, uncertainty
from napari_lle.model.inference.enhance import scene_steps
from napari_lle.model.inference.level_options import read_level
from napari_lle.model.inference.options import EnhanceOptions
from napari_lle.model.inference.plan import survey
from napari_lle.model.progress import finish

SKIES = np.array([470, 480, 150])


@pytest.fixture
def truth(rng):
    """Stars and a faint cloud, above the sky, (Y, X)."""
    rows, columns = np.mgrid[:96, :128]
    cloud = 40 * np.exp(-((rows - 30) ** 2 + (columns - 90) ** 2) / 300)
    stars = np.zeros((96, 128))
    stars[rng.integers(0, 96, 60), rng.integers(0, 128, 60)] = rng.uniform(100, 900, 60)
    return cloud + stars


@pytest.fixture
def composite(rng, truth):
    """One truth under three skies: float colours, (Y, X, 3)."""
    noise = rng.normal(0, 4, (*truth.shape, 3))
    return (SKIES + truth[..., None] + noise).astype(np.float32)


@pytest.fixture
def cells(rng):
    """Two fluorescences, the second at 5 % of the first's brightness, (C, Y, X)."""
    signal = rng.gamma(1, 600, (64, 80))
    both = np.stack([signal, 0.05 * signal[::-1]]) + rng.normal(0, 1, (2, 64, 80))
    return (100 + both).clip(0, 65535).astype(np.uint16)


def medians(result):
    return np.median(result.reflectance, axis=(0, 1))


@pytest.mark.parametrize("model", ["linear", "science", "linear:global"])
def test_three_skies_and_one_truth_come_out_grey(composite, model):
    unlinked = enhance(composite, model)
    assert np.ptp(medians(unlinked)) < 0.01
    apart = np.abs(np.diff(unlinked.reflectance, axis=-1))
    assert np.median(apart) < 0.1  # of noise
    linked = enhance(composite, model, levels="linked")
    assert np.ptp(medians(linked)) > 0.2
    for result in (unlinked, linked):
        back = restore(result.reflectance, result.illumination, result.levels)
        np.testing.assert_allclose(back, composite, rtol=2e-7)


def test_a_faint_channel_is_seen(cells):
    high = [
        np.percentile(enhance(cells, "linear", channel_axis=0, levels=mode).reflectance, 99, (1, 2))
        for mode in ("linked", "auto")
    ]
    assert high[0][1] < 0.5 * high[0][0]
    assert high[1][1] == pytest.approx(high[1][0], rel=0.1)


@pytest.mark.parametrize("axis", [0, 1, -3])
@pytest.mark.parametrize("lazy", [False, True])
def test_the_way_back_is_exact(cells, model_file, axis, lazy):
    stack = np.moveaxis(np.stack([cells, cells[:, ::-1]]), 1, axis)  # C among two Z
    image = da.from_array(stack, chunks=(1, 1, 40, 80)) if lazy else stack
    result = enhance(image, model_file, channel_axis=axis, strength=0.8)
    assert result.levels.axis == (-3 if axis != 0 else -4) and len(set(result.levels.white)) == 2
    back = restore(result.reflectance, result.illumination, result.record["levels"])
    assert back.dtype == np.uint16
    np.testing.assert_array_equal(back, stack)


@pytest.mark.parametrize("whole", ["reflectance", "illumination"])
def test_the_way_back_is_exact_from_other_chunks(cells, model_file, whole):
    result = enhance(da.from_array(cells, chunks=(1, 40, 80)), model_file, channel_axis=0)
    pair = {name: getattr(result, name) for name in ("reflectance", "illumination")}
    pair[whole] = pair[whole].compute()  # as if it had been saved and opened
    back = restore(*pair.values(), result.levels)
    np.testing.assert_array_equal(back, cells)


def test_lazy_is_as_in_memory(cells, composite, model_file):
    for image, options in ((cells, {"channel_axis": 0}), (composite, {})):
        expected = enhance(image, model_file, **options)
        found = enhance(da.from_array(image, chunks=32), model_file, **options)
        assert found.levels == expected.levels
        np.testing.assert_allclose(found.reflectance, expected.reflectance, rtol=1e-5, atol=1e-6)


def test_levels_are_found_channel_by_channel(cells, model_file):
    (joint,) = enhance_jointly([cells], model_file, axis=0)
    apart = enhance_jointly(list(cells), model_file)
    assert joint.levels.each == tuple(result.levels for result in apart)
    np.testing.assert_array_equal(joint.reflectance[1], apart[1].reflectance)
    linked = enhance_jointly(list(cells), model_file, levels="linked")
    assert linked[0].levels == linked[1].levels == joint.levels.common


def test_given_levels_are_of_channels(cells, composite, model_file):
    result = enhance(cells, model_file, channel_axis=0, black=[90, 95], white=9000)
    assert (result.levels.black, result.levels.white) == ((90, 95), (9000, 9000))
    assert enhance(cells, model_file, channel_axis=0, black=90, white=900).levels.axis is None
    colours = enhance(composite, model_file, black=list(SKIES - 20.0))
    assert colours.levels.black == (450, 460, 130)
    with pytest.raises(ValueError, match="one for each of 3 channels"):
        enhance(composite, model_file, black=[1, 2])
    with pytest.raises(ValueError, match="one for each of 2 channels"):
        enhance(cells, model_file, channel_axis=0, black=[1, 2, 3])


def test_photographs_are_linked(photo, model_file):
    assert enhance(photo, model_file).levels.axis is None
    assert enhance(photo.astype(np.uint16) * 200, model_file).levels.axis is None
    assert enhance((photo / 255).astype(np.float32), model_file).levels.axis is None
    apart = enhance(photo, model_file, levels="unlinked")
    assert apart.levels.axis == -1
    back = restore(apart.reflectance, apart.illumination, apart.levels)
    np.testing.assert_array_equal(back, photo)


def test_alpha_has_no_levels(photo, model_file):
    alpha = np.full((*photo.shape[:2], 1), 200, np.uint8)
    image = np.concatenate([photo, alpha], axis=-1)
    result = enhance(image, model_file, levels="unlinked")
    back = restore(result.reflectance, result.illumination, result.levels)
    np.testing.assert_array_equal(back, image)
    np.testing.assert_array_equal(enhance_stored(image, model_file, levels="unlinked")[..., 3], 200)


@pytest.mark.parametrize("kind", ["colours", "axis", "layers"])
def test_a_record_from_a_file_repeats_a_run(cells, composite, model_file, kind):
    images, options = {
        "colours": ([composite], {"sky": 0.2, "black": "sky"}),
        "axis": ([cells], {"channel_axis": 0}),
        "layers": (list(cells), {}),
    }[kind]
    model = "linear" if kind == "colours" else str(model_file)
    first = finish(scene_steps(images, EnhanceOptions(model=model, **options)))
    record = json.loads(json.dumps({**first[0].record, "model_file": model}))
    known = EnhanceOptions.from_record(record)
    again = finish(scene_steps(images, known))
    for a, b in zip(first, again, strict=True):
        np.testing.assert_array_equal(a.reflectance(), b.reflectance())
        assert a.record == b.record
    names = {"image": images[0], "image_0": images[0], "image_1": images[-1]}
    exec(known.as_python(), names)
    code = names["results"][0] if "results" in names else names["result"]
    np.testing.assert_array_equal(code.reflectance, first[0].reflectance())
    if kind == "colours":
        black = ",".join(map(str, first[0].levels.black))
        assert f"--black {black}" in known.as_command() and "--sky 0.2" in known.as_command()


def test_a_part_has_the_levels_of_its_channel(cells, model_file):
    """As the preview asks: a whole of four axes, a part of three."""
    stack = np.stack([cells, cells[:, ::-1]], axis=1)  # (C, Z, Y, X)
    options = EnhanceOptions(model=model_file, channel_axis=0)
    (part,) = finish(scene_steps([stack[:, 0]], options, survey(stack, options)))
    whole = enhance(stack, model_file, channel_axis=0)
    np.testing.assert_array_equal(part.plane((1,)), whole.reflectance[1, 0])


def test_pictures_in_the_input_dtype(cells, composite, model_file):
    stored = enhance_stored(cells, model_file, channel_axis=0)
    result = enhance(cells, model_file, channel_axis=0)
    for picture, r, levels in zip(stored, result.reflectance, result.levels.each, strict=True):
        expected = np.clip(np.rint(r * levels.span + levels.black), 0, 65535)
        np.testing.assert_allclose(picture, expected, atol=1)
    colours = enhance_stored(composite, "linear")  # on one scale, so that grey is grey
    assert np.ptp(np.median(colours, axis=(0, 1))) < 0.02 * (colours.max() - colours.min())


def test_the_uncertainty_of_each_channel(composite):
    result = enhance(composite, "linear")
    width = uncertainty(result)
    assert width.shape == composite.shape and (width > 0).all()
    lazy = enhance(da.from_array(composite, chunks=(96, 128, 3)), "linear")
    np.testing.assert_allclose(uncertainty(lazy), width, rtol=1e-3)


def test_levels_of_other_channels_are_refused(cells, model_file):
    result = enhance(cells, model_file, channel_axis=0)
    with pytest.raises(ValueError, match="levels are of 2 channels"):
        restore(result.reflectance[:1], result.illumination[:1], result.levels)
    one = restore(result.reflectance[1], result.illumination[1], result.levels.each[1])
    np.testing.assert_array_equal(one, cells[1])
    for channel, own in zip(result.channels(), cells, strict=True):
        back = restore(channel.reflectance, channel.illumination, channel.levels)
        np.testing.assert_array_equal(back, own)


@pytest.mark.parametrize("model", ["linear", "science", "linear:global"])
@pytest.mark.parametrize("target", [None, 0.1, 0.5])
def test_the_sky_comes_to_its_brightness(rng, model, target):
    """Noise and a gentle slope, which today's levels would show bright grey."""
    frame = rng.normal(500, 6, (128, 128)) + 6 * np.sin(np.arange(128) / 20)
    result = enhance(frame, model, black="sky", sky=target)
    assert np.median(result.reflectance) == pytest.approx(target or 0.25, abs=0.02)
    assert result.record["sky"] == (target or 0.25)
    back = restore(result.reflectance, result.illumination, result.levels)
    np.testing.assert_allclose(back, frame, rtol=1e-9)


def test_the_sky_of_colours_and_channels(composite, cells):
    colours = enhance(composite, "linear:global", black="sky")
    np.testing.assert_allclose(medians(colours), 0.25, atol=0.03)
    channels = enhance(np.moveaxis(composite, -1, 0), "linear:global", channel_axis=0, sky=0.25)
    found = np.median(channels.reflectance, axis=(1, 2))
    assert found.max() == pytest.approx(0.25, abs=0.03)


def test_what_levels_cannot_be():
    with pytest.raises(ValueError, match="levels must be one of auto, linked, unlinked"):
        EnhanceOptions(levels="both")
    with pytest.raises(ValueError, match="sky must be a brightness between 0 and 1, not 2"):
        EnhanceOptions(sky=2)
    with pytest.raises(ValueError, match="photo cannot set the brightness of the background"):
        enhance(np.zeros((8, 8, 3), np.uint8), "photo", sky=0.3)
    assert read_level("black", "470, sky") == (470, "sky")
    assert read_level("white", "5e3") == 5000 and read_level("white", None) is None
    with pytest.raises(ValueError, match="--white must be a number, or one for each channel"):
        read_level("white", "sky")
