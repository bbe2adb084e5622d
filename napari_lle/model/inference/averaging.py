"""Neighbouring planes looked at together: only where the user asks for it, by the axis's name.

R is that of the moving average along an axis, such as time or depth; L is what each plane's own
pixels divided by R are, so that S = R L holds as ever and `restore` gives the measured planes.
"""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import replace
from pathlib import Path
from typing import Any, Unpack

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..network.checkpoint import Model
from ..preprocessing.levels import normalized, working_dtype
from ..preprocessing.sampling import is_photograph
from ..progress import Progress, finish
from .enhance import estimate_steps
from .estimate import Result, _alpha, check_strength
from .lazy import as_dask, is_lazy
from .looks import look_options
from .options import DEFAULTS, EnhanceKeywords, EnhanceOptions
from .plan import settle, survey
from .survey import Survey

LARGEST = 99  # planes of a window
LEAST = np.float32(1e-12)  # R where a mean is black to the last bit and the plane itself is not


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
    data: Any = image if hasattr(image, "shape") else np.asarray(image)
    check_strength(strength)
    if options.channel_axis is not None:
        raise ValueError("Averaging treats each channel by itself: leave channel_axis out.")
    options = settle([data], options)
    _check(data.shape, axis, window, bool(options.rgb))
    data = as_dask(data) if is_lazy(data) else data
    mean = moving_average(data, axis, window)
    known = _survey(mean, np.dtype(data.dtype), options)
    averaged = (yield from estimate_steps(mean, options, known)).result(strength)
    return _matched(data, averaged, bool(options.rgb), {"axis": axis, "window": window})


def _survey(mean: Any, dtype: np.dtype[Any], options: EnhanceOptions) -> Survey:
    """Levels and statistics of an average, which is treated as planes of the input's dtype are."""
    if is_photograph(dtype, bool(options.rgb)):
        ((black, white),) = options.level_pairs(1)
        black, white = 0 if black is None else black, 255 if white is None else white
        options = replace(options, black=black, white=white)
    known = survey(mean, options)
    return known._replace(each=(known.levels.of_dtype(dtype.name),))


def moving_average(image: Any, axis: int, window: int) -> Any:
    """Means of `window` planes around each, fewer at the ends; NaN where none is finite."""
    length, reach = image.shape[axis], window // 2
    lead: Any = (slice(None),) * axis
    parts = (image[(*lead, slice(max(i - reach, 0), i + reach + 1))] for i in range(length))
    if is_lazy(image):
        import dask.array as da

        means = [
            da.map_blocks(
                _mean,
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
        out[(*lead, i)] = _mean(part, axis)
    return out


def _mean(part: NDArray[Any], axis: int) -> NDArray[np.float32]:
    part = np.asarray(part)
    known = np.isfinite(part)
    if known.all():
        return part.mean(axis=axis, dtype=np.float64).astype(np.float32)
    count = known.sum(axis=axis)
    total = np.where(known, part, 0).sum(axis=axis, dtype=np.float64)
    return np.where(count > 0, total / np.maximum(count, 1), np.nan).astype(np.float32)


def _matched(data: Any, averaged: Result, rgb: bool, told: dict[str, int]) -> Result:
    """R of the average, made different from 0 where it must be, and L of the planes themselves."""
    levels = averaged.levels

    def look(pixels: NDArray[Any], r: NDArray[np.float32]) -> NDArray[np.float32]:
        x, colours = normalized(pixels[..., :3] if rgb else pixels, levels), r
        if rgb:
            colours = r[..., :3]
        colours = np.where((colours == 0) & (x != 0), LEAST, colours)
        if rgb and pixels.shape[-1] == 4:
            return np.concatenate([colours, _alpha(pixels)], axis=-1)
        return colours

    def match(pixels: NDArray[Any], r: NDArray[np.float32]) -> NDArray[Any]:
        x = normalized(pixels[..., :3] if rgb else pixels, levels)
        r = look(pixels, r)[..., : 3 if rgb else None]
        with np.errstate(all="ignore"):
            light = x / r
        return np.where((x == 0) & (r == 0), x.dtype.type(1), light)

    shown: Any = averaged.reflectance
    record = {**averaged.record, "average": told}
    if not is_lazy(data):
        data = np.asarray(data)
        return Result(look(data, shown), match(data, shown), levels, record)
    import dask.array as da

    data = data.rechunk(shown.chunks)
    chunks = (*shown.chunks[:-1], (3,)) if rgb else shown.chunks
    dtype = working_dtype(levels)
    light = da.map_blocks(match, data, shown, dtype=dtype, chunks=chunks)
    return Result(da.map_blocks(look, data, shown, dtype=np.float32), light, levels, record)


def _check(shape: tuple[int, ...], axis: int, window: int, rgb: bool) -> None:
    """Raise ValueError with what is wrong with an axis or a window."""
    leading = len(shape) - (3 if rgb else 2)
    if not 0 <= axis < leading:
        raise ValueError(
            f"The planes to average lie along one of the {leading} axes before rows and columns: "
            f"there is no axis {axis} among these."
        )
    if window % 2 == 0 or not 1 < window <= LARGEST:
        raise ValueError(
            f"A window holds an odd number of planes from 3 to {LARGEST}, not {window}."
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
        raise ValueError(f"The image has no axis {letter}: {named}.")
    return place, int(count or 3)
