"""Levels as they are typed into a field."""

from __future__ import annotations

import re
from typing import Any

from magicgui.widgets import LineEdit

from ...model.preprocessing.sky import NEAR_SKY

PARTED = re.compile(r";|,\s")  # a comma alone may stand for a point


def read_field(edit: LineEdit) -> Any:
    """A level as it is typed: a number, one for each channel, ``sky``, or None of an empty field.

    Channels are parted by semicolons, or by commas with a space after them.
    """
    text = edit.value.strip()
    if not text:
        return None
    if text == NEAR_SKY and edit.label == "black":
        return text
    try:
        found = tuple(float(word.strip().replace(",", ".")) for word in PARTED.split(text))
    except ValueError:
        raise ValueError(
            f"The {edit.label} level must be a number or empty, not “{edit.value}”."
        ) from None
    return found[0] if len(found) == 1 else found
