"""One illumination for colours, by their mean: ratios stay, whatever the clip mode."""

import json

import dask.array as da
import numpy as np
import pytest

from napari_lle.model import enhance, enhance_stored, restore, stages
from napari_lle.model.inference.options import EnhanceOptions
from napari_lle.model.inference.streaming import ZarrOutput, enhance_to_zarr
from napari_lle.model.io.files import read_image
from napari_lle.model.io.metadata import Picture

GIVEN = {"black": 0.0, "white": 60000.0, "channels": "luminance"}
CURVE = "stretch:mtf,m=0.02"


@pytest.fixture
def colours(rng):
    """Dim greys, and some pure bright colours, (Y, X, 3)."""
    image = rng.gamma(2, 600, (48, 64, 1)) * rng.uniform(0.7, 1.3, (48, 64, 3))
    image[::7, ::5] = [50000, 900, 300]
    return image.clip(1, 60000).astype(np.uint16)


def curve(y, m=0.02):
    return (m - 1) * y / ((2 * m - 1) * y - m)


@pytest.mark.parametrize("clip", ["rescale", "keep"])
def test_ratios_stay_and_the_way_back_is_exact(colours, clip):
    result = enhance(colours, CURVE, clip=clip, **GIVEN)
    x = colours / 60000
    np.testing.assert_allclose(
        result.reflectance / result.reflectance.max(-1, keepdims=True),
        x / x.max(-1, keepdims=True),
        rtol=1e-5,
    )
    back = restore(result.reflectance, result.illumination, result.levels)
    np.testing.assert_array_equal(back, colours)
    assert result.illumination.shape == colours.shape[:2]
    assert (result.record["channels"], result.record["clip"]) == ("luminance", clip)


def test_the_mean_is_what_is_stretched(colours):
    x = colours / 60000
    kept = enhance(colours, CURVE, clip="keep", **GIVEN).reflectance
    np.testing.assert_allclose(kept.mean(-1), curve(x.mean(-1)), rtol=1e-4)
    assert kept.max() > 1.5
    rescaled = enhance(colours, CURVE, **GIVEN).reflectance
    inside = kept.max(-1) <= 1
    np.testing.assert_array_equal(rescaled[inside], kept[inside])
    np.testing.assert_allclose(rescaled[~inside].max(-1), 1, rtol=1e-6)


@pytest.mark.parametrize("model", [CURVE, "linear"])
def test_lazy_parts_and_pictures_are_as_the_whole(colours, model, tmp_path):
    expected = enhance(colours, model, **GIVEN)
    lazy = enhance(da.from_array(colours, chunks=(24, 64, 3)), model, **GIVEN)
    np.testing.assert_allclose(lazy.reflectance, expected.reflectance, rtol=1e-5)
    output = ZarrOutput(tmp_path / "r.zarr", dtype="float32")
    list(enhance_to_zarr(Picture(colours, True), output, EnhanceOptions(model=model, **GIVEN)))
    written = read_image(tmp_path / "r.zarr")
    np.testing.assert_allclose(written.pixels, expected.reflectance, rtol=1e-5)
    stored = enhance_stored(colours, model, **GIVEN)
    whole = np.rint(expected.reflectance * 60000).clip(0, 65535)
    np.testing.assert_allclose(stored, whole, atol=1)


def test_a_record_repeats_it(colours):
    first = enhance(colours, CURVE, clip="keep", **GIVEN)
    options = EnhanceOptions.from_record(json.loads(json.dumps(first.record)))
    names = {"image": colours}
    exec(options.as_python(), names)
    np.testing.assert_array_equal(names["result"].reflectance, first.reflectance)
    assert "--clip keep" in options.as_command()


def test_values_that_are_not_finite_stay(colours):
    image = colours.astype(np.float32)
    image[0, 0, 0], image[0, 1, 1] = np.nan, np.inf
    r = enhance(image, CURVE, **GIVEN).reflectance
    assert np.isnan(r[0, 0, 0]) and np.isfinite(r[0, 0, 1:]).all() and r[0, 1, 1] == np.inf


def test_where_there_is_no_luminance(colours, photo):
    grey = enhance(colours[..., 0], CURVE, **GIVEN)
    assert grey.record["channels"] == "joint"
    with pytest.raises(ValueError, match="Luminance is that of RGB colours"):
        enhance(np.moveaxis(colours, -1, 0), CURVE, channel_axis=0, **GIVEN)
    with pytest.raises(ValueError, match="clip must be one of rescale, keep"):
        EnhanceOptions(clip="blend")
    with pytest.raises(ValueError, match="jointly or per channel"):
        stages(photo, channels="luminance")
