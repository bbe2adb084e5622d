"""Values from a file, checked against the types of the dataclass that they are to fill."""

from __future__ import annotations

from dataclasses import fields
from types import NoneType, UnionType
from typing import Any, Literal, get_args, get_origin, get_type_hints


def tupled(values: dict[Any, Any]) -> dict[str, Any]:
    """The same with text for names and tuples for lists, which files know alone."""
    return {str(k): tuple(v) if isinstance(v, list) else v for k, v in values.items()}


def unknown_name(of: type[Any], values: dict[str, Any]) -> str | None:
    """The first name that the dataclass does not have."""
    return min(set(values) - {f.name for f in fields(of)}, default=None)


def wrong_kind(of: type[Any], values: dict[str, Any]) -> str | None:
    """The first name whose value is not of the type that the dataclass says."""
    hints = get_type_hints(of)
    return next(
        (name for name, value in values.items() if not _is_of_kind(value, hints[name])), None
    )


def _is_of_kind(value: Any, kind: Any) -> bool:
    origin, inner = get_origin(kind), get_args(kind)
    if origin is Literal:
        return True  # which of them, the dataclass checks itself
    if origin is UnionType:
        return any(_is_of_kind(value, each) for each in inner)
    if origin is tuple:
        return isinstance(value, tuple) and all(_is_of_kind(each, inner[0]) for each in value)
    if origin is dict:
        return isinstance(value, dict) and all(
            _is_of_kind(each, inner[1]) for each in value.values()
        )
    if kind is float:
        return type(value) in (int, float)
    return value is None if kind is NoneType else type(value) is kind
