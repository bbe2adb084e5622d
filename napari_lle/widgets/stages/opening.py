"""What the stage inspector opens on: an input, not what was made of one."""

from __future__ import annotations

from typing import Any

from ..shared.layers import METADATA_KEY, is_result


def choose_input(widget: Any, active: Any) -> None:
    """Choose the input of the active layer, or the first one that there is.

    Parameters
    ----------
    widget : ComboBox
        Of image layers; where there are only results, its choice stays.
    active : Layer or None
        That of the viewer.
    """
    inputs = [layer for layer in widget.choices if not is_result(layer)]
    if not inputs or active in inputs:
        return
    made_of = "" if active is None else active.metadata.get(METADATA_KEY, {}).get("layer", "")
    widget.value = next((layer for layer in inputs if layer.name == made_of), inputs[-1])
