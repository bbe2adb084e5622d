"""What the environment says of the machine, in Python and on the command line."""

from concurrent.futures import ThreadPoolExecutor

import pytest
import torch
from helpers.models import random_model

from napari_lle.model import load_model
from napari_lle.model.network.bundled import own_file
from napari_lle.model.network.checkpoint import save_model
from napari_lle.model.runtime.devices import choose_device, devices


def test_auto_is_the_device_that_is_named(monkeypatch):
    monkeypatch.setenv("NAPARI_LLE_DEVICE", "cpu")
    assert choose_device("auto") == "cpu"
    monkeypatch.setenv("NAPARI_LLE_DEVICE", "toaster")
    assert choose_device("cpu") == "cpu"  # what an option says goes before
    with pytest.raises(ValueError, match="NAPARI_LLE_DEVICE must be one of"):
        choose_device("auto")


def test_threads_are_those_that_are_named_for_as_long(monkeypatch):
    before = torch.get_num_threads()
    monkeypatch.setenv("NAPARI_LLE_THREADS", str(before + 2))
    choose_device("cpu")
    assert torch.get_num_threads() == before + 2
    monkeypatch.delenv("NAPARI_LLE_THREADS")
    choose_device("cpu")
    assert torch.get_num_threads() == before
    monkeypatch.setenv("NAPARI_LLE_THREADS", "many")
    with pytest.raises(ValueError, match="NAPARI_LLE_THREADS must be a number"):
        choose_device("cpu")


def test_every_thread_tells_the_number_that_was_named_last(monkeypatch):
    """Torch keeps it apart for each of them, from the first time that it is asked there."""
    with ThreadPoolExecutor(1) as other:

        def told():
            return other.submit(devices).result()[-1]["why"]

        before = told()
        monkeypatch.setenv("NAPARI_LLE_THREADS", "3")
        choose_device("cpu")
        assert told() == "3 threads"
        monkeypatch.delenv("NAPARI_LLE_THREADS")
        choose_device("cpu")
        assert told() == before


def test_own_models_are_found_by_name(monkeypatch, tmp_path):
    save_model(tmp_path / "mine.safetensors", random_model().network, {})
    save_model(tmp_path / "photo.safetensors", random_model().network, {})
    monkeypatch.setenv("NAPARI_LLE_MODELS", str(tmp_path))
    assert load_model("mine").name == "mine"
    assert load_model("photo").digest != load_model(tmp_path / "photo.safetensors").digest
    assert own_file("mine:global") == [tmp_path / "mine.safetensors"]
    monkeypatch.delenv("NAPARI_LLE_MODELS")
    with pytest.raises(ValueError, match="no model mine"):
        load_model("mine")


def test_every_device_says_what_fixes_it(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(torch.version, "cuda", None)
    monkeypatch.setattr(torch.version, "hip", None, raising=False)
    monkeypatch.setattr("shutil.which", lambda _: "/usr/bin/nvidia-smi")
    assert "pip install" in devices()[0]["fix"]
    monkeypatch.setattr("shutil.which", lambda _: None)  # there is nothing to drive
    assert not devices()[0]["fix"] and "no NVIDIA driver" in devices()[0]["why"]
