"""What the user prefers: napari keeps it, and its Preferences show it, too.

Declared in the manifest under `configurations`, which napari reads from version 0.9 on; before,
what the manifest says by default holds. Variables of the environment such as ``NAPARI_LLE_DEVICE``
are read by napari itself, and go before what is stored.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any, NamedTuple

from ...model.kernels import SWITCH
from ...model.network.bundled import OWN_FOLDER, bundled_models, own_models
from ...model.runtime.devices import DEVICE
from ...model.runtime.threads import THREADS
from .own_models import OWN

PLUGIN = "napari-lle"
RECOGNISED = "recognised"  # of the look


class Preferences(NamedTuple):
    """As the manifest declares them."""

    model: str = "auto"
    look: str = RECOGNISED
    device: str = "auto"
    threads: int = 0
    kernel: str = "auto"
    models: str = ""
    preview: float = 1.5  # megapixels


_ours: dict[str, str] = {}  # variables of the environment that were set here


def kept_settings() -> Any:
    """Where napari keeps them, None where it does not."""
    try:
        from napari.settings import get_plugin_settings

        return get_plugin_settings(PLUGIN).lle
    except (ImportError, KeyError, AttributeError, ValueError):
        return None  # an older napari; the plugin is not installed; the environment is wrong


def preferences() -> Preferences:
    """What is preferred."""
    kept = kept_settings()
    if kept is None:
        return Preferences()
    return Preferences(*(getattr(kept, name) for name in Preferences._fields))


def prefer(**values: Any) -> bool:
    """Keep preferences from day to day; whether napari can."""
    kept = kept_settings()
    if kept is not None:
        kept.update(values)
        apply_preferences()
    return kept is not None


def apply_preferences() -> Preferences:
    """Let what follows, here and in other processes, go by what is preferred of the machine.

    What the environment said before goes before it.
    """
    wanted = preferences()
    threads = str(wanted.threads) if wanted.threads else ""
    kernel = "" if wanted.kernel == "auto" else wanted.kernel
    for name, value in ((SWITCH, kernel), (THREADS, threads), (OWN_FOLDER, wanted.models)):
        if os.environ.get(name) != _ours.get(name):
            continue  # set from outside
        _ours.pop(name, None)
        os.environ.pop(name, None)
        if value:
            os.environ[name] = _ours[name] = value
    for file in own_models():
        OWN.add(str(file))
    return wanted


def set_outside() -> list[str]:
    """Variables of the environment that go before what is preferred of the machine."""
    names = SWITCH, THREADS, OWN_FOLDER, DEVICE
    return [name for name in names if os.environ.get(name) and name not in _ours]


def preferred_model() -> str:
    """The model to begin with: as it is preferred if it is there, else auto."""
    name = preferences().model
    if name in bundled_models() or (name.endswith(".safetensors") and Path(name).is_file()):
        return name
    return next((str(file) for file in own_models() if file.stem == name), "auto")


def preferred_device(choices: list[str]) -> str:
    """The device to begin with, if this kind of machine can have it."""
    name = preferences().device
    return name if name in choices else "auto"


def missing_model() -> str:
    """The sentence on a preferred model that is not there; empty where all is well."""
    name = preferences().model
    if name == "auto" or preferred_model() != "auto":
        return ""
    return f"The model “{name}” was not found, so auto is used: choose another one."
