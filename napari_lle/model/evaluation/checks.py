"""What the parts of a suite are made of: figures with goals, and what they are measured beside."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from ..network.checkpoint import Model
from ..network.network import Network, NetworkConfig

Check = dict[str, Any]
Beside = Mapping[str, float]


def check(name: str, value: float, most: float, beside: Beside | None = None) -> Check:
    """A figure that must not exceed a goal, and what others reach."""
    passed = bool(np.isfinite(value) and value <= most)
    return {
        "name": name,
        "value": float(value),
        "goal": f"<= {most:.3g}",
        "verdict": "pass" if passed else "fail",
        **_beside(beside),
    }


def warning(name: str, value: float, beside: Beside | None = None) -> Check:
    """A figure that users must know of."""
    told = {"name": name, "value": float(value), "goal": "", "verdict": "warning"}
    return {**told, **_beside(beside)}


def _beside(figures: Beside | None) -> Check:
    return {"beside": {k: float(v) for k, v in figures.items()}} if figures else {}


def stretch_model() -> Model:
    """The screen stretch as a model: no local departure at all."""
    return Model("stretch", Network(NetworkConfig("stretching", local=0.0)).eval())
