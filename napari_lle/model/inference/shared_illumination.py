"""Channels under one illumination: an axis of an array, several arrays, or both.

The network sees the brightest of the channels in each pixel, every one between its own levels.
What it finds divides them all, which keeps the ratios of channels and leaves R at most 1 where
the brightest is.
"""

from __future__ import annotations

from collections.abc import Generator, Sequence
from dataclasses import replace
from functools import reduce
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..preprocessing.levels import Levels, find_levels, network_input, normalized
from .enhance import Progress, Survey, estimate_steps, lazy_estimate, survey
from .estimate import Estimate, Result
from .lazy import LazyEstimate, as_dask, excerpt, is_lazy


class Together(NamedTuple):
    """What is found once for channels that share an illumination: `Survey` of several arrays."""

    levels: tuple[Levels, ...]
    brightest: Survey


def enhance_jointly(
    images: Sequence[Any],
    model: Any = "auto",
    *,
    axis: int | None = None,
    strength: float = 1.0,
    black: float | Sequence[float | None] | None = None,
    white: float | Sequence[float | None] | None = None,
    device: str = "auto",
    tile: int | str = "auto",
) -> list[Result]:
    """Enhance the channels of one scene with one illumination.

    Parameters
    ----------
    images : sequence of array_like, (..., Y, X)
        Arrays of one shape: one for each channel, or with an axis of channels, or both. All of
        numpy, or all of dask or Zarr.
    axis : int, optional
        The axis of channels in each array, before Y and X.
    strength : float
        0 leaves the normalised input, 1 is the full effect.
    black, white : float or sequence of float, optional
        Levels in the input's units, for all arrays or for each; found for each when not given.
    model, device, tile
        As of `enhance`.

    Returns
    -------
    list of Result
        One for each array, of its shape.

    Raises
    ------
    TypeError, ValueError
        If the arrays differ in shape, or an option cannot be used.

    Examples
    --------
    >>> import numpy as np
    >>> from napari_lle.model import enhance_jointly
    >>> cells = np.arange(128, dtype=np.uint16).reshape(2, 8, 8)
    >>> (result,) = enhance_jointly([cells], axis=0, black=0, white=128)
    >>> result.reflectance.shape
    (2, 8, 8)
    """
    steps = joint_steps(
        images, model, axis=axis, black=black, white=white, device=device, tile=tile
    )
    while True:
        try:
            next(steps)
        except StopIteration as stop:
            return [estimate.result(strength) for estimate in stop.value]


def joint_steps(
    images: Sequence[Any],
    model: Any = "auto",
    *,
    axis: int | None = None,
    black: float | Sequence[float | None] | None = None,
    white: float | Sequence[float | None] | None = None,
    known: Together | None = None,
    **options: Any,
) -> Generator[Progress, None, list[Any]]:
    """Find the illumination that channels share; returns an estimate for each array.

    The parameters are those of `enhance_jointly`, and `known`, what was found for a whole that
    the arrays are a part of. Closing the generator cancels the work.
    """
    arrays = [image if hasattr(image, "shape") else np.asarray(image) for image in images]
    axis = check_together(arrays, axis)
    if known is None:
        known = survey_together(arrays, axis=axis, black=black, white=white)
    seen = brightest(arrays, known.levels, axis)
    given = {"rgb": False, "known": known.brightest, **options}
    if is_lazy(seen):
        yield Progress(0, 1)
        shared: Any = lazy_estimate(seen, model, **given)
    else:
        shared = yield from estimate_steps(seen, model, **given)
    record = {**shared.record, "channel_axis": axis}
    if len(arrays) > 1:
        record["together"] = [{"black": e.black, "white": e.white} for e in known.levels]
    return [
        lend(shared, image, levels, axis, {**record, "levels": vars(levels)})
        for image, levels in zip(arrays, known.levels, strict=True)
    ]


def survey_together(
    images: Sequence[Any],
    *,
    axis: int | None = None,
    black: float | Sequence[float | None] | None = None,
    white: float | Sequence[float | None] | None = None,
) -> Together:
    """Levels of each array, and the statistics of the brightest of them all."""
    axis = check_together(images, axis)
    count = len(images)
    levels = tuple(
        find_levels(excerpt(image, False) if is_lazy(image) else image, black=low, white=high)
        for image, low, high in zip(
            images, _each(black, count, "black"), _each(white, count, "white"), strict=True
        )
    )
    seen = brightest(images, levels, axis)
    return Together(levels, survey(seen, black=0.0, white=1.0, rgb=False))


def check_together(images: Sequence[Any], axis: int | None) -> int | None:
    """The axis, counted from the front; raises ValueError unless the arrays share a shape."""
    if not images:
        raise ValueError("Give one array at least.")
    shapes = [tuple(image.shape) for image in images]
    if len(set(shapes)) > 1:
        told = " and ".join(map(str, dict.fromkeys(shapes)))
        raise ValueError(f"One illumination needs channels of one shape, not {told}.")
    count = len(shapes[0]) - 2
    if count < 0:
        raise ValueError(f"An image has two spatial axes; this array's shape is {shapes[0]}.")
    if axis is None:
        return None
    if not -count - 2 <= axis < count or axis in (-1, -2):
        raise ValueError(
            f"The axis of channels lies before rows and columns: {axis} is none of {shapes[0]}."
        )
    return axis % (count + 2)


def brightest(images: Sequence[Any], levels: Sequence[Levels], axis: int | None) -> Any:
    """The largest normalised value of the channels, 0..1, float32, (..., Y, X); lazy if they are.

    Only one array, and one entry of the axis of channels, is held beside the result.
    """
    parts = (
        part
        for image, own in zip(images, levels, strict=True)
        for part in (_seen(channel, own) for channel in _channels(image, axis))
    )
    return reduce(np.maximum, parts)


def _channels(image: Any, axis: int | None) -> Any:
    image = as_dask(image) if is_lazy(image) else image
    if axis is None:
        return [image]
    lead = (slice(None),) * axis
    return (image[(*lead, i)] for i in range(image.shape[axis]))


def _seen(image: Any, levels: Levels) -> Any:
    def see(pixels: NDArray[Any]) -> NDArray[np.float32]:
        return network_input(normalized(pixels, levels))

    if is_lazy(image):
        return image.map_blocks(see, dtype=np.float32, meta=np.empty(0, np.float32))
    return see(np.asarray(image))


def lend(
    shared: Estimate | LazyEstimate,
    image: Any,
    levels: Levels,
    axis: int | None,
    record: dict[str, Any],
) -> Estimate | LazyEstimate:
    """The illumination of the brightest as that of one of the arrays that it was taken from."""
    if isinstance(shared, LazyEstimate):
        return shared.lend(as_dask(image), levels, axis, record)
    light = shared.illumination
    if axis is not None:
        light = np.broadcast_to(np.expand_dims(light, axis), image.shape)
    return replace(
        shared, image=image, illumination=light, levels=levels, darkest=0.0, record=record
    )


def _each(
    level: float | Sequence[float | None] | None, count: int, name: str
) -> Sequence[float | None]:
    if level is None or isinstance(level, (int, float)):
        return [level] * count
    if len(level) != count:
        raise ValueError(f"{name} is one number, or one for each of {count} arrays.")
    return level
