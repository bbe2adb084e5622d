"""The network and everything that needs neither napari nor Qt.

Names are loaded on first use, so that importing this package does not import torch.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .exporting.api import export
    from .inference.alike import enhance_alike
    from .inference.averaging import enhance_averaged
    from .inference.enhance import enhance, enhance_jointly
    from .inference.flattening import enhance_flattened
    from .inference.lazy import restore
    from .inference.stored import enhance_stored
    from .inference.uncertainty import uncertainty, what_changed
    from .inspection.api import stages
    from .network.checkpoint import load_model
    from .preprocessing.background import find_background
    from .training.loop import train

__all__ = [
    "enhance",
    "enhance_alike",
    "enhance_averaged",
    "enhance_flattened",
    "enhance_jointly",
    "enhance_stored",
    "export",
    "find_background",
    "load_model",
    "restore",
    "stages",
    "train",
    "uncertainty",
    "what_changed",
]

_HOMES = {
    "enhance": "inference.enhance",
    "enhance_alike": "inference.alike",
    "enhance_averaged": "inference.averaging",
    "enhance_flattened": "inference.flattening",
    "enhance_jointly": "inference.enhance",
    "enhance_stored": "inference.stored",
    "export": "exporting.api",
    "find_background": "preprocessing.background",
    "load_model": "network.checkpoint",
    "restore": "inference.lazy",
    "stages": "inspection.api",
    "train": "training.loop",
    "uncertainty": "inference.uncertainty",
    "what_changed": "inference.uncertainty",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
