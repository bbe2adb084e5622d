from dataclasses import replace

import pytest
import torch
from safetensors.torch import save_file

from napari_lle.model.losses.vgg import VGG16
from napari_lle.model.network.network import Network, NetworkConfig, Stage
from napari_lle.model.preprocessing.statistics import Statistics
from napari_lle.model.training import objectives
from napari_lle.model.training.objectives import (
    TERMS,
    Crops,
    TermInputs,
    make_objective,
    paper_objective,
)
from napari_lle.model.training.settings import WEIGHTS, Paper, TrainingError, TrainingSettings

CPU = torch.device("cpu")
NO_VGG = {"perceptual": 0.0}
STATISTICS = torch.zeros(1, len(Statistics._fields))


def flat(value):
    return torch.full((1, 3, 6, 6), value, dtype=torch.float64)


def look(paper, *lights, s=0.2, features=None):
    """Stages of constant images."""
    v = flat(s)
    stages = [Stage(v, flat(x) - v, flat(x), v / x, torch.zeros_like(v)) for x in lights]
    return TermInputs(stages, v, STATISTICS, Network(), paper, features)


def only(**weights):
    return Paper({**dict.fromkeys(WEIGHTS, 0.0), **weights})


def test_every_term_has_a_weight():
    assert set(TERMS) == set(WEIGHTS)


@pytest.mark.parametrize(
    ("paper", "value"),
    [
        (only(fidelity=0.8), 0.8 * (0.3**2 + 0.6**2)),
        (replace(only(fidelity=0.8), fidelity_from=2), 0.8 * 0.6**2),
        (replace(only(fidelity=1), reduction="sum"), 108 * (0.3**2 + 0.6**2)),
        (only(smoothness=0.65), 0.65 * 2 * 1e-3),
        (only(exposure=10), 10 * (0.4 - 0.45) ** 2),
        (replace(only(exposure=10), exposure=None), 0),
        (only(agreement=2), 2 * 0.3**2),
        (only(perceptual=0.5), 0.5 * 0.6),
        (replace(only(perceptual=0.5), normaliser="sum"), 0.5 * 0.6 * 108 / 15),
        (only(fidelity=0.8, exposure=10), 0.8 * 0.45 + 10 * 0.05**2),
    ],
)
def test_terms_and_readings_have_these_values(paper, value):
    found = paper_objective(look(paper, 0.5, 0.8, features=lambda x: [x]))
    assert found.item() == pytest.approx(value, rel=1e-6)


def test_vgg_is_asked_for_unless_its_weight_is_0():
    with pytest.raises(TrainingError, match="needs VGG16's weights"):
        TrainingSettings(objective="paper")
    TrainingSettings(objective="paper", paper=Paper(NO_VGG))
    missing = TrainingSettings(objective="paper", paper=Paper(vgg="gone.safetensors"))
    with pytest.raises(ValueError, match="no VGG16 weight file at gone"):
        make_objective(missing, CPU)
    with pytest.raises(TrainingError, match="needs VGG16's weights"):
        objectives.perceptual_term(look(Paper(), 0.5))


@pytest.mark.parametrize("convention", ["torchvision", "caffe"])
def test_vgg_comes_from_its_file_and_speaks_its_convention(tmp_path, convention):
    torch.manual_seed(0)
    layers = ("relu1_1", "relu1_2")
    vgg = VGG16(layers, convention)
    save_file(vgg.state_dict(), tmp_path / "vgg.safetensors")
    weights = {**dict.fromkeys(WEIGHTS, 0.0), "perceptual": 2.0}
    paper = Paper(
        weights, vgg=str(tmp_path / "vgg.safetensors"), convention=convention, layers=layers
    )
    network, low = Network(), torch.rand(1, 3, 16, 16)
    settings = TrainingSettings(objective="paper", paper=paper)
    found = make_objective(settings, CPU)(network, Crops(low, low, STATISTICS))
    last = network(low, STATISTICS)[-1]
    pairs = zip(vgg(last.v), vgg(last.illumination), strict=True)
    assert found.item() == pytest.approx(2 * sum((a - b).abs().mean().item() for a, b in pairs))


def test_the_whole_paper_objective_reaches_every_weight():
    network = Network()
    torch.nn.init.normal_(network.block.residual.conv3.weight, std=0.1)
    torch.nn.init.normal_(network.auxiliary.conv2.weight, std=0.1)
    low = torch.rand(1, 3, 20, 20)
    settings = TrainingSettings(objective="paper", paper=Paper(NO_VGG))
    make_objective(settings, CPU)(network, Crops(low, low, STATISTICS)).backward()
    assert all(p.grad is not None and torch.isfinite(p.grad).all() for p in network.parameters())


def test_paired_takes_no_later_stages_where_there_are_none():
    network = Network(NetworkConfig(stages=1))
    low, reference = torch.rand(2, 3, 40, 40), torch.rand(2, 3, 24, 24)
    statistics = STATISTICS.expand(2, -1)
    with_weight = make_objective(TrainingSettings(auxiliary=1.0), CPU)
    without = make_objective(TrainingSettings(auxiliary=0.0), CPU)
    args = network, Crops(low, reference, statistics)
    assert with_weight(*args).item() == without(*args).item()


@pytest.mark.parametrize("objective", ["paired", "paper"])
@pytest.mark.parametrize("form", ["division", "cleaning"])
def test_mixed_precision_changes_little(objective, form):
    torch.manual_seed(0)
    network = Network(NetworkConfig(reflectance=form))
    torch.nn.init.normal_(network.block.residual.conv3.weight, std=0.05)
    torch.nn.init.normal_(network.auxiliary.conv2.weight, std=0.05)
    side = 32 + 2 * network.radius
    low, reference = torch.rand(2, 3, side, side) * 0.2, torch.rand(2, 3, 32, 32)
    statistics = STATISTICS.expand(2, -1) + 0.1
    settings = TrainingSettings(objective=objective, paper=Paper(NO_VGG))
    loss = make_objective(settings, CPU)
    full = loss(network, Crops(low, reference, statistics))
    with torch.autocast("cpu", torch.bfloat16):
        mixed = loss(network, Crops(low, reference, statistics))
    mixed.backward()
    assert mixed.item() == pytest.approx(full.item(), rel=0.02)
    assert all(torch.isfinite(p.grad).all() for p in network.parameters() if p.grad is not None)
