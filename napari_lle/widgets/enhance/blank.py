"""Images that hold nothing to enhance: told, not enhanced."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ...model.inference.options import EnhanceOptions

COLUMN_STEP = 16  # of the columns that are looked at first
NO_NUMBER = "contains no finite value"


class BlankError(ValueError):
    """There is nothing to enhance in an image, in words for the user."""


def blankness(parts: Sequence[Any], rgb: bool) -> str:
    """Why there is nothing to enhance in an image; empty where there is something.

    Parameters
    ----------
    parts : sequence of array-like
        In memory: see `excerpts_of`.
    rgb : bool
        The last axis holds colours; opacity does not count.
    """
    reasons = {_blankness(np.asarray(part), rgb) for part in parts}
    return reasons.pop() if len(reasons) == 1 else ""


def _blankness(part: NDArray[Any], rgb: bool) -> str:
    whole = part[..., :3] if rgb else part
    some = whole[..., ::COLUMN_STEP, :] if rgb else whole[..., ::COLUMN_STEP]
    if whole.size == 0 or _varies(some) or _varies(whole):
        return ""
    known = whole[np.isfinite(whole)]
    return f"is {known.flat[0]:g} everywhere" if known.size else NO_NUMBER


def looked_at(
    names: Sequence[str], images: Sequence[Any], options: EnhanceOptions
) -> list[list[Any]]:
    """What is looked at of images, see `excerpts_of`; while it is held, it is not read again.

    Raises
    ------
    BlankError
        With a sentence for the user if there is nothing to enhance in an image. One value
        everywhere is something between levels that were typed.
    """
    from ...model.inference.survey import excerpts_of

    typed = options.black is not None and options.white is not None
    found = []
    for name, image in zip(names, images, strict=True):
        found.append(excerpts_of(image, options))
        reason = blankness(found[-1], bool(options.rgb))
        if reason and (reason == NO_NUMBER or not typed):
            raise BlankError(f"“{name}” {reason}: there is nothing to enhance.")
    return found


def _varies(values: Any) -> bool:
    known = values[np.isfinite(values)]
    return bool(known.size and known.min() < known.max())
