"""Choices between a few names: stated once, as a `Literal`, and checked against it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

DeviceName = Literal["auto", "cpu", "cuda", "mps"]
SMALLEST_TILE = 32  # pixels


def check_choice(
    name: str, value: Any, allowed: Sequence[Any], error: type[ValueError] = ValueError
) -> None:
    """Raise an error of one sentence unless a value is one of those allowed.

    Parameters
    ----------
    name : str
        Of the setting, as its user writes it.
    value : object
    allowed : sequence
        Of a `Literal`, what `typing.get_args` returns.
    error : type
        Of the error.
    """
    if value not in allowed:
        raise error(f"{name} is one of {', '.join(map(str, allowed))}, not {value!r}.")
