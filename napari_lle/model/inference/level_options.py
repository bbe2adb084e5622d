"""Black and white as people give them: a number, ``sky``, or one for each of several images."""

from __future__ import annotations

from collections.abc import Sequence
from numbers import Real
from typing import Any

from ..preprocessing.sky import NEAR_SKY

OneLevel = float | str | None  # str only where it is "sky"
LevelOption = OneLevel | Sequence[Any]
LevelPair = tuple[LevelOption, LevelOption]  # black and white


def flat_levels(level: Any) -> list[Any]:
    """All single levels of one, of several images, and of their channels."""
    return (
        [one for each in level for one in flat_levels(each)]
        if isinstance(level, tuple)
        else [level]
    )


def kept_level(level: Any) -> Any:
    """Levels of a record: a number, or one for each channel, which a file has made a list."""
    return tuple(level) if isinstance(level, list) else level


def checked_level(name: str, level: Any) -> LevelOption:
    """A level as it is, several as a tuple."""
    if isinstance(level, list | tuple):
        return tuple(checked_level(name, value) for value in level)
    if level is None or isinstance(level, Real) or (name == "black" and level == NEAR_SKY):
        return level
    raise ValueError(f"{name} must be a number, or one for each of several images, not {level!r}.")


def read_level(name: str, text: str | None) -> LevelOption:
    """A level as people write it: ``470``, ``sky``, or ``470,480,150`` for channels."""
    if text is None:
        return None
    found = tuple(_level_of_word(name, word.strip()) for word in text.split(","))
    return found[0] if len(found) == 1 else found


def _level_of_word(name: str, word: str) -> float | str:
    if name == "black" and word == NEAR_SKY:
        return word
    try:
        return float(word)
    except ValueError:
        raise ValueError(
            f"--{name} must be a number, or one for each channel with commas, not {word!r}."
        ) from None


def level_pairs(pair: LevelPair, count: int, what: str) -> list[tuple[Any, Any]]:
    """Black and white for each of so many ``arrays``, or ``channels`` of one."""
    blacks, whites = (
        _for_each(name, level, count, what)
        for name, level in zip(("black", "white"), pair, strict=True)
    )
    return list(zip(blacks, whites, strict=True))


def _for_each(name: str, level: LevelOption, count: int, what: str) -> Sequence[Any]:
    if not isinstance(level, tuple) or (count == 1 and len(level) > 1 and what == "arrays"):
        return [level] * count
    if len(level) != count:
        raise ValueError(f"{name} must be one number, or one for each of {count} {what}.")
    return level
