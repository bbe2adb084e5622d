import pytest
import torch
from helpers.models import FORMS, random_model
from torch.nn import functional as F

from napari_lle.model.network.reparam import Branches, fold, unfold
from napari_lle.model.preprocessing.statistics import Statistics


@pytest.mark.parametrize("form", FORMS)
def test_folded_equals_unfolded(form):
    network = random_model(form).network
    names = set(network.state_dict())
    x, statistics = torch.rand(2, 3, 30, 40) * 0.3, torch.full((2, len(Statistics._fields)), 0.1)
    before = network.enhance(x, statistics)
    unfold(network)
    assert torch.equal(network.enhance(x, statistics), before)  # the branches start at zero
    for module in network.modules():
        if isinstance(module, Branches):
            torch.nn.init.normal_(module.pointwise, std=0.1)
            torch.nn.init.normal_(module.scale, std=0.1)
    with_branches = network.enhance(x, statistics)
    assert (with_branches - before).abs().max() > 1e-3
    fold(network)
    assert (network.enhance(x, statistics) - with_branches).abs().max() <= 1e-5
    assert set(network.state_dict()) == names


def test_branches_are_a_1x1_convolution_and_a_scaled_identity():
    torch.manual_seed(0)
    kernel = torch.randn(4, 4, 3, 3)
    branches = Branches(kernel).requires_grad_(False)
    torch.nn.init.normal_(branches.pointwise)
    torch.nn.init.normal_(branches.scale)
    x = torch.randn(1, 4, 9, 9)
    inner = x[..., 1:-1, 1:-1]
    apart = F.conv2d(x, kernel) + F.conv2d(inner, branches.pointwise[:, :, None, None])
    apart = apart + branches.scale[None, :, :, None] * inner
    torch.testing.assert_close(F.conv2d(x, branches(kernel)), apart, atol=1e-5, rtol=0)
