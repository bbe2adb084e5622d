"""`enhance` by the kernels, as on a machine with a CUDA device."""

import numpy as np
import pytest
from helpers.cuda import ON_DEVICE, WHERE, fused, model, photograph
from helpers.models import FORMS

from napari_lle.model import enhance, kernels
from napari_lle.model.inference.options import EnhanceOptions
from napari_lle.model.inference.plan import make_plan
from napari_lle.model.inference.restoring import in_input_dtype

# Colours under an illumination each and under one; without colours there is one anyhow.
IMAGES = [
    ((20, 23, 3), "uint8", "per"),
    ((20, 23, 3), "uint8", "joint"),
    ((20, 23, 4), "uint8", "per"),
    ((20, 23, 4), "uint8", "joint"),
    ((20, 23), "uint8", "joint"),
    ((3, 20, 23), "uint16", "per"),
    ((3, 20, 23), "uint16", "joint"),
    ((2, 20, 23), ">u2", "joint"),
    ((20, 23, 3), "int16", "per"),
    ((20, 23), "float32", "per"),
    ((2, 2, 9, 8, 3), "uint8", "joint"),
]


@pytest.fixture
def chosen(monkeypatch):
    """`enhance` with the kernels, as on a machine with a CUDA device."""

    def find(network, colours, device="cpu"):
        return fused(network, colours)

    monkeypatch.setattr(kernels, "find", find)
    return monkeypatch


@pytest.mark.parametrize(("shape", "dtype", "channels"), IMAGES)
def test_enhance_by_the_kernels(shape, dtype, channels, chosen):
    image = (photograph(shape, np.uint16) // (256 if dtype == "uint8" else 2)).astype(dtype)
    found = model("cleaning")
    made = enhance(image, found, channels=channels, device=WHERE.type)
    assert made.record["kernel"] == "triton"
    chosen.undo()
    expected = enhance(image, found, channels=channels, device="cpu")
    np.testing.assert_allclose(made.reflectance, expected.reflectance, rtol=0, atol=1e-5)
    if image.dtype.kind in "ui":
        away = in_input_dtype(made).astype(int) - in_input_dtype(expected)
        assert np.abs(away).max() <= 1
        assert (away == 0).mean() > 0.99


@pytest.mark.parametrize("form", FORMS)
def test_grey_stays_grey_and_black_black(form, chosen):
    grey = np.repeat(photograph((20, 23, 1)), 3, axis=-1)
    for channels in ("per", "joint") if form == "cleaning" else ("joint",):
        r = enhance(grey, model(form), channels=channels, device=WHERE.type).reflectance
        assert np.ptp(r, axis=-1).max() <= (1e-5 if channels == "per" else 0)
    black = enhance(np.zeros((8, 9, 3), np.uint8), model(form), device=WHERE.type)
    assert (black.reflectance == 0).all()


def test_lazy_planes_use_the_kernels(chosen):
    dask = pytest.importorskip("dask.array")
    image = photograph((2, 60, 50), np.uint16)
    lazy = dask.from_array(image, chunks=(1, 32, 50))
    found = model("division")
    made = enhance(lazy, found, device=WHERE.type)
    assert made.record["kernel"] == "triton"
    chosen.undo()
    expected = enhance(lazy, found, device="cpu").reflectance.compute()
    # Triton's interpreter is made for one thread.
    light = made.reflectance.compute(scheduler="synchronous" if WHERE.type == "cpu" else "threads")
    np.testing.assert_allclose(light, expected, rtol=0, atol=1e-5)


@ON_DEVICE
@pytest.mark.parametrize("switch", ["auto", "torch"])
def test_a_device_makes_what_the_processor_makes(switch, monkeypatch):
    monkeypatch.setenv(kernels.SWITCH, switch)
    image = photograph((300, 500, 3))
    made = enhance(image, "photo", device="cuda", tile=128)
    assert made.record["kernel"] == {"auto": "triton", "torch": "torch"}[switch]
    monkeypatch.setenv(kernels.SWITCH, "torch")
    expected = enhance(image, "photo", device="cpu")
    assert np.abs(in_input_dtype(made).astype(int) - in_input_dtype(expected)).max() <= 1


def test_a_plan_finds_its_kernel_again_where_it_arrives(chosen):
    import pickle

    plan = make_plan(
        photograph((20, 23, 3)), EnhanceOptions(model=model("division"), device=WHERE.type)
    )
    chosen.setattr(kernels, "find", lambda network, colours, device: (colours, device))
    assert pickle.loads(pickle.dumps(plan)).kernel == (3, WHERE.type)
    assert pickle.loads(pickle.dumps(plan._replace(kernel=None))).kernel is None
