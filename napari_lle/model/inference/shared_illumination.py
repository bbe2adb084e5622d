"""Channels under one illumination: an axis of an array, several arrays, or both.

The network sees the brightest of the channels in each pixel, every one between its own levels.
What it finds divides them all, which keeps the ratios of channels and leaves R at most 1 where
the brightest is.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import reduce
from itertools import cycle
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ..preprocessing.levels import AnyLevels, Levels
from .estimate import Estimate
from .lazy import LazyEstimate
from .lazy_arrays import as_dask, is_lazy
from .planes import see

if TYPE_CHECKING:
    from .plan import Plan


def check_together(images: Sequence[Any], axis: int | None) -> int | None:
    """The axis, counted from the front; raises ValueError unless the arrays share a shape."""
    if not images:
        raise ValueError("Give at least one array.")
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


def brightest(images: Sequence[Any], levels: Sequence[AnyLevels], axis: int | None) -> Any:
    """The largest normalised value of the channels, 0..1, float32, (..., Y, X); lazy if they are.

    Only one array, and one entry of the axis of channels, is held beside the result.
    """
    parts = (
        part
        for image, own in zip(images, levels, strict=True)
        for part in map(_network_view, channels_of(image, axis), cycle(own.each))
    )
    return reduce(np.maximum, parts)


def channels_of(image: Any, axis: int | None) -> Iterator[Any]:
    """The entries along an axis, counted from the front, lazy if the image is; without, itself."""
    image = as_dask(image) if is_lazy(image) else image
    if axis is None:
        return iter([image])
    lead = (slice(None),) * axis
    return (image[(*lead, i)] for i in range(image.shape[axis]))


def _network_view(image: Any, levels: Levels) -> Any:
    def seen(pixels: NDArray[Any]) -> NDArray[np.float32]:
        return see(pixels, levels, False, False)

    if is_lazy(image):
        return image.map_blocks(seen, dtype=np.float32, meta=np.empty(0, np.float32))
    return seen(np.asarray(image))


def lend(shared: Estimate | LazyEstimate, images: Sequence[Any], plan: Plan) -> list[Any]:
    """The estimate of the brightest as one of each of the arrays that it was taken from."""
    axis = plan.options.channel_axis
    return [
        _lent(shared, image, levels, axis, {**plan.record, "levels": levels.as_record()})
        for image, levels in zip(images, plan.known.each, strict=True)
    ]


def _lent(
    shared: Estimate | LazyEstimate,
    image: Any,
    levels: AnyLevels,
    axis: int | None,
    record: dict[str, Any],
) -> Estimate | LazyEstimate:
    if isinstance(shared, LazyEstimate):
        return shared.lend(as_dask(image), levels, axis, record)
    light = shared.illumination
    if axis is not None:
        light = np.broadcast_to(np.expand_dims(light, axis), image.shape)
    return replace(shared, image=image, illumination=light, levels=levels, record=record)
