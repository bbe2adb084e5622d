"""Reports of commands as files."""

from __future__ import annotations

import json
from math import isfinite
from pathlib import Path
from typing import Any


def write_json(file: Path | None, report: dict[str, Any]) -> None:
    """Write a report to a file, if one is asked for: whole or not at all."""
    from ..model.io.atomic import atomic_path

    if file:
        with atomic_path(file) as temporary:
            temporary.write_text(json.dumps(_finite(report), indent=1, allow_nan=False) + "\n")


def _finite(value: Any) -> Any:
    """A report with null for what is no number: JSON has no word for it."""
    if isinstance(value, dict):
        return {k: _finite(v) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(v) for v in value]
    return None if isinstance(value, float) and not isfinite(value) else value
