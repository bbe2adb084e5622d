"""From reflectance and illumination back to the input's values and data type."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..preprocessing.channel_levels import COLOUR_AXIS
from ..preprocessing.levels import AnyLevels, denormalize
from ..preprocessing.normalizing import alpha_range, recorded_levels
from ..runtime.bands import by_bands

if TYPE_CHECKING:
    from .estimate import Result


def restore(
    reflectance: ArrayLike, illumination: ArrayLike, levels: AnyLevels | dict[str, Any]
) -> NDArray[Any]:
    """Multiply R and L and undo the levels: the measured values again.

    Parameters
    ----------
    reflectance, illumination : array_like
        As in `Result`.
    levels : Levels, ChannelLevels or dict
        As in `Result`, or as in its record.

    Returns
    -------
    ndarray
        The input of `enhance`, in its dtype: bit for bit for integers of up to 32 bits, and
        of 64 bits below 2^50; within 2e-7 relative for float32, to rounding for float64.

    Raises
    ------
    ValueError
        If the two arrays do not belong together.
    """
    r, light = np.asarray(reflectance), np.asarray(illumination)
    levels = recorded_levels(levels) if isinstance(levels, dict) else levels
    check_shapes(r.shape, light.shape)
    check_channels(r.shape, levels)
    if r.shape == light.shape:
        return denormalize(r.astype(np.float64) * light, levels)
    if light.ndim < r.ndim:
        light = light[..., None]
    colours = denormalize(r[..., :3].astype(np.float64) * light, levels)
    if r.shape[-1] == 3:
        return colours
    return np.concatenate([colours, _stored_alpha(r, colours.dtype)], axis=-1)


def check_shapes(r: tuple[int, ...], light: tuple[int, ...]) -> None:
    """Raise ValueError unless a reflectance and an illumination of these shapes make a pair."""
    joint = len(r) > 2 and r[-1] in (3, 4) and light == r[:-1]
    if not (r == light or joint or (r[-1:] == (4,) and light == (*r[:-1], 3))):
        raise ValueError(
            f"Reflectance of shape {r} and illumination of shape {light} do not belong "
            "together: give the pair that one run made."
        )


def check_channels(r: tuple[int, ...], levels: AnyLevels) -> None:
    """Raise ValueError unless an array of this shape has the channels that the levels are of."""
    if levels.axis is None:
        return
    count = len(levels.each)
    found = r[levels.axis] if len(r) >= -levels.axis else 1
    if found != count and not (levels.axis == COLOUR_AXIS and found == count + 1):
        raise ValueError(
            f"The levels are of {count} channels, and the reflectance has the shape {r}: give all "
            "channels, or one of levels.each."
        )


def in_input_dtype(result: Result) -> NDArray[Any]:
    """The reflectance on the input's own scale: black to white level, rounded, in its dtype.

    Colours are on one scale, or they would not be those of R.
    """
    r, levels = result.reflectance, result.levels
    if levels.axis is not None and levels.axis != COLOUR_AXIS:
        return denormalize(r, levels)
    levels = levels.common
    if r.shape[-1] == 4 and result.illumination.shape != r.shape:
        colours = denormalize(r[..., :3], levels)
        return np.concatenate([colours, _stored_alpha(r, colours.dtype)], axis=-1)
    pixels = np.empty(r.shape, np.dtype(levels.dtype).newbyteorder("="))
    lines, values = pixels.reshape(-1, r.shape[-1]), r.reshape(-1, r.shape[-1])

    def part(rows: slice) -> None:
        lines[rows] = denormalize(values[rows], levels)

    by_bands(part, len(lines), r.shape[-1])
    return pixels


def _stored_alpha(r: NDArray[Any], dtype: np.dtype[Any]) -> NDArray[Any]:
    alpha = r[..., 3:].astype(np.float64) * alpha_range(dtype)
    return (np.rint(alpha) if dtype.kind in "ui" else alpha).astype(dtype)
