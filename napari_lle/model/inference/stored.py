"""The enhanced picture in the input's own dtype, with nothing larger made on the way."""

from __future__ import annotations

from collections import deque
from collections.abc import Generator
from pathlib import Path
from typing import Any, Unpack

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..network.checkpoint import Model
from ..preprocessing.normalizing import plain_levels
from ..preprocessing.sampling import as_array
from ..progress import Progress, finish
from .enhance import planned_steps
from .estimate import check_strength
from .looks import look_options
from .options import DEFAULTS, EnhanceKeywords, EnhanceOptions
from .plan import Plan, make_plan
from .planes import Seen
from .restoring import in_input_dtype
from .survey import Survey
from .tone import NEUTRAL

StoredResult = tuple[NDArray[Any], dict[str, Any]]


def enhance_stored(
    image: ArrayLike,
    model: str | Path | Model = "auto",
    *,
    strength: float = 1.0,
    **options: Unpack[EnhanceKeywords],
) -> NDArray[Any]:
    """Enhance an image for looking at or writing: R on the input's own scale and in its dtype.

    It is what `in_input_dtype` makes of `enhance`, to a level. Where there is a compiled kernel,
    unsigned integers of 8 and 16 bits are read and written by it, and no float image is made.

    Parameters
    ----------
    image : array_like, (..., Y, X) or (..., Y, X, 3 or 4)
    model : str, Path or Model
    strength, **options
        As for `enhance`.

    Returns
    -------
    ndarray
        Of the input's shape and dtype; alpha as it was.

    Raises
    ------
    TypeError, ValueError
        As `enhance`.

    Examples
    --------
    >>> import numpy as np
    >>> from napari_lle.model import enhance_stored
    >>> dark = np.full((8, 8, 3), 10, np.uint8)
    >>> brighter = enhance_stored(dark)
    >>> brighter.dtype, bool((brighter > dark).all())
    (dtype('uint8'), True)
    """
    data = as_array(image)
    steps = stored_steps(data, look_options(model=model, **options), strength)
    return finish(steps)[0]


def stored_steps(
    image: Any,
    options: EnhanceOptions = DEFAULTS,
    strength: float = 1.0,
    known: Survey | None = None,
) -> Generator[Progress, None, StoredResult]:
    """`enhance_stored` with `Progress` after every part; returns the picture and the record."""
    check_strength(strength)
    plan = make_plan(image, options, known)
    if strength == 1 and _direct(plan, image.dtype):
        picture = yield from pictures(image, plan)
        return picture, {**plan.record, "strength": 1.0}
    (estimate,) = yield from planned_steps([image], plan)
    result = estimate.result(strength, last=True)
    return in_input_dtype(result), result.record


def _direct(plan: Plan, dtype: np.dtype[Any]) -> bool:
    """Whether a kernel reads and writes these pixels."""
    if plan.shared or plan.luminance or plan.tone != NEUTRAL:
        return False
    divide = getattr(plan.kernel, "divide", {})
    return dtype.name in divide and plain_levels(plan.levels)


def pictures(data: Any, plan: Plan) -> Generator[Progress, None, NDArray[Any]]:
    """The enhanced planes of an array of integers, by the plan's kernel."""
    from ..kernels.cpu.runner import strips

    lead = tuple(data.shape[: -3 if plan.rgb else -2])
    out = np.empty(data.shape, np.dtype(data.dtype).newbyteorder("="))
    planes = list(np.ndindex(lead))
    for i, index in enumerate(planes):
        seen = Seen(np.asarray(data[index]), plan.levels, plan.rgb, plan.per)
        sink = Divided(plan, seen.stored(), out[index])
        for done, total in strips(plan.kernel, plan.network, seen, plan.statistics, sink):
            yield Progress(i * total + done, len(planes) * total)
    return out


class Divided:
    """Takes the illumination of a plane by rows, in any order, and keeps the picture alone.

    Parameters
    ----------
    plan : Plan
    stored : Stored
        The plane.
    out : ndarray, (H, W) or (H, W, channels)
        What is filled.
    """

    def __init__(self, plan: Plan, stored: Any, out: NDArray[Any]) -> None:
        self.shape = (*out.shape[:2], 3) if plan.per else out.shape[:2]
        self.ndim = len(self.shape)
        self._stored = stored
        self._out = out.reshape(stored.pixels.shape)
        self._divide = plan.kernel.divide[stored.pixels.dtype.name]
        joint = plan.rgb and not plan.per
        self._darkest = np.float32(0 if joint else plan.darkest)
        self._largest = np.float32(np.iinfo(out.dtype).max)
        self._free: deque[NDArray[np.float32]] = deque()  # several threads take and give

    def begin(self, top: int, bottom: int) -> NDArray[np.float32]:
        """Memory for the illumination of some rows: (rows, W) or (rows, W, 3)."""
        shape = (bottom - top, *self.shape[1:])
        size = int(np.prod(shape))
        try:
            memory = self._free.pop()
        except IndexError:
            memory = np.empty(size, np.float32)
        memory = memory if memory.size >= size else np.empty(size, np.float32)
        return memory[:size].reshape(shape)

    def end(self, top: int, bottom: int, light: NDArray[np.float32]) -> None:
        """Divide these rows."""
        pixels, black, span = self._stored
        lines = light.reshape(bottom - top, -1)
        rows, out = pixels[top:bottom], self._out[top:bottom]
        self._divide(rows, lines, black, span, self._darkest, self._largest, out)
        self._free.append(light.base if light.base is not None else light)
