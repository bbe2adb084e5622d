"""What follows from an illumination by arithmetic: results of any strength, and the input again."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from ..preprocessing.levels import AnyLevels, normalized, working_dtype
from ..preprocessing.normalizing import alpha_range
from ..runtime.bands import by_bands

PlanePart = tuple[NDArray[Any], NDArray[Any], NDArray[Any]]


@dataclass(frozen=True)
class Result:
    """An enhanced image: S = R L, with S normalised by the levels.

    Attributes
    ----------
    reflectance : ndarray, the input's shape, float32
        For looking at; never clipped. The alpha of RGBA is carried along as 0..1.
    illumination : ndarray
        The input's shape without alpha; without the colour axis where one illumination serves
        all channels. float64 for inputs that float32 cannot hold exactly.
    levels : Levels or ChannelLevels
        Black, white and dtype of the input; `restore` needs them.
    record : dict
        How the result was made; plain values, enough to repeat it.
    """

    reflectance: NDArray[np.float32]
    illumination: NDArray[Any]
    levels: AnyLevels
    record: dict[str, Any]

    def channels(self) -> list[Result]:
        """Results of single channels, where these have levels of their own; else itself alone."""
        axis = self.levels.axis
        if axis is None:
            return [self]
        after = (slice(None),) * (-1 - axis)
        places: list[Any] = [(..., i, *after) for i in range(len(self.levels.each))]
        record = {**self.record, "rgb": False, "channel_axis": None}
        wide = self.illumination.ndim == self.reflectance.ndim
        return [
            Result(
                self.reflectance[place],
                self.illumination[place] if wide else self.illumination,
                levels,
                {**record, "levels": levels.as_record()},
            )
            for place, levels in zip(places, self.levels.each, strict=True)
        ]


@dataclass(frozen=True)
class Estimate:
    """The illumination of an image, from which results of any strength follow at once.

    Attributes
    ----------
    image : array-like
        The input, as it came.
    illumination : ndarray of float32
        What the network found, > 0; see `Result.illumination` for its shape.
    levels : Levels or ChannelLevels
    rgb : bool
        The last axis of the image holds colours.
    darkest : float
        Normalised value that darker pixels, those below black included, are taken for by a model
        that cleans; at strength 0 they are what they are.
    record : dict
    bounded : bool
        Where one illumination serves all colours: it is at least as large as the brightest, so
        that none exceeds 1 in R, and their ratios stay.
    """

    image: Any
    illumination: NDArray[np.float32]
    levels: AnyLevels
    rgb: bool
    darkest: float = 0.0
    record: dict[str, Any] = field(default_factory=dict)
    bounded: bool = False
    lazy: ClassVar[bool] = False

    def reflectance(self, strength: float = 1.0) -> NDArray[np.float32]:
        """``S / L^strength`` of the whole image: 0 is the normalised input, 1 the full effect."""
        result = np.empty(self.image.shape, np.float32)
        for index in np.ndindex(self.lead):
            result[index] = self.plane(index, strength)
        return result

    def plane(self, index: tuple[int, ...], strength: float = 1.0) -> NDArray[np.float32]:
        """One plane of `reflectance`: (Y, X) or (Y, X, C)."""
        pixels = np.asarray(self.image[index])
        result = np.empty(pixels.shape, np.float32)

        def part(rows: slice) -> None:
            result[rows] = self._reflected(*self._part(pixels, index, rows), strength)

        by_bands(part, len(pixels), pixels[:1].size)
        return result

    def glance(self, index: tuple[int, ...], strength: float = 1.0) -> NDArray[np.float32]:
        """A plane to choose contrast limits from."""
        return self.plane(index, strength)

    def result(self, strength: float = 1.0, *, last: bool = False) -> Result:
        """Reflectance and matching illumination at a strength of 0..1.

        The `last` one takes the memory of the estimate's illumination where it can: afterwards
        the estimate is of no use.

        Raises
        ------
        ValueError
            If the strength is not a number from 0 to 1.
        """
        check_strength(strength)
        reflectance = np.empty(self.image.shape, np.float32)
        dtype, light = working_dtype(self.levels), self.illumination
        own = isinstance(light, np.ndarray) and light.dtype == dtype and light.flags.writeable
        illumination = light if last and own else np.empty(light.shape, dtype)
        for index in np.ndindex(self.lead):
            pixels = np.asarray(self.image[index])
            r, matching = reflectance[index], illumination[index]

            def part(rows: slice) -> None:
                # Of the same rows alone: what `matching` takes the place of is read before.
                source = self._part(pixels, index, rows)  # noqa: B023
                r[rows] = self._reflected(*source, strength)  # noqa: B023
                matching[rows] = self._matching(*source, r[rows], strength)  # noqa: B023

            by_bands(part, len(pixels), pixels[:1].size)
        record = {**self.record, "strength": float(strength)}
        return Result(reflectance, illumination, self.levels, record)

    @property
    def lead(self) -> tuple[int, ...]:
        """Shape of the axes before the plane's."""
        return tuple(self.image.shape[: -3 if self.rgb else -2])

    @property
    def joint(self) -> bool:
        """One illumination serves several channels."""
        return self.rgb and self.illumination.ndim < len(self.image.shape)

    def plane_illumination(self, index: tuple[int, ...], strength: float = 1.0) -> NDArray[Any]:
        """What one plane of the reflectance times is the normalised input.

        It is L^strength corrected for the rounding of R, so that the product is the input to the
        last bit; where one illumination serves several channels there is no such freedom.
        """
        pixels = np.asarray(self.image[index])
        result = np.empty(self.illumination[index].shape, working_dtype(self.levels))

        def part(rows: slice) -> None:
            source = self._part(pixels, index, rows)
            result[rows] = self._matching(*source, self._reflected(*source, strength), strength)

        by_bands(part, len(pixels), pixels[:1].size)
        return result

    def _part(self, pixels: NDArray[Any], index: tuple[int, ...], rows: slice) -> PlanePart:
        """Some rows of a plane: pixels, the same normalised, and the illumination."""
        part = pixels[rows]
        x = normalized(part[..., :3] if self.rgb else part, self.levels.plane(index))
        light = self.illumination[index][rows].astype(x.dtype, copy=False)
        if self.bounded:
            top = np.fmax.reduce(x, axis=-1)
            light = np.where(np.isfinite(top), np.maximum(light, top), light)
        return part, x, light[..., None] if self.joint else light

    def _reflected(
        self, pixels: NDArray[Any], x: NDArray[Any], light: NDArray[Any], strength: float
    ) -> NDArray[np.float32]:
        """``S / L^strength``."""
        with np.errstate(all="ignore"):  # values that are not finite stay so
            if self.darkest and not self.joint:  # joint colours keep their ratios instead
                lifted = x + strength * (self.darkest - x)
                x = np.where((x < self.darkest) & np.isfinite(x), lifted, x)
            r = (x / _power(light, strength)).astype(np.float32, copy=False)
        if self.rgb and pixels.shape[-1] == 4:
            return np.concatenate([r, _alpha(pixels)], axis=-1)
        return r

    def _matching(
        self,
        pixels: NDArray[Any],
        x: NDArray[Any],
        light: NDArray[Any],
        r: NDArray[np.float32],
        strength: float,
    ) -> NDArray[Any]:
        """What `r` times is `x`."""
        if self.joint:
            return _power(light[..., 0], strength)
        r = r[..., :3] if self.rgb else r
        with np.errstate(all="ignore"):
            exact = x / r
        odd = ~np.isfinite(exact)
        if odd.any():
            exact[odd] = _power(light[odd], strength)
        return exact


def check_strength(strength: float) -> None:
    """Raise ValueError unless a strength is a number from 0 to 1."""
    if not 0 <= strength <= 1:
        raise ValueError(f"strength must be a number from 0 to 1, not {strength}.")


def _power(light: NDArray[Any], strength: float) -> NDArray[Any]:
    return light if strength == 1 else np.asarray(light ** light.dtype.type(strength))


def _alpha(pixels: NDArray[Any]) -> NDArray[np.float32]:
    """The last of four channels as napari shows it: 0..1."""
    return (pixels[..., 3:] / alpha_range(pixels.dtype)).astype(np.float32)
