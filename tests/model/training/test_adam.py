import sys
from copy import deepcopy

import pytest
import torch
from helpers.running import drain
from helpers.training import changed

from napari_lle.model.training.adam import Adam
from napari_lle.model.training.loop import train

SHAPES = (3, 4), (7,), (1,), (2, 3, 3, 3)


def begin():
    torch.manual_seed(0)
    return [torch.randn(shape, requires_grad=True) for shape in SHAPES]


def set_gradients(parameters, step):
    """Small and large ones; in some steps one parameter has none."""
    chance = torch.Generator().manual_seed(step)
    for i, parameter in enumerate(parameters):
        parameter.grad = None
        if i != step % 5:
            parameter.grad = 10.0 ** (i - 2) * torch.randn(parameter.shape, generator=chance)


@pytest.mark.parametrize("taken_up_at", [None, 1, 6])
def test_its_steps_are_those_of_torch_to_the_last_bit(taken_up_at):
    ours, theirs = begin(), begin()
    torchs = torch.optim.Adam(theirs, 0.1, (0.9, 0.99), 1e-8, foreach=True)
    adam = Adam(ours, (0.9, 0.99), 1e-8)
    for step in range(12):
        if step == taken_up_at:
            adam = Adam(ours, (0.9, 0.99), 1e-8)
            adam.load_state_dict(deepcopy(torchs.state_dict()))
        for parameters in (ours, theirs):
            set_gradients(parameters, step)
        torchs.param_groups[0]["lr"] = rate = 0.1 / (1 + step)
        torchs.step()
        adam.step(rate)
        assert all((a == b).all() for a, b in zip(ours, theirs, strict=True))


def test_without_any_gradient_nothing_moves():
    parameters = begin()
    before = [p.detach().clone() for p in parameters]
    adam = Adam(parameters, (0.9, 0.99), 1e-8)
    set_gradients(parameters, 0)
    adam.zero_grad()
    adam.step(1.0)
    assert all((a == b).all() for a, b in zip(parameters, before, strict=True))
    assert adam.state_dict() == {"state": {}}


def test_training_loads_no_compiler(pairs, monkeypatch):
    monkeypatch.setitem(sys.modules, "torch._dynamo", None)  # to import it raises
    drain(train(pairs, changed(steps=2, validate_every=2)))
