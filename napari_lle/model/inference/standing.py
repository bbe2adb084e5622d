"""What a result may be used for, in the few words that its layer and its files carry."""

from __future__ import annotations

from typing import Any

from ..io.roles import UNMEASURABLE
from ..network.bundled import GLOBAL, STRETCH_PREFIX
from .looks import PUBLICATION

ONE_CURVE = f"non-linear: {UNMEASURABLE}"
LOCAL_CURVE = f"local, {ONE_CURVE}"


def standing(model: str, channels: str) -> str:
    """What R is: a curve of each value by itself, or dependent on where a pixel lies, too."""
    by_itself = model.endswith(GLOBAL) or model.startswith(STRETCH_PREFIX)
    return ONE_CURVE if by_itself and channels != "luminance" else LOCAL_CURVE


def mark_of(record: dict[str, Any]) -> str:
    """What a result is marked by; a published one, whose legend tells it, by nothing."""
    if record.get("look") == PUBLICATION:
        return ""
    return str(record.get("standing", LOCAL_CURVE))
