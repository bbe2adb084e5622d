"""Networks with random weights: what holds for them holds for any that is trained."""

import torch

from napari_lle.model.network.checkpoint import Model
from napari_lle.model.network.network import Network, NetworkConfig

FORMS = ("division", "metering", "stretching", "cleaning")  # guiding is one only at reduced sizes
# Layouts of bundled models: whose kernels are compiled anyhow.
BUNDLED = {"branch_width": 1, "widths": (8, 6)}
PAPER = {"branch_width": 2, "widths": (6, 5)}  # of the metering form


def random_model(form="division", **config):
    torch.manual_seed(0)
    start = 0.7 if form in ("cleaning", "guiding", "metering") else 0.1
    if form in ("cleaning", "guiding"):
        config = {"vivid": (0.04, 0.24)} | config
    network = Network(NetworkConfig(reflectance=form, start=start, modulated=1, **config))
    torch.nn.init.normal_(network.block.residual.conv3.weight, std=0.1)
    torch.nn.init.normal_(network.block.residual.shifts[0].weight, std=0.1)
    torch.nn.init.normal_(network.auxiliary.conv2.weight, std=0.1)
    return Model("random", network.requires_grad_(False).eval(), {}, "0" * 12)


def noisy_model(seed=0, size=0.7):
    """The form for noisy data with weights by chance, large ones."""
    torch.manual_seed(seed)
    config = NetworkConfig("mixing", dilations=(1, 2, 3), widths=(6, 5), modulated=2)
    network = Network(config)
    for parameter in network.parameters():
        torch.nn.init.normal_(parameter, std=size)
    return Model("noisy", network.requires_grad_(False).eval(), {}, "0" * 12)
