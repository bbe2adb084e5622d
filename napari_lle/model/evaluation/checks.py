"""What the parts of a suite are made of: figures with goals, and what they are measured beside."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..network.checkpoint import Model
from ..network.network import Network, NetworkConfig

Check = dict[str, Any]


def check(name: str, value: float, most: float) -> Check:
    """A figure that must not exceed a goal."""
    passed = bool(np.isfinite(value) and value <= most)
    return {
        "name": name,
        "value": float(value),
        "goal": f"<= {most:g}",
        "verdict": "pass" if passed else "fail",
    }


def warning(name: str, value: float) -> Check:
    """A figure that users must know of."""
    return {"name": name, "value": float(value), "goal": "", "verdict": "warning"}


def plain_stretch() -> Model:
    """The screen stretch as a model: no local departure at all."""
    return Model("stretch", Network(NetworkConfig("stretching", local=0.0)).eval())


def finished(steps: Any) -> Any:
    """Run a generator of progress to what it returns."""
    while True:
        try:
            next(steps)
        except StopIteration as stop:
            return stop.value
