"""Which path a device is given, and what is told where a better one does not work."""

import sys

import numpy as np
import pytest
import torch
from helpers.cuda import WHERE, model, photograph

from napari_lle.model import enhance, kernels
from napari_lle.model.inference.enhance import estimate_steps
from napari_lle.model.inference.options import EnhanceOptions
from napari_lle.model.kernels import forms
from napari_lle.model.kernels.cuda import block as device
from napari_lle.model.kernels.cuda.block import Fused
from napari_lle.model.kernels.cuda.graphs import Graphs
from napari_lle.model.network.global_curve import one_curve


def test_a_device_is_given_triton_and_what_was_tried_is_remembered(monkeypatch):
    monkeypatch.setenv(kernels.SWITCH, "auto")
    monkeypatch.setattr(device, "_work", set())
    network = model("division", widths=(2, 3), branch_width=1).network
    found = kernels.find(network, 1, "cuda")
    assert found == Fused(forms.layout(network.config, 1)) and not found.note
    monkeypatch.setattr(Fused, "work", None)  # is not tried again
    assert kernels.find(network, 1, "cuda") == found
    monkeypatch.setenv(kernels.SWITCH, "torch")
    assert kernels.find(network, 1, "cuda") is None
    assert kernels.name(None) == "torch" and kernels.name(found) == "triton"


def test_what_does_not_compile_is_told_once_and_survived(monkeypatch):
    def broken(*_):
        raise RuntimeError("Failed to find C compiler.\nPlease specify via CC environment variable")

    monkeypatch.setenv(kernels.SWITCH, "auto")
    monkeypatch.setattr(kernels, "_said", set())
    monkeypatch.setattr(device, "tried", broken)
    found = model("cleaning")
    first, second = (kernels.find(found.network, 3, "cuda") for _ in range(2))
    assert isinstance(first, Graphs) and kernels.name(first) == "torch"
    assert "Failed to find C compiler.)" in first.note and "\n" not in first.note
    assert not second.note
    monkeypatch.setattr(kernels, "find", lambda *_: first)
    image = photograph((20, 23, 3))
    steps = estimate_steps(image, EnhanceOptions(model=found, device=WHERE.type))
    assert next(steps).note == first.note
    with pytest.raises(StopIteration) as stop:
        next(steps)
    monkeypatch.undo()
    expected = enhance(image, found, device="cpu")
    np.testing.assert_allclose(
        stop.value.value.reflectance(), expected.reflectance, rtol=0, atol=1e-5
    )


def test_without_triton_torch_says_so(monkeypatch):
    monkeypatch.setenv(kernels.SWITCH, "auto")
    monkeypatch.setattr(kernels, "_said", set())
    monkeypatch.setitem(sys.modules, "napari_lle.model.kernels.cuda.block", None)
    found = kernels.find(model("division").network, 3, "cuda")
    assert isinstance(found, Graphs) and "Triton is not installed" in found.note


def test_a_full_device_is_not_taken_for_a_broken_compiler(monkeypatch):
    def full(*_):
        raise torch.OutOfMemoryError("CUDA out of memory.")

    monkeypatch.setenv(kernels.SWITCH, "auto")
    monkeypatch.setattr(device, "tried", full)
    found = kernels.find(model("division").network, 3, "cuda")
    assert isinstance(found, Graphs) and not found.note


def test_what_the_kernels_are_not_made_for_is_left_to_torch(monkeypatch):
    monkeypatch.setenv(kernels.SWITCH, "auto")
    found = kernels.find(model("division", widths=(40, 6)).network, 3, "cuda")
    assert isinstance(found, Graphs) and not found.note
    assert kernels.find(model("division", dilations=(1, 300)).network, 3, "cuda") is None
    assert kernels.find(one_curve(model("division")).network, 3, "cuda") is None
