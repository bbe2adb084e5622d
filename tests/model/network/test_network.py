import pytest
import torch

from napari_lle.model.network.config import ConfigError
from napari_lle.model.network.extent import weight_shapes
from napari_lle.model.network.network import BLOCKS, Network, NetworkConfig, pad, trim
from napari_lle.model.network.reparam import fold, unfold
from napari_lle.model.preprocessing.statistics import ADAPTED, LIT, SEEN_NOISE


@pytest.fixture
def network():
    torch.manual_seed(0)
    net = Network()
    torch.nn.init.normal_(net.block.residual.conv3.weight, std=0.3)
    torch.nn.init.normal_(net.auxiliary.conv2.weight, std=0.3)
    return net


# Statistics of a dark, coloured image.
DARK = torch.tensor([[0.05, 0.0, 1.0, 0.1, -0.2, 0.3, 0.04, 0.05]])


def dark(images):
    return DARK.expand(len(images), -1)


def test_size_is_the_paper_s(network):
    # 4 (27*2 + 2) + (11*9*6 + 6) + (6*9*6 + 6) + (6*9*3 + 3)
    assert network.inference_parameters() == 1319


@pytest.mark.parametrize("positivity", ["softplus", "sigmoid"])
@pytest.mark.parametrize("start", [0.05, 0.4])
def test_untrained_network_is_the_screen_stretch(positivity, start):
    net = Network(NetworkConfig(positivity=positivity, start=start))
    s = torch.rand(1, 3, 12, 15, generator=torch.Generator().manual_seed(0))
    reflectance = net(s, dark(s))[0].reflectance
    m = start / (1 + 2 * start)
    stretch = (m - 1) * s / ((2 * m - 1) * s - m)
    torch.testing.assert_close(reflectance * (1 + start), stretch, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("gain", [1, 1 / 4, 1 / 32])
def test_metering_does_not_see_the_exposure(gain):
    net = Network(NetworkConfig("metering", start=0.8))
    torch.nn.init.normal_(net.block.residual.conv3.weight, std=0.3)
    s = torch.rand(1, 3, 20, 20, generator=torch.Generator().manual_seed(0)) * 0.2
    dimmed = DARK.clone()
    dimmed[:, [0, ADAPTED]] *= gain
    a, b = net(s, DARK)[0].reflectance, net(s * gain, dimmed)[0].reflectance
    torch.testing.assert_close(a, b, rtol=0, atol=0.005)
    assert (net(s, DARK)[0].illumination - s).min() > 0.8 * 0.05 * 2**-6 * 0.99


def test_metering_starts_as_one_curve_and_leaves_lit_images_alone():
    net = Network(NetworkConfig("metering", start=0.8))
    s = torch.rand(1, 3, 20, 20)
    unit = 0.8 * (0.05**2 + 1e-8) ** 0.5
    torch.testing.assert_close(net(s, DARK)[0].reflectance, s / (s + unit))
    lit = DARK.clone()
    lit[:, 1] = 1
    assert (net(s, lit)[0].reflectance == s).all()


@pytest.mark.parametrize(("lit", "noise", "factor"), [(0, -1.5, 1.4), (0, 1, 0.9), (1, -1.5, 1)])
def test_colours_are_as_vivid_as_noise_lets_them(lit, noise, factor):
    known = DARK.clone()
    known[:, [LIT, SEEN_NOISE]] = torch.tensor([float(lit), noise])
    s = 0.02 + 0.01 * torch.rand(1, 3, 12, 12, generator=torch.Generator().manual_seed(0))
    plain, vivid = (
        Network(NetworkConfig("cleaning", start=0.8, vivid=v))(s, known)[0].reflectance
        for v in ((0.0, 0.0), (0.1, 0.2))
    )
    grey = plain.mean(dim=1, keepdim=True)
    torch.testing.assert_close(vivid, grey + factor * (plain - grey), rtol=0, atol=2e-3)


@pytest.mark.parametrize("vivid", [(0.1,), (-0.1, 0.2), (0.1, 0.5), (0.5, float("nan"))])
def test_colours_cannot_be_inverted(vivid):
    with pytest.raises(ConfigError, match="vivid holds two numbers"):
        NetworkConfig("cleaning", vivid=vivid)


@pytest.mark.parametrize("local", [0.0, 1.0])
@pytest.mark.parametrize("typical", [0.002, 0.04, 0.2])
def test_stretching_starts_as_the_automatic_screen_stretch(local, typical):
    net = Network(NetworkConfig("stretching", local=local))
    if local == 0:  # then no weights matter
        torch.nn.init.normal_(net.block.residual.conv3.weight)
    statistics = DARK.clone()
    statistics[:, 6] = typical
    s = torch.linspace(0, 1, 60).view(1, 1, 6, 10).expand(1, 3, -1, -1)
    m = typical * 0.75 / (typical + 0.25 - 0.5 * typical)
    stretch = (m - 1) * s / ((2 * m - 1) * s - m)
    reflectance = net(s, statistics)[0].reflectance
    torch.testing.assert_close(reflectance, stretch, rtol=0, atol=1e-6)
    at_typical = net(torch.full((1, 3, 1, 1), typical), statistics)[0].reflectance
    assert at_typical.mean().item() == pytest.approx(0.25, abs=1e-6)


def test_stretching_departs_within_its_octaves():
    net = Network(NetworkConfig("stretching", local=0.5))
    torch.nn.init.normal_(net.block.residual.conv3.weight, std=10.0)
    s = torch.rand(1, 3, 30, 30) * 0.2
    illumination = net(s, DARK)[0].illumination
    u = (illumination - s) / (1 - illumination)  # from L = (S + u) / (1 + u)
    m = 0.04 * 0.75 / (0.04 + 0.25 - 0.02)
    octaves = torch.log2(u / (m / (1 - 2 * m)))
    assert octaves.abs().max() <= 0.5 + 1e-3
    assert octaves.abs().max() > 0.4


def test_untrained_stages_are_equal():
    stages = Network()(torch.rand(1, 3, 10, 10), dark(torch.rand(1, 3, 10, 10)), stages=5)
    assert len(stages) == 5
    assert all((stage.illumination == stages[0].illumination).all() for stage in stages)


def test_stages_repeat_where_the_auxiliary_block_adds_nothing(network):
    assert Network().repeating and not network.repeating
    assert not Network(NetworkConfig(recursion="literal")).repeating
    torch.nn.init.zeros_(network.auxiliary.conv2.weight)
    assert network.repeating
    torch.nn.init.constant_(network.auxiliary.conv2.bias, 1e-3)
    assert not network.repeating


def test_retinex_holds_at_every_stage(network):
    s = torch.rand(2, 3, 20, 24)
    for t, stage in enumerate(network(s, dark(s))):
        assert (stage.u > 0).all()
        torch.testing.assert_close(stage.illumination, stage.v + stage.u)
        if t == 0:
            assert (stage.illumination > 0).all()
            assert (stage.reflectance >= 0).all() and (stage.reflectance <= 1).all()
            torch.testing.assert_close(stage.reflectance * stage.illumination, s)


def test_recursion_follows_the_chosen_reading(network):
    s = torch.rand(1, 3, 16, 16)
    first, second, third = network(s, dark(s))
    torch.testing.assert_close(second.v, s + first.e)
    torch.testing.assert_close(third.v, s + second.e)

    literal = Network(NetworkConfig(recursion="literal"))
    literal.load_state_dict(network.state_dict())
    stages = literal(s, dark(s))
    torch.testing.assert_close(stages[1].v, stages[0].illumination)
    # The letter grows without bound: each stage adds u > 0.
    assert (stages[2].illumination > stages[1].illumination).all()
    assert (stages[1].illumination > stages[0].illumination).all()


def test_inference_block_is_the_first_stage(network):
    s = torch.rand(1, 3, 30, 20)
    block = network.block(pad(s, network.radius), DARK)
    torch.testing.assert_close(block, network(s, dark(s))[0].illumination)


@pytest.mark.parametrize(("scale", "field"), [(1, 17), (2, 37), (4, 75)])
def test_receptive_field_is_as_far_as_a_pixel_matters(network, scale, field):
    network = network.at_scale(scale).double()
    halo, middle = network.radius, 4 * scale
    side = 2 * halo + 8 * scale + 1
    farthest = 0
    for pixel in range(middle, middle + scale):  # its place in a square matters
        x = torch.rand(1, 3, side, side, dtype=torch.float64, requires_grad=True)
        one = network.block(x, DARK.double())[..., pixel, pixel].sum()
        (gradient,) = torch.autograd.grad(one, x)
        for axis in (2, 3):
            other = 5 - axis
            seen = torch.nonzero(gradient.abs().sum(dim=(0, 1, other))).flatten() - halo
            first, last = seen.min().item(), seen.max().item()
            assert network.block.reads(pixel, pixel) == (first, last)
            farthest = max(farthest, pixel - first, last - pixel)
    assert network.receptive_field == 2 * farthest + 1 == field <= 2 * halo + 1


def test_one_curve_sees_no_neighbours():
    assert Network(NetworkConfig("stretching", local=0.0)).receptive_field == 1


def test_dilated_branches_see_their_own_ring():
    net = Network(NetworkConfig(dilations=(1, 2, 3, 5), branch_width=1))
    features = net.block.residual.features
    for branch in features.branches:
        torch.nn.init.constant_(branch.weight, 1.0)
        torch.nn.init.zeros_(branch.bias)
    impulse = torch.zeros(1, 3, 23, 23)
    impulse[..., 11, 11] = 1
    maps = features(impulse)[0, 3:]  # 13 x 13, centre (6, 6)
    for d, response in zip((1, 2, 3, 5), maps, strict=True):
        hits = {tuple(p) for p in (torch.nonzero(response) - 6).tolist()}
        assert hits == {(a * d, b * d) for a in (-1, 0, 1) for b in (-1, 0, 1)}


def test_splice_keeps_the_input(network):
    v = torch.rand(1, 3, 30, 30)
    features = network.block.residual.features
    assert (features(v)[:, :3] == trim(v, features.radius)).all()


@pytest.mark.parametrize("size", [(1, 1), (1, 9), (5, 7)])
def test_smaller_than_the_receptive_field(network, size):
    stages = network(torch.rand(1, 3, *size), dark(torch.rand(1, 3, *size)))
    assert stages[-1].reflectance.shape == (1, 3, *size)
    assert torch.isfinite(stages[-1].reflectance).all()


def test_config_round_trip_and_refusals():
    config = NetworkConfig(dilations=(1, 4), widths=(5, 7), recursion="literal", stages=4)
    assert NetworkConfig.from_dict(config.to_dict()) == config
    with pytest.raises(ValueError, match="no network option dilation"):
        NetworkConfig.from_dict({"dilation": 3})
    for wrong in (
        {"positivity": "relu"},
        {"recursion": "x"},
        {"stages": 0},
        {"start": 2.0},
        {"dilations": ()},
    ):
        with pytest.raises(ValueError):
            NetworkConfig(**wrong)


def test_every_weight_learns(network):
    loss = sum(
        (stage.reflectance.sum() + stage.e.sum())
        for stage in network(torch.rand(2, 3, 24, 24), dark(torch.rand(2, 3, 24, 24)))
    )
    loss.backward()
    assert all(p.grad is not None and p.grad.abs().sum() > 0 for p in network.parameters())


@pytest.mark.parametrize("activation", ["relu", "prelu"])
@pytest.mark.parametrize("form", [*BLOCKS])
def test_a_configuration_tells_the_shapes_of_all_weights(form, activation):
    config = NetworkConfig(form, (1, 4), 3, (7, 5), activation, modulated=2, auxiliary_width=9)
    network = Network(config)
    state = network.state_dict()
    assert weight_shapes(config) == {name: tuple(value.shape) for name, value in state.items()}
    weights = network.weights()
    assert all((weights.arrays[name] == value.numpy()).all() for name, value in state.items())
    again = Network.of_weights(weights)
    assert all((value == state[name]).all() for name, value in again.state_dict().items())
    assert (weights.radius, weights.grid) == (again.radius, again.grid)


def test_branches_of_a_convolution_are_one_among_the_weights():
    network = unfold(Network(NetworkConfig()))
    for parameter in network.parameters():
        torch.nn.init.normal_(parameter)
    found = network.weights().arrays
    plain = fold(network).state_dict()
    assert all((found[name] == value.numpy()).all() for name, value in plain.items())
