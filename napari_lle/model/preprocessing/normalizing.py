"""Levels, and what they do: x = (S - black) / (white - black), and the way back.

They hold for a whole layer and are kept with the result, so that every plane of a stack is
stretched alike and the stored integers can be restored exactly.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

EXACT = 2.0**50  # R L + black is off by less than half an integer below
EXTREME = 2.0**48  # ADU: with levels beyond, float64 cannot tell integers apart
FLOAT32_REACH = 2.0**19  # levels further from 0 leave float32 too few digits for 16-bit values


@dataclass(frozen=True)
class Levels:
    """The input values that become 0 and 1, and the dtype that they came in.

    Attributes
    ----------
    black, white : float
        In the input's units, ``black < white``.
    dtype : str
        NumPy name of the input's dtype, e.g. ``"uint16"``: what `denormalize` returns to.
    """

    black: float
    white: float
    dtype: str
    axis: ClassVar[None] = None  # one pair serves all channels

    def __post_init__(self) -> None:
        if not (np.isfinite(self.black) and np.isfinite(self.white) and self.black < self.white):
            raise ValueError(
                f"The black level ({self.black:g}) must be a number below the white level "
                f"({self.white:g}): change one of them."
            )
        dtype = np.dtype(self.dtype)
        if dtype.kind not in "ui":
            return
        largest = max(EXTREME, 4 * float(np.iinfo(dtype).max))
        if max(abs(self.black), abs(self.white)) > largest or self.span < 1 / EXTREME:
            raise ValueError(
                f"Levels of {self.black:g} and {self.white:g} are out of all proportion to "
                f"{dtype} values: restoring would not be exact."
            )

    @property
    def span(self) -> float:
        """White minus black, in the input's units."""
        return self.white - self.black

    @property
    def each(self) -> tuple[Levels, ...]:
        """Themselves alone."""
        return (self,)

    @property
    def common(self) -> Levels:
        """Themselves."""
        return self

    def plane(self, _: tuple[int, ...]) -> Levels:
        """Themselves."""
        return self

    def chosen(self, *_: Any) -> Levels:
        """Themselves."""
        return self

    def moved(self, _: int) -> Levels:
        """Themselves."""
        return self

    def of_dtype(self, dtype: str) -> Levels:
        """The same for an input of another dtype."""
        return replace(self, dtype=dtype)

    def scales(self, dtype: np.dtype[Any]) -> tuple[Any, Any]:
        """Black and span, to calculate with."""
        return dtype.type(self.black), dtype.type(self.span)

    def as_record(self) -> dict[str, Any]:
        """Plain values, see `recorded_levels`."""
        return {"black": self.black, "white": self.white, "dtype": self.dtype}


@dataclass(frozen=True)
class ChannelLevels:
    """Levels of the channels of one image, each its own; made by `level_set`.

    Attributes
    ----------
    each : tuple of Levels
        One for each channel, of one dtype.
    axis : int
        The axis of channels, counted from the end: -1 of colours, (..., Y, X, C); at most -3 of
        an axis before rows and columns.
    """

    each: tuple[Levels, ...]
    axis: int

    @property
    def black(self) -> tuple[float, ...]:
        """Of each channel."""
        return tuple(levels.black for levels in self.each)

    @property
    def white(self) -> tuple[float, ...]:
        """Of each channel."""
        return tuple(levels.white for levels in self.each)

    @property
    def dtype(self) -> str:
        """Of the input."""
        return self.each[0].dtype

    @property
    def common(self) -> Levels:
        """One pair that no channel exceeds."""
        return Levels(min(self.black), max(self.white), self.dtype)

    def plane(self, index: tuple[int, ...]) -> AnyLevels:
        """Of the plane at these indices of the axes before its rows and columns."""
        return self if self.axis == -1 else self.each[index[self.axis + 2]]

    def chosen(self, *numbers: NDArray[Any]) -> ChannelLevels:
        """Of a part of the channels, where an array of their numbers is given."""
        each = tuple(self.each[int(i)] for array in numbers for i in array)
        return replace(self, each=each or self.each)

    def moved(self, axis: int) -> ChannelLevels:
        """The same for an array whose channels lie elsewhere."""
        return replace(self, axis=axis)

    def of_dtype(self, dtype: str) -> ChannelLevels:
        """The same for an input of another dtype."""
        return replace(self, each=tuple(levels.of_dtype(dtype) for levels in self.each))

    def scales(self, dtype: np.dtype[Any]) -> tuple[Any, Any]:
        """Black and span, of shapes that go with an array's, to calculate with."""
        shape = (len(self.each), *(1,) * (-1 - self.axis))
        spans = [levels.span for levels in self.each]
        return np.array(self.black, dtype).reshape(shape), np.array(spans, dtype).reshape(shape)

    def as_record(self) -> dict[str, Any]:
        """Plain values, see `recorded_levels`."""
        black, white = list(self.black), list(self.white)
        return {"black": black, "white": white, "dtype": self.dtype, "axis": self.axis}


AnyLevels = Levels | ChannelLevels


def level_set(each: Sequence[Levels], axis: int) -> AnyLevels:
    """The levels of channels along an axis, counted from the end; one pair where all are equal."""
    return each[0] if len(set(each)) == 1 else ChannelLevels(tuple(each), axis)


def recorded_levels(record: dict[str, Any]) -> AnyLevels:
    """What `as_record` gave, also after a file."""
    if record.get("axis") is None:
        return Levels(record["black"], record["white"], record["dtype"])
    pairs = zip(record["black"], record["white"], strict=True)
    return ChannelLevels(tuple(Levels(*pair, record["dtype"]) for pair in pairs), record["axis"])


def level_words(levels: AnyLevels) -> str:
    """Levels for people: ``black 470, 480, 150, white 900, 950, 400``."""
    return f"black {level_text(levels.black)}, white {level_text(levels.white)}"


def level_text(level: float | tuple[float, ...], digits: int = 6) -> str:
    """A black or white level, or that of each channel: ``470, 480, 150``."""
    each = level if isinstance(level, tuple) else (level,)
    return ", ".join(f"{value:.{digits}g}" for value in each)


def normalize(image: ArrayLike, levels: AnyLevels) -> NDArray[np.float64]:
    """``(S - black) / (white - black)`` in float64, never clipped; NaN and inf stay."""
    black, span = levels.scales(np.dtype(np.float64))
    return np.asarray((np.asarray(image).astype(np.float64) - black) / span)


def denormalize(x: ArrayLike, levels: AnyLevels) -> NDArray[Any]:
    """The inverse of `normalize`, in the dtype of `levels`.

    Integers are rounded to the nearest and clipped to the dtype's range.
    """
    black, span = levels.scales(np.dtype(np.float64))
    with np.errstate(over="ignore"):
        values = np.asarray(x, dtype=np.float64) * span + black
    return in_dtype(values, np.dtype(levels.dtype))


def in_dtype(values: NDArray[np.float64], dtype: np.dtype[Any]) -> NDArray[Any]:
    """Values as they are stored: integers rounded to the nearest and clipped to their range."""
    if dtype.kind == "f":
        with np.errstate(over="ignore"):  # a float16 that was inf comes back as inf
            return values.astype(dtype)
    if dtype.kind == "b":
        return values > 0.5
    limits = np.iinfo(dtype)
    # float64 cannot hold the largest int64: stay below what rounds up past it.
    top = np.nextafter(float(limits.max), 0) if dtype.itemsize == 8 else limits.max
    return np.clip(np.rint(values), limits.min, top).astype(dtype)


def working_dtype(levels: AnyLevels) -> np.dtype[Any]:
    """float32 where it restores integers exactly, float64 for everything wider."""
    dtype = np.dtype(levels.dtype)
    narrow = dtype.kind == "b" or (dtype.kind in "ui" and dtype.itemsize <= 2)
    near = _largest_level(levels) <= FLOAT32_REACH
    return np.dtype(np.float32 if narrow and near else np.float64)


def plain_levels(levels: AnyLevels) -> bool:
    """Whether kernels may use the levels: one pair, and float32 is all that it needs."""
    return levels.axis is None and working_dtype(levels) == np.float32


def rounded(levels: AnyLevels, largest: float = 0.0) -> bool:
    """Whether the way back rounds integers: float64 tells those of 64 bits apart up to 2^50.

    `largest` is the greatest magnitude among the values, where it is known beside the levels.
    """
    dtype = np.dtype(levels.dtype)
    wide = dtype.kind in "ui" and dtype.itemsize == 8
    return wide and max(_largest_level(levels), abs(largest)) > EXACT


def _largest_level(levels: AnyLevels) -> float:
    return max(max(abs(each.black), abs(each.white)) for each in levels.each)


def normalized(pixels: NDArray[Any], levels: AnyLevels) -> NDArray[Any]:
    """``(S - black) / (white - black)`` in the precision that the way back needs."""
    dtype = working_dtype(levels)
    black, span = levels.scales(dtype)
    x = pixels.astype(dtype)
    x -= black
    x /= span
    return x


def network_input(x: NDArray[Any]) -> NDArray[np.float32]:
    """What the network sees of `x`: float32, 0..1, NaN and negatives as 0, +inf as 1."""
    y = np.fmax(x, 0)  # which takes 0 over NaN
    return np.fmin(y, 1, out=y).astype(np.float32, copy=False)


def alpha_range(dtype: np.dtype[Any]) -> float:
    """What full opacity is stored as."""
    return float(np.iinfo(dtype).max) if dtype.kind in "ui" else 1.0
