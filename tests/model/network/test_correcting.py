import numpy as np
import pytest
import torch
from helpers.models import random_model

from napari_lle.model import enhance, kernels, restore
from napari_lle.model.network.formulas import DARKEST
from napari_lle.model.network.network import Network, NetworkConfig

TYPICAL, COLOUR = 6, 2


def statistics(typical=0.04, colour=0.0):
    found = torch.zeros(1, 8)
    found[:, TYPICAL], found[:, COLOUR] = typical, colour
    return found


def test_it_starts_as_the_screen_stretch():
    net = Network(NetworkConfig("correcting"))
    s = torch.linspace(0.01, 1, 60).view(1, 1, 6, 10).expand(1, 3, -1, -1)
    stretch = Network(NetworkConfig("stretching", local=0.0))(s, statistics())[0].reflectance
    found = net(s, statistics())[0].reflectance
    torch.testing.assert_close(found, stretch, rtol=0, atol=1.5e-3)


@pytest.mark.parametrize("shift", [-0.3, 0.3])
def test_it_darkens_as_well_as_lifts(shift):
    net = Network(NetworkConfig("correcting")).requires_grad_(False)
    s = torch.full((1, 3, 4, 4), 0.3)
    before = net(s, statistics())[0].reflectance
    net.block.residual.conv3.bias.fill_(shift)
    after = net(s, statistics())[0].reflectance
    torch.testing.assert_close(after - before, torch.full_like(s, shift), rtol=0, atol=1e-5)


def test_greys_stay_grey_and_r_times_l_is_the_image():
    net = random_model("correcting").network
    s = torch.rand(1, 1, 20, 20).expand(1, 3, -1, -1).clamp_min(DARKEST)
    stage = net(s, statistics())[0]
    assert (stage.reflectance.amax(1) - stage.reflectance.amin(1)).max() < 1e-6
    torch.testing.assert_close(stage.reflectance * stage.illumination, s)
    assert stage.reflectance.min() > 0


def test_restoring_is_exact():
    image = np.random.default_rng(0).integers(90, 400, (40, 50)).astype(np.uint16)
    found = enhance(image, random_model("correcting"))
    back = restore(found.reflectance, found.illumination, found.levels)
    assert (back == image).all()


def test_the_fused_kernels_leave_it_to_torch():
    net = random_model("correcting").network
    assert kernels.find(net, 3) is None and kernels.find(net, 1) is None
