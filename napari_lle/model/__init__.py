"""The network and everything that needs neither napari nor Qt.

Names are loaded on first use, so that importing this package does not import torch.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .checkpoint import load_model
    from .inference import enhance
    from .jointly import enhance_jointly
    from .lazy import restore
    from .look import stages
    from .stored import enhance_stored
    from .training import train

__all__ = [
    "enhance",
    "enhance_jointly",
    "enhance_stored",
    "load_model",
    "restore",
    "stages",
    "train",
]

_HOMES = {
    "enhance": "inference",
    "enhance_jointly": "jointly",
    "enhance_stored": "stored",
    "load_model": "checkpoint",
    "restore": "lazy",
    "stages": "look",
    "train": "training",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
