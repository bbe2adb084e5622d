"""What an image of a run is, and how its file says so: no R is to be taken for calibrated data."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, NamedTuple

from .metadata import FileRecord

ROLE = "role"  # in a file's record: what it is of its run
R_ROLE, L_ROLE = "R", "L"
STANDING = "standing"  # in a record: what its R may be used for
UNMEASURABLE = "not for measuring"
FACTOR = "what R is multiplied by to measure"


class Role(NamedTuple):
    """An image of a run: in a word, and in full."""

    word: str
    meaning: str


ROLES = {
    R_ROLE: Role("reflectance", "reflectance, for looking"),
    L_ROLE: Role("illumination", "illumination"),
    "changed": Role("changed", "R less the plain stretch, in units of its noise"),
    "background-image": Role("background", "background that was taken out"),
    "uncertainty": Role("uncertainty", "half width of the 95 % interval of R"),
}


def note_of(record: dict[str, Any]) -> str:
    """What an image of a record may be used for; empty where that goes without saying."""
    role = record.get(ROLE, R_ROLE)
    if role == R_ROLE:
        return str(record.get(STANDING, UNMEASURABLE))
    return FACTOR if role == L_ROLE else ""


def word_of(record: dict[str, Any]) -> str:
    """What an image of a record is, in a word."""
    role = record.get(ROLE, R_ROLE)
    return ROLES[role].word if role in ROLES else str(role)


def meaning_of(record: dict[str, Any]) -> str:
    """What an image of a record is, in full."""
    role = record.get(ROLE, R_ROLE)
    return ROLES[role].meaning if role in ROLES else str(role)


def named(about: FileRecord, record: dict[str, Any]) -> FileRecord:
    """What is told of the pixels of a record: the name says what they are."""
    ending = f"{word_of(record)}, {UNMEASURABLE}" if _is_r(record) else word_of(record)
    name = unnamed(about.name)
    return replace(about, name=f"{name} ({ending})" if name else ending)


def unnamed(name: str) -> str:
    """A name without what `named` has added."""
    for role, (word, _) in ROLES.items():
        ending = f"{word}, {UNMEASURABLE}" if role == R_ROLE else word
        if name == ending:
            return ""
        name = name.removesuffix(f" ({ending})")
    return name


def _is_r(record: dict[str, Any]) -> bool:
    return bool(record.get(ROLE, R_ROLE) == R_ROLE)
