"""Arrays of dask and of Zarr, whose pixels are read when they are asked for.

Only levels and statistics are found at once, from an excerpt, because every part depends on them.
"""

from __future__ import annotations

import math
from threading import Lock
from typing import Any
from weakref import WeakValueDictionary

import numpy as np
from numpy.typing import NDArray

from ..preprocessing.levels import SAMPLE

WHOLE_PLANES = 64_000_000  # pixels that may be read for levels and statistics
READ_SIDE = 128  # side of the parts that are read of larger planes
NAMED_CHUNKS = 100_000  # more would make each look at an array of dask slow


_excerpts: WeakValueDictionary[Any, NDArray[Any]] = WeakValueDictionary()
_reading: WeakValueDictionary[Any, Any] = WeakValueDictionary()  # a lock for each of them


def is_lazy(image: Any) -> bool:
    """Whether an array is of dask or of Zarr."""
    return type(image).__module__.split(".")[0] in ("dask", "zarr") and hasattr(image, "chunks")


def as_dask(image: Any) -> Any:
    """An array of NumPy or Zarr as one of dask; a dask array as it is."""
    import dask.array as da

    if isinstance(image, da.Array):
        return image
    return da.from_zarr(image) if is_lazy(image) else da.from_array(image)


def kept_apart(image: Any) -> Any:
    """A dask array whose chunks dask reads as tasks of their own, not as a part of what is computed
    from them: what keeps chunks that were read, as napari does, has them for all arrays.
    """
    if image.npartitions > NAMED_CHUNKS:
        return image
    import dask.array as da
    from dask.highlevelgraph import HighLevelGraph

    name = f"kept-{image.name}"
    chunks = np.ndindex(*image.numblocks)
    tasks = {(name, *at): (_same, (image.name, *at)) for at in chunks}
    graph = HighLevelGraph.from_collections(name, tasks, dependencies=[image])
    return da.Array(graph, name, image.chunks, dtype=image.dtype, meta=image)


def _same(chunk: Any) -> Any:
    return chunk


def stacked(arrays: list[Any], axis: int) -> Any:
    """Arrays along a new axis, lazy if they are."""
    if not is_lazy(arrays[0]):
        return np.stack(arrays, axis)
    import dask.array as da

    return da.stack(arrays, axis % (arrays[0].ndim + 1))


def in_memory(image: Any, rgb: bool) -> Any:
    """What levels and statistics are found of: an array as it is, of a lazy one an excerpt.

    While somebody holds the excerpt of a dask array, whose name tells its contents apart, others
    get the same and wait until it has been read: pixels may come from afar. It is not kept longer,
    because files may change.
    """
    if not is_lazy(image) or 0 in image.shape:
        return image
    if not type(image).__module__.startswith("dask"):
        return excerpt(image, rgb)
    key = image.name, rgb
    with _reading.setdefault(key, Lock()):
        found = _excerpts.get(key)
        if found is None:
            found = _excerpts[key] = excerpt(image, rgb)
    return found


def excerpt(image: Any, rgb: bool) -> NDArray[Any]:
    """The planes that `sampling.sample` would read, each once, or windows of large ones.

    Returns
    -------
    ndarray, (N, Y, X[, C])
        At most 16 planes, or more if they are small.
    """
    lead = image.shape[: image.ndim - (3 if rgb else 2)]
    height, width = image.shape[len(lead) : len(lead) + 2]
    planes = list(np.ndindex(*lead))
    kept = min(len(planes), max(16, SAMPLE // max(height * width, 1)))
    chosen = [planes[round(i * (len(planes) - 1) / max(kept - 1, 1))] for i in range(kept)]
    if kept * height * width <= WHOLE_PLANES:
        return np.stack([np.asarray(image[index]) for index in chosen])
    side = max(1, round(math.sqrt(SAMPLE / kept) / READ_SIDE))
    tall, wide = min(READ_SIDE, height), min(READ_SIDE, width)
    corners = [
        (top, left)
        for top in np.linspace(0, height - tall, side).astype(int)
        for left in np.linspace(0, width - wide, side).astype(int)
    ]
    parts = [
        np.asarray(image[(*index, slice(top, top + tall), slice(left, left + wide))])
        for index in chosen
        for top, left in corners
    ]
    return np.stack(parts)
