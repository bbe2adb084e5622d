"""Digests of pixels: the same numbers have the same one, whatever file they lie in."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Generator
from typing import Any

import numpy as np

from ..progress import Progress, finish

KIND = "sha256:"
LARGEST_DIGESTED = 1 << 32  # bytes; of more, which are worked on block by block, none is taken
PART = 1 << 26  # bytes that are read at a time


def pixel_digest(pixels: Any) -> str:
    """SHA-256 over dtype, shape and values, as ``sha256:`` and hexadecimal digits.

    Parameters
    ----------
    pixels : array_like, (..., Y, X[, C])
        In memory or lazy.

    Returns
    -------
    str
        Empty for more than `LARGEST_DIGESTED` bytes.
    """
    return finish(digest_steps(pixels))


def digest_steps(pixels: Any) -> Generator[Progress, None, str]:
    """`pixel_digest`, yielding between the parts that are read."""
    dtype = np.dtype(pixels.dtype)
    size = math.prod(pixels.shape) * dtype.itemsize
    if size > LARGEST_DIGESTED:
        return ""
    known = hashlib.sha256(f"{dtype.newbyteorder('=').name} {tuple(pixels.shape)}".encode())
    done = 0
    for place in _in_order(tuple(pixels.shape), dtype.itemsize):
        if done:
            yield Progress(done, size)
        part = np.asarray(pixels[place])
        part = np.ascontiguousarray(part.astype(dtype.newbyteorder("<"), copy=False))
        known.update(part.data)
        done += part.nbytes
    return f"{KIND}{known.hexdigest()}"


def _in_order(shape: tuple[int, ...], itemsize: int) -> Generator[tuple[Any, ...], None, None]:
    """Parts of an array in the order of its values."""
    axis, inner = 0, math.prod(shape[1:]) * itemsize
    while inner > PART and axis < len(shape) - 1:
        axis += 1
        inner = math.prod(shape[axis + 1 :]) * itemsize
    step = max(1, PART // max(inner, 1))
    for index in np.ndindex(shape[:axis]):
        for first in range(0, shape[axis], step):
            yield (*index, slice(first, first + step))
