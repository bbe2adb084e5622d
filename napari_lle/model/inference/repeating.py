"""The run of a record once more, with what was found then: levels, statistics, curve."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import replace
from typing import Any

from ..preprocessing.normalizing import recorded_levels
from ..preprocessing.statistics import recorded
from ..progress import Progress
from ..runtime.devices import devices
from .enhance import estimate_steps
from .estimate import Result
from .options import EnhanceOptions
from .survey import Survey

BEYOND = {  # what a record may tell that takes more than one image, or other steps
    "together": "several layers share its illumination",
    "average": "it is of averaged planes",
    "background": "a background was taken out",
}


def repeat_steps(image: Any, record: dict[str, Any]) -> Generator[Progress, None, Result]:
    """`enhance` an image as a record says, without finding anything anew.

    Parameters
    ----------
    image : array, (..., Y, X) or (..., Y, X, 3 or 4)
        The one that the record is of.
    record : dict
        As `Result.record`.

    Raises
    ------
    ValueError
        If the record is of a run that one image cannot repeat.
    """
    check_repeatable(record)
    known = Survey((recorded_levels(record["levels"]),), recorded(record["statistics"]))
    options = EnhanceOptions.from_record(record)
    options = replace(options, look=record.get("look"), device=_device(record))
    estimate = yield from estimate_steps(image, options, known)
    result: Result = estimate.result(record.get("strength", 1.0))
    return result


def _device(record: dict[str, Any]) -> str:
    """The device of a record, where this machine has it."""
    device = str(record.get("device", "cpu"))
    if device == "cpu" or any(d["name"] == device and d["available"] for d in devices()):
        return device
    return "auto"


def check_repeatable(record: dict[str, Any]) -> None:
    """Raise ValueError where one image and its record are not enough to repeat a run."""
    for key, reason in BEYOND.items():
        if record.get(key):
            raise ValueError(f"This result cannot be repeated from one image: {reason}.")
