"""Pictures of something else than the measured pixels, such as their average: the way back stays.

R is of what was made of the image, L is the image itself divided by R: S = R L holds as ever.
"""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..preprocessing.levels import AnyLevels, normalized, working_dtype
from ..preprocessing.sampling import is_photograph
from .estimate import Result, _alpha
from .lazy_arrays import is_lazy
from .options import EnhanceOptions
from .plan import survey
from .survey import Survey

LEAST_REFLECTANCE = np.float32(
    1e-12
)  # R where what was made is black to the last bit and the pixel is not


def survey_for(made: Any, dtype: np.dtype[Any], options: EnhanceOptions) -> Survey:
    """Levels and statistics of what was made of an image, treated as one of its dtype is."""
    if is_photograph(dtype, bool(options.rgb)):
        ((black, white),) = options.level_pairs(1)
        black, white = 0 if black is None else black, 255 if white is None else white
        options = replace(options, black=black, white=white)
    known = survey(made, options)
    return known._replace(each=(known.levels.of_dtype(dtype.name),))


def looked(
    pixels: NDArray[Any], r: NDArray[np.float32], levels: AnyLevels, rgb: bool
) -> NDArray[np.float32]:
    """R as it was found, but for pixels that it could not be multiplied to."""
    x, colours = normalized(pixels[..., :3] if rgb else pixels, levels), r
    if rgb:
        colours = r[..., :3]
    colours = np.where((colours == 0) & (x != 0), LEAST_REFLECTANCE, colours)
    if rgb and pixels.shape[-1] == 4:
        return np.concatenate([colours, _alpha(pixels)], axis=-1)
    return colours


def matching(
    pixels: NDArray[Any], r: NDArray[np.float32], levels: AnyLevels, rgb: bool
) -> NDArray[Any]:
    """What R, looked at, times is the measured pixels, normalised."""
    x = normalized(pixels[..., :3] if rgb else pixels, levels)
    r = looked(pixels, r, levels, rgb)[..., : 3 if rgb else None]
    with np.errstate(all="ignore"):
        light = x / r
    return np.where((x == 0) & (r == 0), x.dtype.type(1), light)


def with_measured(data: Any, enhanced: Result, rgb: bool, told: dict[str, Any]) -> Result:
    """R of what was enhanced, different from 0 where it must be, and L of the measured pixels.

    Parameters
    ----------
    data : array
        The measured image: S = R L is its own.
    enhanced : Result
        Of what was made of it, by `survey_for`.
    rgb : bool
    told : dict
        What the record is to tell of that.
    """
    levels = enhanced.levels
    look, match = (partial(way, levels=levels, rgb=rgb) for way in (looked, matching))
    shown: Any = enhanced.reflectance
    record = {**enhanced.record, **told}
    if not is_lazy(data):
        data = np.asarray(data)
        return Result(look(data, shown), match(data, shown), levels, record)
    import dask.array as da

    data = data.rechunk(shown.chunks)
    chunks = (*shown.chunks[:-1], (3,)) if rgb else shown.chunks
    dtype = working_dtype(levels)
    light = da.map_blocks(match, data, shown, dtype=dtype, chunks=chunks)
    return Result(da.map_blocks(look, data, shown, dtype=np.float32), light, levels, record)
