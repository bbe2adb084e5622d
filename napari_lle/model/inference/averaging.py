"""Neighbouring planes looked at together: only where the user asks for it, by the axis's name.

R is that of the moving average along an axis, such as time or depth; L is what each plane's own
pixels divided by R are, so that S = R L holds as ever and `restore` gives the measured planes.
"""

from __future__ import annotations

from collections.abc import Generator
from pathlib import Path
from typing import Any, Unpack

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..network.checkpoint import Model
from ..preprocessing.sampling import as_array
from ..progress import Progress, finish
from .enhance import estimate_steps
from .estimate import Result, check_strength
from .lazy_arrays import as_dask, is_lazy
from .looks import look_options
from .matching import survey_for, with_measured
from .options import DEFAULTS, EnhanceKeywords, EnhanceOptions
from .settling import settle

LARGEST_WINDOW = 99  # planes of a window


def enhance_averaged(
    image: ArrayLike,
    axis: int,
    window: int = 3,
    *,
    model: str | Path | Model = "auto",
    strength: float = 1.0,
    **options: Unpack[EnhanceKeywords],
) -> Result:
    """Enhance the moving average of planes along an axis; each plane can be restored as it was.

    Averaging smears what moves between planes, and makes each depend on its neighbours: measure on
    the restored layer.

    Parameters
    ----------
    image : array_like, (..., Y, X) or (..., Y, X, 3 or 4)
        As in `enhance`; of dask arrays, the result is of dask arrays.
    axis : int
        An axis before rows and columns.
    window : int
        Planes that are averaged, an odd number; fewer at the ends. Values that are not finite are
        left out.
    model, strength, **options
        As in `enhance`.

    Returns
    -------
    Result
        L has the input's shape, without alpha; the record tells ``average``.

    Raises
    ------
    ValueError
        If there is no such axis, or the window is none.
    """
    chosen = look_options(model=model, **options)
    return finish(averaged_steps(image, axis, window, chosen, strength))


def averaged_steps(
    image: ArrayLike,
    axis: int,
    window: int = 3,
    options: EnhanceOptions = DEFAULTS,
    strength: float = 1.0,
) -> Generator[Progress, None, Result]:
    """`enhance_averaged`, yielding `Progress`."""
    data = as_array(image)
    check_strength(strength)
    if options.channel_axis is not None:
        raise ValueError("Averaging treats each channel by itself: leave channel_axis out.")
    options = settle([data], options)
    _check(data.shape, axis, window, bool(options.rgb))
    data = as_dask(data) if is_lazy(data) else data
    mean = moving_average(data, axis, window)
    known = survey_for(mean, np.dtype(data.dtype), options)
    averaged = (yield from estimate_steps(mean, options, known)).result(strength)
    told = {"average": {"axis": axis, "window": window}}
    return with_measured(data, averaged, bool(options.rgb), told)


def moving_average(image: Any, axis: int, window: int) -> Any:
    """Means of `window` planes around each, fewer at the ends; NaN where none is finite."""
    length, reach = image.shape[axis], window // 2
    lead: Any = (slice(None),) * axis
    parts = (image[(*lead, slice(max(i - reach, 0), i + reach + 1))] for i in range(length))
    if is_lazy(image):
        import dask.array as da

        means = [
            da.map_blocks(
                _mean_of_finite,
                part.rechunk({axis: -1}),
                axis=axis,
                drop_axis=axis,
                meta=np.empty((0,) * (image.ndim - 1), np.float32),
            )
            for part in parts
        ]
        return da.stack(means, axis=axis)
    out = np.empty(image.shape, np.float32)
    for i, part in enumerate(parts):
        out[(*lead, i)] = _mean_of_finite(part, axis)
    return out


def _mean_of_finite(part: NDArray[Any], axis: int) -> NDArray[np.float32]:
    part = np.asarray(part)
    known = np.isfinite(part)
    if known.all():
        return part.mean(axis=axis, dtype=np.float64).astype(np.float32)
    count = known.sum(axis=axis)
    total = np.where(known, part, 0).sum(axis=axis, dtype=np.float64)
    return np.where(count > 0, total / np.maximum(count, 1), np.nan).astype(np.float32)


def _check(shape: tuple[int, ...], axis: int, window: int, rgb: bool) -> None:
    """Raise ValueError with what is wrong with an axis or a window."""
    leading = len(shape) - (3 if rgb else 2)
    if not 0 <= axis < leading:
        raise ValueError(
            f"The planes to average lie along one of the {leading} axes before rows and columns: "
            f"there is no axis {axis} among these."
        )
    if window % 2 == 0 or not 1 < window <= LARGEST_WINDOW:
        raise ValueError(
            f"A window holds an odd number of planes from 3 to {LARGEST_WINDOW}, not {window}."
        )


def axis_and_window(text: str, axes: str) -> tuple[int, int]:
    """Axis and window of words such as ``t`` or ``z:5``, by the letters of an image's axes.

    Raises
    ------
    ValueError
        If it says something else, or the image has no such axis.
    """
    letter, _, count = text.partition(":")
    if letter.lower() not in ("t", "z") or (count and not count.isdigit()):
        raise ValueError(
            f"Planes are averaged along t or z, or e.g. t:5 for five planes, not {text!r}."
        )
    place = axes.upper().find(letter.upper())
    if place < 0:
        named = f"its axes are {axes}" if axes else "its axes have no names"
        raise ValueError(
            f"The image has no axis {letter}: {named}. Save it with that axis named, as OME-TIFF "
            "or ImageJ's TIFF, or average in Python by the axis's number, see enhance_averaged."
        )
    return place, int(count or 3)
