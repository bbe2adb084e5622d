"""Arrays as compiled functions take them."""

from __future__ import annotations

from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

T = TypeVar("T", bound=np.generic)


class _Shared:
    """Lends the memory of an array, which it keeps alive."""

    def __init__(self, array: NDArray[Any]) -> None:
        interface = array.__array_interface__
        self.array = array
        self.__array_interface__ = {**interface, "data": (interface["data"][0], False)}


def as_writable(array: NDArray[T]) -> NDArray[T]:
    """The same memory without the mark that it is for reading only; nobody is to write to it.

    numba's functions are compiled for arrays without that mark. For others they would be compiled
    once more, at the first image of every process, and be kept nowhere: seconds each.
    """
    return array if array.flags.writeable else np.asarray(_Shared(array))
