"""What this machine has for networks to run on, what it lacks, and the command that fixes it."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from importlib.util import find_spec
from typing import NamedTuple

from ..runtime.devices import devices
from . import SWITCH, find, switched_on

SHOWN_MODEL = "linear"  # the model whose kernel is looked for


class Part(NamedTuple):
    """A device or a kernel.

    Attributes
    ----------
    name : str
    works : bool
    why : str
        What was found, or why it does not work.
    fix : str
        The command that fixes it; empty where none does, or none is needed.
    """

    name: str
    works: bool
    why: str
    fix: str


def equipment() -> list[Part]:
    """Devices, best first, and kernels."""
    found = [each for each in devices() if each["name"] != "mps" or sys.platform == "darwin"]
    return [*(Part(*device.values()) for device in found), *_kernels(found[0]["available"])]  # type: ignore[arg-type]


def _kernels(cuda: bool) -> Iterator[Part]:
    name = "compiled kernel, cpu"
    if not switched_on():
        why = f"switched off by the preferences or by {SWITCH}=torch: torch works instead"
        yield Part(name, False, why, "")
    elif find_spec("numba") is None:
        why = "numba is not installed: torch works instead, slower"
        yield Part(name, False, why, "pip install 'napari-lle[fast]'")
    elif not _compiled():
        yield Part(name, False, "not compiled yet on this machine", "napari-lle warmup")
    else:
        yield Part(name, True, "compiled by numba", "")
    if cuda:
        there = find_spec("triton") is not None
        why = "compiled by Triton" if there else "Triton is not installed: torch works, slower"
        fix = "" if there else "pip install 'napari-lle[cuda]'"
        yield Part("compiled kernel, cuda", there, why, fix)


def _compiled() -> bool:
    from ..network.checkpoint import recent_model

    return find(recent_model(SHOWN_MODEL).network, 1) is not None
