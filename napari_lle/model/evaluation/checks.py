"""What the parts of a suite are made of: figures with goals, and what they are measured beside."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

import numpy as np

from ..network.checkpoint import Model
from ..network.network import Network, NetworkConfig

Check = dict[str, Any]
Beside = Mapping[str, float]
Run = Callable[..., Any]  # an image in, a `Result` out, by one model; takes `enhance`'s options


def check(name: str, value: float, most: float, beside: Beside | None = None) -> Check:
    """A figure that must not exceed a goal, and what others reach."""
    return _as_check(name, value, f"<= {most:.3g}", value <= most, beside)


def least(name: str, value: float, goal: float, beside: Beside | None = None) -> Check:
    """A figure that must reach a goal, and what others reach."""
    return _as_check(name, value, f">= {goal:.3g}", value >= goal, beside)


def _as_check(name: str, value: float, goal: str, good: bool, beside: Beside | None) -> Check:
    return {
        "name": name,
        "value": float(value),
        "goal": goal,
        "verdict": "pass" if good and np.isfinite(value) else "fail",
        **_beside(beside),
    }


def warning(name: str, value: float, beside: Beside | None = None) -> Check:
    """A figure that users must know of."""
    told = {"name": name, "value": float(value), "goal": "", "verdict": "warning"}
    return {**told, **_beside(beside)}


def _beside(figures: Beside | None) -> Check:
    return {"beside": {k: float(v) for k, v in figures.items()}} if figures else {}


def suite_report(suite: str, model: Model, checks: list[Check]) -> dict[str, Any]:
    """What a suite says of a model: which it is, and its checks."""
    return {
        "suite": suite,
        "model": model.name,
        "digest": model.digest,
        "parameters": model.network.inference_parameters(),
        "failed": sum(each["verdict"] == "fail" for each in checks),
        "checks": checks,
    }


@cache
def stretch_model() -> Model:
    """The screen stretch as a model: no local departure at all."""
    return Model("stretch", Network(NetworkConfig("stretching", local=0.0)).eval())
