"""The illumination at half and quarter size."""

from itertools import pairwise

import dask.array as da
import numpy as np
import pytest
import torch
from helpers.models import BUNDLED, FORMS, random_model

from napari_lle.model import enhance, load_model, restore
from napari_lle.model.inference.enhance import estimate_steps
from napari_lle.model.inference.options import EnhanceOptions
from napari_lle.model.inference.plan import make_plan
from napari_lle.model.inference.streaming import estimate_part
from napari_lle.model.inspection.api import stages as look_into
from napari_lle.model.network.blocks import grow, shrink
from napari_lle.model.preprocessing.tiling import spans, widen
from napari_lle.model.progress import finish

STATISTICS = torch.tensor([[0.1, 0.2, 0.7, -0.1, 0.2, 0.3, 0.05, 0.08]])


def picture(shape, seed=0):
    return (np.random.default_rng(seed).gamma(2, 25, shape)).clip(0, 255).astype(np.uint8)


@pytest.mark.parametrize("scale", [2, 4])
def test_squares_and_back_again_keep_a_slope(scale):
    """Means of squares lie on the slope at their centres, and between these it is interpolated."""
    slope = torch.arange(32.0).expand(1, 1, 32, 32) + 3 * torch.arange(32.0)[:, None]
    back = grow(shrink(slope, scale), scale)
    inner = slice(scale, -scale)
    torch.testing.assert_close(back[..., inner, inner], slope[..., inner, inner])


@pytest.mark.parametrize("scale", [2, 4])
@pytest.mark.parametrize("form", FORMS)
def test_h_sees_means_of_squares(form, scale):
    """An image of equal squares is to H what the small image is, up to the interpolation."""
    small, large = random_model(form).network, random_model(form, illumination_scale=scale).network
    torch.manual_seed(1)
    image = torch.rand(1, 3, 24 + 2 * large.radius // scale, 30 + 2 * large.radius // scale)
    seen = image.repeat_interleave(scale, 2).repeat_interleave(scale, 3)
    h = small.block.residual(small.block.seen(image, STATISTICS), STATISTICS)
    expected = grow(h, scale)[..., 2 * scale : -2 * scale, 2 * scale : -2 * scale]
    torch.testing.assert_close(large.block.correction(seen, STATISTICS), expected)


@pytest.mark.parametrize("scale", [2, 4])
@pytest.mark.parametrize("form", [*FORMS, "guiding"])
def test_a_flat_image_is_the_same_at_any_size(form, scale):
    flat = np.full((37, 41, 3), 40, np.uint8)
    model = random_model(form)
    whole = enhance(flat, model).illumination
    reduced = enhance(flat, model, illumination_scale=scale).illumination
    np.testing.assert_allclose(reduced, whole, rtol=1e-5)


@pytest.mark.parametrize("scale", [2, 4])
@pytest.mark.parametrize("form", [*FORMS, "guiding"])
@pytest.mark.parametrize("shape", [(1, 1, 3), (3, 150, 3), (101, 99, 3)])
def test_tiles_equal_the_whole(form, scale, shape):
    image, model = picture(shape), random_model(form)
    whole = enhance(image, model, illumination_scale=scale, tile=4096)
    tiled = enhance(image, model, illumination_scale=scale, tile=32)
    np.testing.assert_allclose(tiled.illumination, whole.illumination, rtol=1e-5)
    assert (restore(tiled.reflectance, tiled.illumination, tiled.levels) == image).all()


@pytest.mark.parametrize("scale", [2, 4])
def test_a_part_equals_that_part_of_the_whole(scale):
    image, model = picture((2, 130, 170)), random_model("stretching")
    options = EnhanceOptions(model=model, illumination_scale=scale)
    whole = finish(estimate_steps(image, options)).illumination
    plan = make_plan(image, options)
    for rows, columns in ((slice(50, 71), slice(61, 99)), (slice(3, 130), slice(101, 170))):
        part = estimate_part(image, plan, (1, rows, columns))
        np.testing.assert_allclose(part.illumination, whole[1, rows, columns], rtol=1e-5)


@pytest.mark.parametrize("chunk", [101, 96, 67])
def test_dask_equals_numpy(chunk, monkeypatch):
    monkeypatch.setattr("napari_lle.model.inference.lazy.LARGEST_PLANE", 128)
    image, model = picture((210, 333, 3)), random_model("cleaning")
    lazy = da.from_array(image, chunks=(chunk, chunk, 3))
    made = enhance(lazy, model, illumination_scale=4, black=0, white=255)
    assert made.reflectance.numblocks[:2] > (1, 1)
    whole = enhance(image, model, illumination_scale=4, black=0, white=255)
    np.testing.assert_allclose(made.reflectance.compute(), whole.reflectance, rtol=2e-5)


def test_stages_and_their_parts_run_at_a_reduced_size():
    image, model = picture((120, 140, 3)), random_model("cleaning", illumination_scale=4)
    stages = look_into(image, model, count=2)
    trace = stages.plane()
    whole = enhance(image, model)
    np.testing.assert_allclose(trace["R"][0], whole.reflectance, rtol=0, atol=1e-5)
    inner = ((61, 70), (30, 51))
    part = finish(stages.steps((), inner))
    for kind in ("L", "E", "R"):
        expected = trace[kind][:, 61:70, 30:51]
        np.testing.assert_allclose(part[kind], expected, rtol=1e-4, atol=1e-5)
    maps = finish(stages.feature_maps())
    assert {m.shape for m in maps.values()} == {(120, 140)}
    first = next(iter(maps.values()))
    squares = first.reshape(30, 4, 35, 4)
    assert (squares == squares[:, :1, :, :1]).all()
    some = next(iter(finish(stages.feature_maps((), inner)).values()))
    np.testing.assert_allclose(some, first[61:70, 30:51], atol=1e-6)


def test_the_record_tells_the_size_and_siblings_take_the_place():
    image = picture((40, 40, 3))
    assert enhance(image).record["illumination_scale"] == 1
    made = enhance(image, "photo", illumination_scale=4)
    assert made.record["illumination_scale"] == 4
    assert made.record["model"] == "photo-quarter"
    assert made.record["model_digest"] == load_model("photo-quarter").digest
    assert enhance(image, "photo-quarter").record["illumination_scale"] == 4
    other = enhance(image, "paper", illumination_scale=2)
    assert (other.record["model"], other.record["illumination_scale"]) == ("paper", 2)


@pytest.mark.parametrize("scale", [0, 3, 8, "2"])
def test_other_sizes_are_refused(scale):
    with pytest.raises(ValueError, match="illumination_scale must be 1, 2 or 4"):
        enhance(picture((20, 20, 3)), illumination_scale=scale)


def test_spans_begin_on_the_grid():
    for length in (1, 3, 4, 31, 64, 101):
        cut = spans(length, 32, 4)
        assert cut[0][0] == 0 and cut[-1][1] == length
        assert all(a % 4 == 0 for a, _ in cut)
        assert all(b == c for (_, b), (c, _) in pairwise(cut))
        assert max(b - a for a, b in cut) <= 32
    assert widen(50, 60, 200, 9, 4) == (40, 69)
    assert widen(5, 198, 200, 9, 4) == (0, 200)


def test_bands_of_any_height_give_the_same_bits(monkeypatch):
    pytest.importorskip("numba")
    from napari_lle.model import kernels
    from napari_lle.model.kernels import forms
    from napari_lle.model.kernels.cpu import reduced_runner
    from napari_lle.model.kernels.cpu.compiled import compile_kernel

    monkeypatch.delenv(kernels.SWITCH, raising=False)
    model = random_model("guiding", illumination_scale=4, **BUNDLED)
    compile_kernel(forms.layout(model.network.config, 3))
    image = picture((150, 4801, 3))
    whole = enhance(image, model)
    assert whole.record["kernel"] == "numba"
    monkeypatch.setattr(reduced_runner, "ROWS", 9)
    cut = enhance(image, model)
    assert (cut.reflectance == whole.reflectance).all()
    monkeypatch.setattr(kernels, "find", lambda *_: None)
    by_torch = enhance(image, model)
    assert by_torch.record["kernel"] == "torch"
    np.testing.assert_allclose(whole.reflectance, by_torch.reflectance, rtol=0, atol=1e-5)
