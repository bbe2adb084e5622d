"""Stretches, strength and brightness of a record in words and formulas for print."""

from __future__ import annotations

from typing import Any, NamedTuple

from ..network.bundled import GLOBAL, STRETCH_PREFIX

FORMULA_NAMES = {
    "mtf": "midtones transfer function",
    "asinh": "inverse hyperbolic sine",
    "ghs": "generalised hyperbolic stretch (Payne and Cranfield, ghsastro.co.uk)",
}
PRINTED = {
    "mtf": "f(x) = (m − 1) x / ((2 m − 1) x − m)",
    "asinh": "f(x) = asinh(x / β) / asinh(1 / β)",
}
PARAMETER_LETTERS = {"beta": "β", "d": "D", "sp": "SP", "lp": "LP", "hp": "HP"}
PARAMETER_DIGITS = 6  # of a parameter in print; the record has all


class Formula(NamedTuple):
    """A curve with its parameters, for a legend and for methods."""

    short: str
    full: str


def formula_words(record: dict[str, Any]) -> Formula:
    """The curve of a record that is one."""
    kind = str(record["model"]).removesuffix(GLOBAL).removeprefix(STRETCH_PREFIX).partition(",")[0]
    chosen = record["stretch"].items()
    given = ", ".join(
        f"{PARAMETER_LETTERS.get(key, key)} = {value:.{PARAMETER_DIGITS}g}" for key, value in chosen
    )
    formula = f" {PRINTED[kind]}" if kind in PRINTED else ""
    return Formula(
        f"{FORMULA_NAMES[kind]}, {given}", f"the {FORMULA_NAMES[kind]}{formula} with {given}"
    )


def tone_words(record: dict[str, Any]) -> list[str]:
    """What strength and brightness make of a curve, where they are not neutral."""
    strength, brightness = record.get("strength", 1.0), record.get("brightness")
    words = []
    if brightness:
        v = (1 - brightness) / (4 * brightness - 1) if brightness != 0.25 else None
        if v is not None:
            words += [
                f"The outcome y became y (1 + v) / (y + v) with v = {v:.{PARAMETER_DIGITS}g}."
            ]
    if strength != 1:
        words += [
            f"Of the change the share {strength:g} was applied, which gives x^(1 − s) y^s with "
            f"s = {strength:g}."
        ]
    return words
