"""Images that hold nothing to enhance: told, not enhanced."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from ...model.inference.options import EnhanceOptions

COLUMN_STEP = 16  # of the columns that are looked at first
NO_NUMBER = "contains no finite value"


class BlankError(ValueError):
    """There is nothing to enhance in an image, in words for the user."""


def blankness(part: Any, rgb: bool) -> str:
    """Why there is nothing to enhance in an array; empty where there is something.

    Parameters
    ----------
    part : array-like
        In memory.
    rgb : bool
        The last axis holds colours; opacity does not count.
    """
    whole = np.asarray(part)[..., :3] if rgb else np.asarray(part)
    some = whole[..., ::COLUMN_STEP, :] if rgb else whole[..., ::COLUMN_STEP]
    if whole.size == 0 or _varies(some) or _varies(whole):
        return ""
    known = whole[np.isfinite(whole)]
    return f"is {known.flat[0]:g} everywhere" if known.size else NO_NUMBER


def looked_at(names: Sequence[str], images: Sequence[Any], options: EnhanceOptions) -> list[Any]:
    """What levels are found of, see `in_memory`; while it is held, it is not read again.

    Raises
    ------
    BlankError
        With a sentence for the user if there is nothing to enhance in an image. One value
        everywhere is something between levels that were typed.
    """
    from ...model.inference.lazy_arrays import in_memory

    rgb = bool(options.rgb)
    typed = options.black is not None and options.white is not None
    parts = []
    for name, image in zip(names, images, strict=True):
        parts.append(in_memory(image, rgb))
        found = blankness(parts[-1], rgb)
        if found and (found == NO_NUMBER or not typed):
            raise BlankError(f"“{name}” {found}: there is nothing to enhance.")
    return parts


def _varies(values: Any) -> bool:
    known = values[np.isfinite(values)]
    return bool(known.size and known.min() < known.max())
