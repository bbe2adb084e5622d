"""The unrolled network against `Network.forward`, `enhance` and arithmetic."""

import numpy as np
import pytest
import torch
from helpers.models import FORMS, random_model
from helpers.running import last
from safetensors.torch import load_file, save_file

from napari_lle.model import enhance, load_model, stages
from napari_lle.model.inspection.trace import SYMBOLS
from napari_lle.model.network.bundled import bundled_models, bundled_path
from napari_lle.model.network.checkpoint import AUXILIARY, Model
from napari_lle.model.network.network import Network, NetworkConfig


def calm_model(form="division", **config):
    """Random too, but with an auxiliary block that changes little, as trained ones do."""
    model = random_model(form, **config)
    model.network.auxiliary.conv2.weight *= 0.05
    return model


@pytest.fixture
def grey(rng):
    return rng.integers(10, 900, (37, 71)).astype(np.uint16)


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("recursion", ["auxiliary", "literal"])
def test_stages_are_those_of_the_network(photo, form, recursion):
    model = calm_model(form, recursion=recursion)
    found = stages(photo, model, count=5, tile=32)
    trace = found.plane()
    s = torch.from_numpy(photo.astype(np.float32) / 255).permute(2, 0, 1)[None]
    expected = model.network(s, found._statistics, 5)
    for t, stage in enumerate(expected):
        for kind, values in (("L", stage.illumination), ("u", stage.u), ("V", stage.v)):
            np.testing.assert_allclose(
                trace[kind][t], values[0].permute(1, 2, 0), rtol=1e-4, atol=1e-6
            )
        np.testing.assert_allclose(trace["E"][t], stage.e[0].permute(1, 2, 0), atol=2e-5)
    away = [abs(stage.illumination - expected[0].illumination) for stage in expected]
    assert away[-1].max() > 1e-4
    for distance, a in zip(trace.distances(), away, strict=True):
        assert distance == pytest.approx((float(a.max()), float(a.mean())), rel=1e-3, abs=1e-6)


@pytest.mark.parametrize("model", [*bundled_models(), *FORMS])
@pytest.mark.parametrize("channels", ["per", "joint"])
def test_the_first_stage_is_what_enhance_makes(photo, model, channels):
    model = random_model(model) if model in FORMS else load_model(model)
    result = enhance(photo, model, channels=channels)
    found = stages(photo, model, channels=channels)
    trace = found.plane()
    np.testing.assert_allclose(trace["R"][0], result.reflectance, rtol=1e-6, atol=1e-6)
    lifted = photo.max(axis=-1) / 255 < found._darkest  # there enhance tells S / R
    lifted = lifted if channels == "joint" else photo / 255 < found._darkest
    np.testing.assert_allclose(
        trace["L"][0][~lifted], result.illumination[~lifted], rtol=1e-6, atol=1e-6
    )


@pytest.mark.parametrize("colour", [False, True])
def test_arrays_are_lazy_and_shaped_like_the_stack(rng, colour):
    stack = rng.integers(0, 900, (2, 3, 20, 30, *((4,) if colour else ()))).astype(np.uint16)
    found = stages(stack, random_model(), count=4, rgb=colour)
    seen = []
    real = found.steps
    found.steps = lambda index: (seen.append(index), real(index))[1]
    arrays = {kind: found[kind] for kind in SYMBOLS}
    assert not seen
    assert arrays["L"].shape == (4, 2, 3, 20, 30)
    assert arrays["R"].shape == (4, 2, 3, 20, 30, *((3,) if colour else ()))
    plane = arrays["V"][3, 1, 2].compute()
    assert seen == [(1, 2)]
    np.testing.assert_array_equal(plane, found.plane((1, 2))["V"][3])
    assert plane.dtype == np.float32
    result = enhance(stack, random_model(), rgb=colour).reflectance
    np.testing.assert_allclose(
        arrays["R"][0].compute(), result[..., :3] if colour else result, rtol=1e-6, atol=1e-6
    )


def test_a_part_equals_that_part_of_the_whole(rng):
    image = rng.integers(0, 900, (150, 130)).astype(np.uint16)
    found = stages(image, calm_model(), count=3)
    whole, part = found.plane(), last(found.steps((), ((60, 80), (0, 25))))
    for kind in SYMBOLS:
        np.testing.assert_allclose(part[kind], whole[kind][:, 60:80, :25], rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("scale", [1, 2])
@pytest.mark.parametrize("recursion", ["auxiliary", "literal"])
def test_the_receptive_field_is_where_a_pixel_still_matters(rng, recursion, scale):
    image = rng.random((141, 141)).astype(np.float32)
    touched = image.copy()
    touched[70, 70] += 0.5
    model = random_model(recursion=recursion, illumination_scale=scale)
    options = {"count": 3, "black": 0, "white": 1}
    a, b = stages(image, model, **options), stages(touched, model, **options)
    b._statistics = a._statistics
    changed = (a.plane()["L"] != b.plane()["L"]).any(axis=2)  # (T, Y)
    farthest = [np.abs(np.flatnonzero(rows) - 70).max() for rows in changed]
    assert farthest[0] == a.radius(1) < farthest[1]
    assert all(far <= a.radius(t) for t, far in enumerate(farthest, 1))


def test_without_an_auxiliary_block_all_stages_are_the_first(grey, tmp_path):
    with bundled_path("linear") as path:
        tensors = {k: v for k, v in load_file(path).items() if not k.startswith(AUXILIARY)}
        from safetensors import safe_open

        with safe_open(path, "pt") as file:
            metadata = file.metadata()
    save_file(tensors, tmp_path / "bare.safetensors", metadata)
    model = load_model(tmp_path / "bare.safetensors")
    assert not model.auxiliary
    found = stages(grey, model, count=3)
    assert not found.trained
    assert found.radius(3) == found.radius(1)
    trace = found.plane()
    assert not trace["E"].any()
    assert trace.distances()[2] == (0, 0)
    np.testing.assert_array_equal(trace["R"][2], trace["R"][0])
    np.testing.assert_array_equal(trace["R"][0], stages(grey, "linear").plane()["R"][0])


def test_gain_and_difference(grey):
    trace = stages(grey, random_model(), count=3).plane()
    np.testing.assert_allclose(trace.gain(2) * trace["L"][1], 1, rtol=1e-6)
    np.testing.assert_array_equal(trace.difference(), np.abs(trace["L"][2] - trace["L"][0]))
    assert trace.difference().max() == trace.distances()[2].max


@pytest.mark.parametrize("channels", ["per", "joint"])
def test_noise_gain_of_a_constant_residual_is_its_slope(photo, channels):
    """``R = S / (S + u)`` with the same u everywhere: dR/dS is ``u / (S + u)^2``."""
    network = Network(NetworkConfig(start=0.1)).requires_grad_(False)
    found = stages(photo, Model("new", network), channels=channels, tile=32)
    gain = last(found.noise_gain())
    s = photo / 255 if channels == "per" else photo.max(axis=-1) / 255
    np.testing.assert_allclose(gain, 0.1 / (s + 0.1) ** 2, rtol=0.01)


def test_noise_gain_is_what_noise_does(rng):
    image = rng.random((60, 60)).astype(np.float32)
    found = stages(image, random_model(), black=0, white=1)
    gain = last(found.noise_gain((), ((5, 50), (5, 50))))
    assert gain.shape == (45, 45)
    clean = found.plane()["R"][0]
    changes = []
    for _ in range(60):  # deviations within 9 %, whose median over 2025 pixels is within 1 %
        found.image = (image + 1e-4 * rng.standard_normal(image.shape)).astype(np.float32)
        found._kept = None
        changes.append(found.plane()["R"][0] - clean)
    measured = np.std(changes, axis=0)[5:50, 5:50] / 1e-4
    ratio = gain / measured
    assert np.median(ratio) == pytest.approx(1, abs=0.05)


def test_feature_maps_are_those_of_the_branches(photo):
    model = random_model(dilations=(1, 3, 3), branch_width=2)
    found = stages(photo, model, tile=32)
    maps = last(found.feature_maps())
    assert list(maps)[:3] == [
        "branch 1 (dilation 1) map 1",
        "branch 1 (dilation 1) map 2",
        "branch 2 (dilation 3) map 1",
    ]
    assert len(maps) == 6
    s = np.pad(photo / 255, ((3, 3), (3, 3), (0, 0)), mode="reflect").transpose(2, 0, 1)
    conv = model.network.block.residual.features.branches[1]
    answer = conv(torch.from_numpy(s.astype(np.float32))[None])[0, 0]
    np.testing.assert_allclose(maps["branch 2 (dilation 3) map 1"], answer.clamp_min(0), atol=1e-5)


def test_a_plain_stretch_says_that_it_has_no_features(grey):
    found = stages(grey, random_model("stretching", local=0.0))
    with pytest.raises(ValueError, match="no feature maps"):
        last(found.feature_maps())


def test_a_count_below_one_is_refused(grey):
    with pytest.raises(ValueError, match="1 or more"):
        stages(grey, count=0)
