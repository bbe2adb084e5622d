"""What the stage inspector says of what it found: one sentence, and one with a way on."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from .inspector import Finding

if TYPE_CHECKING:
    from ...model.inspection.agreement import Agreement

LEAST_SAID = 1e-6  # a smaller number says no more than this one
LEAST_SEEN = 1e-4  # a fortieth of a grey level: what is below it needs no number


def one_sentence(finding: Finding) -> str:
    """Whether one stage is enough, or why all are equal."""
    name, agreed = finding.stages.model.name, finding.agreement
    if finding.count == 1:
        return f"Only one stage of {name} was run: ask for two or more to compare them."
    if agreed.silent:
        return f"All stages of {name} are equal{_because(finding)}{_instead(finding)}"
    return f"One stage of {name} is {_enough(agreed)}"


def _because(finding: Finding) -> str:
    if not finding.stages.trained:
        return ": it has no trained auxiliary block, so each sees the input alone."
    added = at_most(finding.agreement.added)
    return f": its auxiliary block adds next to nothing to what they see ({added})."


def _instead(finding: Finding) -> str:
    if finding.instead is None:
        return ""
    model, most = finding.instead
    return f" Those of {short(model)} differ here, by up to {two_digits(most)}."


def _enough(agreed: Agreement) -> str:
    if not agreed.share:
        return f"enough here: the stages differ by {at_most(agreed.most)}."
    return (
        f"not enough at {percent(agreed.share)} of the pixels, where the stages differ by up to "
        f"{two_digits(agreed.most)}: this is visible, as a grey level is {two_digits(1 / 255)}."
    )


def short(model: str) -> str:
    """The name of a model, or of a file."""
    return Path(model).stem


def two_digits(value: float) -> str:
    """A number of two digits."""
    return f"{max(value, LEAST_SAID):.2g}"


def at_most(value: float) -> str:
    """A bound in words: no more digits than can be seen."""
    return f"less than {LEAST_SEEN:.4f}" if value < LEAST_SEEN else f"at most {two_digits(value)}"


def percent(share: float) -> str:
    """A share in words that never say none."""
    return "less than 0.1 %" if share < 0.001 else f"{100 * share:.2g} %"
