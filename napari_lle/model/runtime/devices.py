"""Where torch can run on this machine, and why not elsewhere."""

from __future__ import annotations

import ctypes
import os
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypedDict, get_args

from .choices import DeviceName, check_choice
from .threads import use_threads

DEVICE = "NAPARI_LLE_DEVICE"  # in the environment: what auto stands for
CUDA_TORCH = (
    "pip install --force-reinstall torch --index-url https://download.pytorch.org/whl/cu128"
)


class Device(TypedDict):
    """One entry of `devices`: `why` tells what is missing, or which chip was found.

    `fix` is a command that makes it available; empty where none does or none is needed.
    """

    name: str
    available: bool
    why: str
    fix: str


def devices() -> list[Device]:
    """Every kind of device, best first."""
    import torch

    if torch.backends.mps.is_available():
        mps = Device(name="mps", available=True, why="Apple GPU", fix="")
    elif not torch.backends.mps.is_built():
        mps = Device(name="mps", available=False, why="this torch is built without Metal", fix="")
    else:
        mps = Device(name="mps", available=False, why="no Metal device found", fix="")
    use_threads()  # torch counts apart for each thread of ours, and one may have missed a change
    count = torch.get_num_threads()
    threads = f"{count} thread{'s' * (count != 1)}"
    return [_cuda(), mps, Device(name="cpu", available=True, why=threads, fix="")]


def _cuda() -> Device:
    import torch

    if torch.cuda.is_available():
        return Device(name="cuda", available=True, why=torch.cuda.get_device_name(0), fix="")
    if torch.version.cuda is None and torch.version.hip is None:
        why, fix = "this torch is built without CUDA", CUDA_TORCH
        if not shutil.which("nvidia-smi"):  # there is nothing to drive
            why, fix = f"{why}, and there is no NVIDIA driver, which comes first", ""
        return Device(name="cuda", available=False, why=why, fix=fix)
    return Device(name="cuda", available=False, why="no CUDA device or driver found", fix="")


def choose_device(name: str = "auto") -> str:
    """The kind of device asked for; ``auto`` is the first available of cuda, mps, cpu.

    The environment may say in ``NAPARI_LLE_DEVICE`` what ``auto`` is, and in ``NAPARI_LLE_THREADS``
    how many threads work. Where nothing but a CPU can be meant, torch, which takes a second to
    load, is not asked.

    Raises
    ------
    ValueError
        If the name is unknown or that device is not available; the message says why.
    """
    check_choice("device", name, get_args(DeviceName))
    if name == "auto":
        name = os.environ.get(DEVICE, name)
        check_choice(DEVICE, name, get_args(DeviceName))
    use_threads()
    if name == "cpu" or (name == "auto" and not _accelerated()):
        return "cpu"
    for device in devices():
        if name == device["name"] and not device["available"]:
            raise ValueError(f"{name} cannot be used: {device['why']}; choose auto or cpu.")
        if device["available"] and name in ("auto", device["name"]):
            return device["name"]
    raise AssertionError("the CPU is always there")


def _accelerated() -> bool:
    """Whether there may be anything but a CPU: torch is loaded and can tell, or a driver is there.

    torch itself finds NVIDIA's driver by its library, and AMD's by its device file.
    """
    if "torch" in sys.modules or sys.platform == "darwin" or Path("/dev/kfd").exists():
        return True
    try:
        ctypes.CDLL("nvcuda.dll" if sys.platform == "win32" else "libcuda.so.1")
    except OSError:
        return False
    return True


@contextmanager
def full_precision() -> Iterator[None]:
    """Convolve in float32: CUDA devices round what they multiply to 10 bits unless told not to."""
    import torch

    convolutions = torch.backends.cudnn.conv  # type: ignore[attr-defined]
    before = convolutions.fp32_precision
    convolutions.fp32_precision = "ieee"
    try:
        yield
    finally:
        convolutions.fp32_precision = before
