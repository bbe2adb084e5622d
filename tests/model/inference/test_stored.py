import tracemalloc

import numpy as np
import pytest
from helpers.models import BUNDLED, FORMS, random_model
from helpers.running import drain

from napari_lle.model import enhance, enhance_stored, kernels
from napari_lle.model.inference.options import EnhanceOptions
from napari_lle.model.inference.restoring import in_input_dtype
from napari_lle.model.inference.stored import stored_steps

pytest.importorskip("numba")
from napari_lle.model.kernels import forms
from napari_lle.model.kernels.cpu.compiled import compile_kernel

IMAGES = {
    "rgb": ((90, 117, 3), np.uint8),
    "rgba": ((40, 50, 4), np.uint8),
    "rgb16": ((33, 1100, 3), np.uint16),
    "rgba16": ((33, 50, 4), ">u2"),
    "stack": ((2, 70, 51), np.uint16),
    "pixel": ((1, 1), np.uint8),
    "wide rgb": ((21, 4100, 3), np.uint8),  # a few rows of it are half a megabyte
    "wide": ((19, 8300), np.uint16),
    "a row": ((2, 50_000, 3), np.uint8),
}


def picture(name):
    shape, dtype = IMAGES[name]
    largest = np.iinfo(dtype).max
    values = np.random.default_rng(0).gamma(2, largest / 20, shape)
    return values.clip(0, largest).astype(dtype)


def compiled(monkeypatch, model):
    monkeypatch.delenv(kernels.SWITCH, raising=False)
    for colours in (3, 1):
        compile_kernel(forms.layout(model.network.config, colours))
    return model


@pytest.mark.parametrize("name", IMAGES)
@pytest.mark.parametrize("channels", ["per", "joint"])
@pytest.mark.parametrize(("form", "scale"), [("cleaning", 1), ("stretching", 1), ("guiding", 4)])
def test_it_is_the_picture_of_enhance(name, channels, form, scale, monkeypatch):
    model = compiled(monkeypatch, random_model(form, illumination_scale=scale, **BUNDLED))
    image = picture(name)
    before = image.copy()
    ours = enhance_stored(image, model, channels=channels)
    result = enhance(image, model, channels=channels)
    assert result.record["kernel"] == "numba"
    theirs = in_input_dtype(result)
    assert ours.dtype == theirs.dtype and ours.shape == image.shape
    assert np.abs(ours.astype(int) - theirs).max() <= 1
    assert (ours != theirs).mean() <= 0.01 or image.size == 1
    if image.shape[-1] == 4:
        assert (ours[..., 3] == image[..., 3]).all()
    assert (image == before).all()


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("strength", [0.0, 0.5, 1.0])
@pytest.mark.parametrize("dtype", [np.uint8, np.int16, np.float32])
def test_without_a_kernel_it_is_exactly_that(form, strength, dtype):
    image = (picture("rgb") // 2).astype(dtype)
    ours = enhance_stored(image, random_model(form), strength=strength, rgb=True)
    theirs = in_input_dtype(enhance(image, random_model(form), strength=strength, rgb=True))
    assert ours.dtype == dtype and (ours == theirs).all()


def test_no_float_image_is_made(monkeypatch):
    """Twice as large an image needs the room of the picture more: one float image is four."""
    model = compiled(monkeypatch, random_model("guiding", illumination_scale=4, **BUNDLED))
    peaks = []
    for rows in (40, 80):
        image = np.tile(picture("rgb"), (rows, 12, 1))
        tracemalloc.start()
        enhance_stored(image, model)
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[1] - peaks[0] < 1.5 * image.nbytes / 2


def test_levels_beyond_float32_take_the_long_way(monkeypatch):
    model = compiled(monkeypatch, random_model("stretching", **BUNDLED))
    image = picture("stack")
    far = {"black": -3.0e6, "white": 3.0e6}
    ours = enhance_stored(image, model, **far)
    assert (ours == in_input_dtype(enhance(image, model, **far))).all()


def test_steps_count_and_tell_the_record(monkeypatch):
    model = compiled(monkeypatch, random_model("guiding", illumination_scale=4, **BUNDLED))
    seen, (pixels, record) = drain(stored_steps(picture("rgb"), EnhanceOptions(model=model)))
    assert [p.done for p in seen] == list(range(1, seen[-1].total + 1))
    assert record["strength"] == 1 and record["illumination_scale"] == 4
    assert pixels.shape == IMAGES["rgb"][0]
    with pytest.raises(ValueError, match="strength"):
        enhance_stored(picture("rgb"), model, strength=2)
