import copy

import numpy as np
import pytest
import torch
from helpers.models import FORMS, noisy_model, random_model
from helpers.running import last

from napari_lle.model import kernels
from napari_lle.model.data.pairs import Pair
from napari_lle.model.evaluation.metrics import ssim
from napari_lle.model.losses import functional as losses
from napari_lle.model.training.objectives import Crops, make_objective
from napari_lle.model.training.run_state import RunState
from napari_lle.model.training.settings import TrainingSettings
from napari_lle.model.training.validation import judge_steps

pytest.importorskip("numba")
from napari_lle.model.kernels.training.compiled import compile_training

LAYOUTS = {
    "default": {},
    "photo": {"activation": "prelu", "branch_width": 1, "widths": (8, 6)},
    "wide": {
        "activation": "prelu",
        "dilations": (1, 7),
        "branch_width": 3,
        "widths": (11, 9),
    },
    "half size": {"activation": "prelu", "illumination_scale": 2},
}
STATISTICS = torch.tensor(
    [
        [0.1, 0.2, 0.7, -0.1, 0.2, 0.3, 0.05, 0.08],
        [0.3, 0.9, 0.2, 0.1, -0.2, 0.1, 0.1, 0.2],
        [0.02, 0.0, 1.0, 0.4, 0.1, -0.3, 0.02, 0.02],
    ]
)


@pytest.fixture(autouse=True)
def kernel(monkeypatch):
    monkeypatch.delenv(kernels.SWITCH)
    compile_training()


def network(form, **config):
    """A network in training whose every weight matters, slopes of either sign included."""
    if form == "sigmoid":
        form, config = "division", {**config, "positivity": "sigmoid"}
    made = random_model(form, **config).network.requires_grad_(True)
    torch.manual_seed(1)
    with torch.no_grad():
        for parameter in made.parameters():
            parameter.add_(0.1 * torch.randn_like(parameter))
    return made


def crops(radius, height, width):
    torch.manual_seed(2)
    return torch.rand(3, 3, height + 2 * radius, width + 2 * radius) * 0.5 - 0.02


def gradients(owner, run, x, weights):
    """R, L, and the gradients of all weights and of the input of a sum of both."""
    dtype = next(owner.parameters()).dtype
    x, weights, statistics = x.to(dtype).requires_grad_(True), weights.to(dtype), STATISTICS
    owner.zero_grad()
    r, light = run.enhance(x, statistics.to(dtype)), run.block(x, statistics.to(dtype))
    (r * weights + light * weights.flip(-1)).mean().backward()
    found = {name: p.grad.clone() for name, p in owner.named_parameters() if p.grad is not None}
    return {"R": r.detach(), "L": light.detach(), "V": x.grad, **found}


def assert_same(ours, exact, torchs):
    """Within 1e-4, or nearer than where float32 leads torch, which cleaning's sharp bend may do."""
    assert ours.keys() == exact.keys()
    largest = max(float(value.norm()) for name, value in exact.items() if name not in "RLV")
    for name, value in exact.items():
        allowed = max(1e-4 * value.norm(), 4 * (torchs[name] - value).norm())
        # Of some biases hardly anything is left when the pixels are summed.
        assert (ours[name] - value).norm() <= allowed + 1e-6 * largest, name


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("form", [*FORMS, "guiding", "correcting", "sigmoid"])
def test_values_and_gradients_are_those_of_autograd(form, layout):
    net = network(form, **LAYOUTS[layout])
    fast = kernels.find_training(net)
    even = net.grid > 1
    for height, width in ((36, 52), (8, 8)) if even else ((37, 50), (1, 1), (2, 131)):
        x = crops(net.radius, height, width)
        weights = torch.randn(3, 3, height, width)
        ours = gradients(net, fast, x.clone(), weights)
        exact = copy.deepcopy(net).double()
        theirs = gradients(exact, exact, x, weights)
        assert_same(ours, theirs, gradients(net, net, x.clone(), weights))


@pytest.mark.parametrize("grey", [False, True])
def test_mixing_is_learned_as_by_autograd(grey):
    """H alone is compiled; what it chooses among is not, and is made once of equal channels."""
    net = noisy_model(size=0.3).network.requires_grad_(True)
    fast, side = kernels.find_training(net), 24 + 2 * net.radius
    torch.manual_seed(2)
    x = torch.rand(2, 3, side, side) ** 2
    x = x[:, :1].expand(-1, 3, -1, -1) if grey else x
    statistics = torch.zeros(2, 12)
    statistics[:, 6:] = torch.tensor([0.1, 0.1, 1e-3, 1e-4, 1.2, 0.3])
    weights = torch.randn(2, 3, 24, 24)

    def learned(owner, run):
        kind = next(owner.parameters()).dtype
        owner.zero_grad()
        image, told = x.to(kind), statistics.to(kind)
        r, light = run.enhance(image, told), run.block(image, told)
        ((r * weights + light * weights.flip(-1)).mean()).backward()
        return {"R": r.detach()} | {
            name: p.grad.clone() for name, p in owner.named_parameters() if p.grad is not None
        }

    exact = copy.deepcopy(net).double()
    theirs = learned(exact, exact)
    assert len(theirs) > 12
    assert_same(learned(net, fast), theirs, learned(net, net))


def test_rows_far_wider_than_a_chunk():
    net = network("cleaning", activation="prelu")
    x, weights = crops(net.radius, 3, 1100), torch.randn(3, 3, 3, 1100)
    exact = copy.deepcopy(net).double()
    ours = gradients(net, kernels.find_training(net), x.clone(), weights)
    theirs = gradients(net, net, x.clone(), weights)
    assert_same(ours, gradients(exact, exact, x, weights), theirs)


def test_a_slope_is_the_difference_quotient():
    net = network("cleaning", activation="prelu")
    fast = kernels.find_training(net)
    x = crops(net.radius, 24, 24)
    total = fast.enhance(x, STATISTICS).double().square().sum()
    total.backward()
    for name in ("stretch", "residual.conv2.weight", "residual.shifts.0.weight"):
        parameter = net.block.get_parameter(name)
        step = 1e-2 * parameter.grad / parameter.grad.norm()
        sums = []
        with torch.no_grad():
            for sign in (1, -1):
                parameter.add_(sign * step)
                sums.append(fast.enhance(x, STATISTICS).double().square().sum())
                parameter.sub_(sign * step)
        expected = (parameter.grad * step).sum()
        assert (sums[0] - sums[1]) / 2 == pytest.approx(float(expected), rel=0.02)


@pytest.mark.parametrize("unknown", [False, True])
@pytest.mark.parametrize(
    "weights", [(1, 0.5, 0.5, 0.2), (1, 0, 0, 0), (0, 1, 0, 0), (0, 0, 1, 0), (0, 0, 0, 1)]
)
@pytest.mark.parametrize("shape", [(96, 96), (37, 50), (8, 9)])
def test_the_paired_objective_is_that_of_the_losses(shape, weights, unknown):
    torch.manual_seed(0)
    result = (0.7 * torch.rand(2, 3, *shape)).requires_grad_(True)
    reference = torch.rand(2, 3, *shape)
    if unknown:
        reference[:, :, : shape[0] // 2, 2:6] = torch.nan
    names = ("absolute", "structure", "relative", "logarithmic")
    fast = kernels.find_training(network("division"))
    chosen = dict(zip(names, weights, strict=True))
    ours = fast.paired(result, reference, **chosen, stride=losses.SSIM_STRIDE)
    (2 * ours).backward()
    exact = result.detach().double().requires_grad_(True)
    known = torch.where(reference.isnan(), exact.detach(), reference.double())
    theirs = losses.paired_objective(exact, known, **chosen)
    (2 * theirs).backward()
    assert ours.item() == pytest.approx(theirs.item(), rel=1e-5)
    assert (result.grad - exact.grad).norm() <= 1e-5 * exact.grad.norm()


@pytest.mark.parametrize("form", FORMS)
def test_the_objective_with_later_stages_is_the_same(form):
    """Unknown pixels, branches folded into kernels, the auxiliary block and smoothness included."""
    settings = TrainingSettings(
        network=network(form).config, auxiliary=0.3, smooth=0.1, branches=True
    )
    state = RunState(settings, torch.device("cpu"))
    with torch.no_grad():
        for parameter in state.network.parameters():
            parameter.add_(0.05 * torch.randn_like(parameter))
    low = crops(state.network.radius, 40, 40).clamp_min(0)
    reference = torch.rand(3, 3, 40, 40)
    reference[0, :, 3:9, :5] = torch.nan
    objective = make_objective(settings, torch.device("cpu"))
    found = []
    for run in (state.runner, state.network):
        state.network.zero_grad()
        loss = objective(run, Crops(low, reference, STATISTICS))
        loss.backward()
        found.append({n: p.grad.clone() for n, p in state.network.named_parameters()})
        found[-1]["loss"] = loss.detach()
    for name, value in found[1].items():
        assert (found[0][name] - value).norm() <= 1e-3 * value.norm() + 1e-9, name


def test_threads_do_not_change_a_bit():
    net = network("cleaning", activation="prelu")
    fast = kernels.find_training(net)
    x, weights = crops(net.radius, 33, 40), torch.randn(3, 3, 33, 40)
    threads = torch.get_num_threads()
    found = []
    for count in (1, 3):
        torch.set_num_threads(count)
        found.append(gradients(net, fast, x.clone(), weights))
    torch.set_num_threads(threads)
    assert all(torch.equal(found[0][name], found[1][name]) for name in found[0])


def test_without_gradients_an_image_is_made_in_strips():
    net = network("cleaning")
    fast = kernels.find_training(net)
    x = crops(net.radius, 150, 70)
    with torch.no_grad():
        np.testing.assert_allclose(
            fast.block(x, STATISTICS), net.block(x, STATISTICS), rtol=5e-5, atol=1e-6
        )
    assert torch.equal(fast.block(x, STATISTICS).detach(), fast.block(x, STATISTICS).detach())


def test_what_the_kernel_does_not_know_is_left_to_torch(monkeypatch):
    net = network("division")
    assert kernels.training_kernel(kernels.find_training(net)) is not None
    assert kernels.training_kernel(net) is None
    net.block = torch.nn.Sequential(net.block)
    assert kernels.find_training(net) is None
    monkeypatch.setenv(kernels.SWITCH, "torch")
    assert kernels.find_training(network("division")) is None


def test_similarity_is_that_of_scikit_image():
    rng = np.random.default_rng(0)
    a = rng.random((41, 60, 3))
    b = np.clip(a + 0.1 * rng.normal(size=a.shape), 0, 1)
    fast = kernels.find_training(network("division"))
    assert fast.similarity(a, b) == pytest.approx(ssim(a, b), abs=1e-5)
    assert fast.similarity(a, a) == pytest.approx(1, abs=1e-5)


@pytest.mark.parametrize("form", FORMS)
def test_a_validation_says_the_same(form, monkeypatch):
    rng = np.random.default_rng(0)
    reference = rng.random((2, 40, 50, 3)).astype(np.float32)
    pairs = [Pair(str(i), 0.2 * r, r) for i, r in enumerate(reference)]
    settings = TrainingSettings(network=network(form).config)
    device = torch.device("cpu")
    state = RunState(settings, device)
    ours = last(judge_steps(state.averaged(), state.objective, pairs, 32, device))
    monkeypatch.setenv(kernels.SWITCH, "torch")
    theirs = last(judge_steps(state.averaged(), state.objective, pairs, 32, device))
    assert ours.pop("verdict") == theirs.pop("verdict")
    assert ours == pytest.approx(theirs, rel=1e-4, abs=1e-5)
