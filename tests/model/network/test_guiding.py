import pytest
import torch
from helpers.models import random_model

from napari_lle.model.network.network import Network, NetworkConfig, pad

STATISTICS = torch.tensor([[0.1, 0, 1, -0.1, 0.2, 0.3, 0.05, 0.08, 0, 0, 1.0]])


@pytest.fixture
def image():
    """Noise around a dark grey."""
    return 0.1 + 0.01 * torch.randn((1, 3, 24, 32), generator=torch.Generator().manual_seed(0))


def guiding(scale, gate):
    """Without a correction; how much of the detail stays is the same everywhere."""
    network = Network(NetworkConfig("guiding", start=0.7, illumination_scale=scale))
    with torch.no_grad():
        network.block.residual.conv3.bias[3] = gate
    return network.requires_grad_(False).eval()


def shown(network, image):
    return network.enhance(pad(image, network.radius), STATISTICS)


def test_at_full_size_it_is_cleaning(image):
    """The gate cancels: what is left of the detail is what is added of the mean of one pixel."""
    guided, plain = random_model("guiding").network, random_model("cleaning").network
    state = guided.state_dict()
    for name in ("weight", "bias"):
        key = f"block.residual.conv3.{name}"
        state[key] = state[key][:3]
    plain.load_state_dict(state)
    torch.testing.assert_close(shown(guided, image), shown(plain, image), rtol=0, atol=2e-6)


@pytest.mark.parametrize("scale", [2, 4])
def test_an_open_gate_lets_all_detail_pass(scale, image):
    plain = Network(NetworkConfig("cleaning", start=0.7)).requires_grad_(False).eval()
    found = shown(guiding(scale, 30), image)
    torch.testing.assert_close(found, shown(plain, image), rtol=0, atol=2e-6)


@pytest.mark.parametrize("scale", [2, 4])
def test_a_closed_gate_leaves_means_of_squares_alone(scale, image):
    """Of white noise a square's mean keeps 1/scale, and interpolation less."""
    noise = [shown(guiding(scale, gate), image).std() for gate in (30, -30)]
    assert noise[1] < noise[0] / scale
    even = torch.full_like(image, 0.1)
    closed, opened = (shown(guiding(scale, gate), even) for gate in (-30, 30))
    torch.testing.assert_close(closed, opened, rtol=0, atol=1e-6)
