"""Torch's own path, by CUDA graphs."""

import numpy as np
import pytest
import torch
from helpers.cuda import KINDS, ON_DEVICE, STATISTICS, WHERE, by_torch, model, photograph, picture
from torch.utils._python_dispatch import TorchDispatchMode

from napari_lle.model import enhance, kernels
from napari_lle.model.kernels.cuda.graphs import Graphs
from napari_lle.model.kernels.cuda.runner import stream


class Log(TorchDispatchMode):
    """The names of the operations that torch is asked for."""

    def __init__(self):
        super().__init__()
        self.names = set()

    def __torch_dispatch__(self, function, types, arguments=(), named=None):
        self.names.add(function.overloadpacket.__name__)
        return function(*arguments, **(named or {}))


@pytest.mark.parametrize("colours", [3, 1])
def test_torch_s_own_path_through_the_runner(colours):
    network = model("metering").network
    planes = [picture(colours, (40, 50)) for _ in range(4)]
    whole = [np.broadcast_to(x, (3, 40, 50)) for x in planes]
    out = np.zeros((4, 40, 50, 3) if colours == 3 else (4, 40, 50), np.float32)
    path = Graphs(colours)
    list(stream(path, network, lambda i: (whole[i], out[i]), 4, STATISTICS, 32))
    for x, light in zip(planes, out, strict=True):
        np.testing.assert_allclose(light, by_torch(network, x), rtol=0, atol=1e-5)


@pytest.mark.parametrize("kind", KINDS)
def test_a_block_asks_for_nothing_that_a_graph_cannot_record(kind):
    """No numbers that travel between device and processor in the middle of it."""
    network = model(kind).network
    x = torch.rand(1, 3, 8 + 2 * network.radius, 9 + 2 * network.radius, device=WHERE)
    with torch.inference_mode(), Log() as log:
        network.block(x, STATISTICS)
    assert "conv2d" in log.names
    assert not log.names & {"index", "lift_fresh", "_to_copy", "_local_scalar_dense", "nonzero"}


def test_torch_convolves_in_full_precision(monkeypatch):
    """The default of CUDA devices would be off by 1e-3."""
    found, seen = model("division"), []
    forward = found.network.block.forward

    def noted(*arguments):
        seen.append(torch.backends.cudnn.conv.fp32_precision)
        return forward(*arguments)

    before = torch.backends.cudnn.conv.fp32_precision
    found.network.block.forward = noted
    for kernel in (None, Graphs(1)):
        monkeypatch.setattr(kernels, "find", lambda *_, kernel=kernel: kernel)
        enhance(photograph((8, 9)), found, device=WHERE.type)
    assert seen == ["ieee"] * 2 and torch.backends.cudnn.conv.fp32_precision == before


@ON_DEVICE
def test_a_shape_that_comes_again_is_recorded():
    from napari_lle.model.kernels.cuda.graphs import MOST_SHAPES, Repeated

    calls = []

    def call(batch):
        calls.append(batch.shape)
        return batch.square() + 1

    repeated = Repeated(call)
    for size in range(1, MOST_SHAPES + 3):
        for _ in range(4):
            batch = torch.rand(1, 3, size, size, device=WHERE)
            torch.testing.assert_close(repeated(batch), batch.square() + 1)
    assert len(repeated.recorded) == MOST_SHAPES
    # Each recorded shape: once plainly, to warm up, to record; from then on the graph.
    assert calls.count(torch.Size((1, 3, 1, 1))) == 3
    assert (
        calls.count(torch.Size((1, 3, MOST_SHAPES + 2, MOST_SHAPES + 2))) == 4
    )  # no room: every time
