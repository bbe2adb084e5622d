import sys

import pytest

from napari_lle.model.runtime import devices, threads


@pytest.fixture(autouse=True)
def nothing_said_of_threads(monkeypatch):
    """Neither now nor before: a number of threads is torch's, which is loaded for it."""
    monkeypatch.delenv(threads.THREADS, raising=False)
    monkeypatch.setattr(threads, "_at_first", None)


def no_driver(name):
    raise OSError(f"{name}: cannot open shared object file")


@pytest.mark.skipif(sys.platform == "darwin", reason="torch alone knows Apple's devices")
def test_without_a_driver_torch_is_not_asked(monkeypatch):
    monkeypatch.delitem(sys.modules, "torch", raising=False)
    monkeypatch.setattr(devices, "devices", lambda: pytest.fail("asked"))
    monkeypatch.setattr(devices.ctypes, "CDLL", no_driver)
    monkeypatch.setattr(devices.Path, "exists", lambda path: False)
    assert devices.choose_device() == devices.choose_device("cpu") == "cpu"


def test_torch_is_asked_where_a_driver_is_there_or_a_device_is_named(monkeypatch):
    found = [{"name": "cuda", "available": True, "why": ""}]
    monkeypatch.setattr(devices, "devices", lambda: found)
    monkeypatch.delitem(sys.modules, "torch", raising=False)
    monkeypatch.setattr(devices.ctypes, "CDLL", lambda name: None)
    assert devices.choose_device() == "cuda"
    monkeypatch.setattr(devices.ctypes, "CDLL", no_driver)
    assert devices.choose_device("cuda") == "cuda"
    with pytest.raises(ValueError, match="device must be one of"):
        devices.choose_device("tpu")
