import re

import numpy as np
import pytest
import torch
from helpers.models import random_model
from helpers.running import last

from napari_lle.model.data.pairs import Pair, make_alone
from napari_lle.model.network.network import Network, NetworkConfig
from napari_lle.model.training.objectives import make_objective
from napari_lle.model.training.settings import Paper, TrainingSettings
from napari_lle.model.training.validation import examine, fault, judge_steps, shaded_phantom

CPU = torch.device("cpu")
rng = np.random.default_rng(0)
SOUND = {"extreme": 0.0, "shading": 0.5, "agreement_max": 0.0, "score": 1.0}


def dark(n=2):
    images = (rng.random((40, 50, 3)) * 60 + 2).astype(np.uint8)
    return [make_alone(str(i), images) for i in range(n)]


def constant(u):
    """A network whose u is the same everywhere."""
    return Network(NetworkConfig(start=u)).requires_grad_(False).eval()


def test_a_constant_curve_is_sound_but_has_no_variation():
    figures = examine(constant(0.1), dark(), 32, CPU)
    assert fault(figures) == ""
    assert figures["variation"] == pytest.approx(0, abs=1e-5)
    assert figures["agreement_max"] == 0
    assert examine(random_model("division").network, dark(), 32, CPU)["variation"] > 0.01


@pytest.mark.parametrize("u", [-7.0, 20.0])
def test_white_and_black_networks_have_collapsed(u):
    network = constant(0.1)
    network.block.residual.conv3.bias.fill_(u)  # softplus(-7) = 0.001, softplus(20) = 20
    figures = examine(network, dark(), 32, CPU)
    assert figures["extreme"] > 0.6
    assert "white or black" in fault(figures)


def test_what_the_reference_has_in_white_and_black_is_no_collapse():
    low = dark(1)[0].low
    network = constant(0.1)
    network.block.residual.conv3.bias.fill_(20.0)
    pair = Pair("night", low, np.zeros_like(low))
    assert examine(network, [pair], 32, CPU)["extreme"] == 0
    assert examine(network, [Pair("day", low, low + 0.2)], 32, CPU)["extreme"] > 0.6
    assert examine(network, [Pair("dusk", low, low * 0 + 0.02)], 32, CPU)["extreme"] == 0


def test_saturated_values_do_not_count():
    half = np.zeros((32, 32, 3), np.uint8)
    half[:16] = 255
    figures = examine(constant(0.1), [make_alone("half", half)], 32, CPU)
    assert figures["extreme"] == 0


def test_a_bright_spot_where_the_loss_is_taken_from_is_no_collapse():
    low = np.full((96, 96, 3), 0.1, np.float32)
    low[40:56, 40:56] = 0.95  # nearly white afterwards
    low[:, 72:] = 0.97  # that, too, but not judged by
    reference = np.full_like(low, 0.6)
    reference[:, 72:] = np.nan
    pair = Pair("lamp", low, reference)
    found = last(
        judge_steps(constant(0.005), make_objective(TrainingSettings(), CPU), [pair], 16, CPU)
    )
    assert found["extreme"] == pytest.approx(16**2 / (96 * 72))
    assert found["verdict"] == ""


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        ({"extreme": 0.051}, "5 % of the unsaturated"),
        ({"shading": 0.009}, "flat"),
        ({"score": np.nan}, "not finite"),
        ({"agreement_max": np.inf}, "not finite"),
        ({"psnr": np.inf}, "^$"),  # equal to the reference: nothing is wrong with that
    ],
)
def test_verdicts(wrong, sentence):
    assert fault(SOUND) == ""
    assert re.search(sentence, fault({**SOUND, **wrong}))


def test_a_flat_illumination_that_comes_nearer_to_the_reference_is_no_collapse():
    flat = {**SOUND, "shading": 0.0}
    assert "flat" in fault({**flat, "remaining": 0.99}) and "flat" in fault(flat)
    assert fault({**flat, "remaining": 0.9}) == ""
    assert "white or black" in fault({**flat, "remaining": 0.9, "extreme": 0.06})


def test_what_remains_is_the_distance_to_the_reference_as_a_share():
    network = constant(0.5)  # R = V / (V + 1/2)
    low = np.full((40, 50, 3), 0.25, np.float32)
    reference = np.full_like(low, 0.5)
    reference[:20] = np.nan
    found = examine(network, [Pair("x", low, reference)], 64, CPU)
    assert found["remaining"] == pytest.approx((0.5 - 1 / 3) / 0.25, rel=1e-3)
    assert "remaining" not in examine(network, [Pair("x", low, low)], 64, CPU)


def test_the_phantom_is_dark_textured_and_shaded():
    low = shaded_phantom().low
    assert low.min() > 1 / 255 and low.max() < 0.3
    means = low.mean(axis=(0, 2))
    assert means[0] > 12 * means[-1]


def test_agreement_is_the_largest_distance_to_the_first_stage():
    network = random_model("division").network
    pairs = dark(1)
    found = examine(network, pairs, 64, CPU)
    low = torch.from_numpy(pairs[0].low.transpose(2, 0, 1).copy())[None]
    stages = network(low, torch.from_numpy(pairs[0].statistics)[None])
    drift = [(stage.illumination - stages[0].illumination).abs() for stage in stages[1:]]
    assert found["agreement_max"] == pytest.approx(max(d.max().item() for d in drift))
    assert found["agreement_mean"] == pytest.approx(np.mean([d.mean().item() for d in drift]))


def test_the_score_is_ssim_with_references_and_the_loss_without():
    settings = TrainingSettings(objective="paper", paper=Paper({"perceptual": 0.0}))
    alone = dark(2)
    found = last(judge_steps(constant(0.1), make_objective(settings, CPU), alone, 24, CPU))
    assert found["score"] == -found["held_out_loss"] and "psnr" not in found
    paired = [Pair(p.name, p.low, p.low / (p.low + 0.1)) for p in alone]
    found = last(
        judge_steps(constant(0.1), make_objective(TrainingSettings(), CPU), paired, 24, CPU)
    )
    assert found["score"] == found["ssim"] > 0.99
    assert found["verdict"] == ""
