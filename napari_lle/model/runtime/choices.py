"""Choices between a few names: stated once, as a `Literal`, and checked against it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal, get_args, get_origin, get_type_hints

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
        raise error(f"{name} must be one of {', '.join(map(str, allowed))}, not {value!r}.")


def check_literals(settings: Any, error: type[ValueError] = ValueError, prefix: str = "") -> None:
    """`check_choice` of every attribute of a dataclass whose type is a `Literal`.

    Parameters
    ----------
    settings : dataclass instance
    error : type
        Of the error.
    prefix : str
        What stands before the attributes' names where users write them.
    """
    for name, kind in get_type_hints(type(settings)).items():
        if get_origin(kind) is Literal:
            check_choice(f"{prefix}{name}", getattr(settings, name), get_args(kind), error)
