"""What follows from an illumination by arithmetic: results of any strength, and the input again."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray

from ..preprocessing.channel_levels import COLOURS
from ..preprocessing.levels import AnyLevels, denormalize, normalized, working_dtype
from ..preprocessing.normalizing import recorded_levels
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

    def result(self, strength: float = 1.0) -> Result:
        """Reflectance and matching illumination at a strength of 0..1.

        Raises
        ------
        ValueError
            If the strength is not a number from 0 to 1.
        """
        check_strength(strength)
        reflectance = np.empty(self.image.shape, np.float32)
        dtype = working_dtype(self.levels)
        illumination = np.empty(self.illumination.shape, dtype)
        for index in np.ndindex(self.lead):
            pixels = np.asarray(self.image[index])
            r, matching = reflectance[index], illumination[index]

            def part(rows: slice) -> None:
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


def check_strength(strength: float) -> None:
    """Raise ValueError unless a strength is a number from 0 to 1."""
    if not 0 <= strength <= 1:
        raise ValueError(f"strength is a number from 0 to 1, not {strength}.")


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
    if found != count and not (levels.axis == COLOURS and found == count + 1):
        raise ValueError(
            f"The levels are of {count} channels, and the reflectance has the shape {r}: give all "
            "channels, or one of levels.each."
        )


def in_input_dtype(result: Result) -> NDArray[Any]:
    """The reflectance on the input's own scale: black to white level, rounded, in its dtype.

    Colours are on one scale, or they would not be those of R.
    """
    r, levels = result.reflectance, result.levels
    if levels.axis is not None and levels.axis != COLOURS:
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


def _power(light: NDArray[Any], strength: float) -> NDArray[Any]:
    """Powers by torch, which has vector code for them everywhere."""
    if strength == 1:
        return light
    # Torch wants memory that it may write to; light that channels share is a view.
    return torch.from_numpy(np.require(light, requirements=("C", "W"))).pow(strength).numpy()


def _alpha_range(dtype: np.dtype[Any]) -> float:
    return float(np.iinfo(dtype).max) if dtype.kind in "ui" else 1.0


def _alpha(pixels: NDArray[Any]) -> NDArray[np.float32]:
    """The last of four channels as napari shows it: 0..1."""
    return (pixels[..., 3:] / _alpha_range(pixels.dtype)).astype(np.float32)


def _stored_alpha(r: NDArray[Any], dtype: np.dtype[Any]) -> NDArray[Any]:
    alpha = r[..., 3:].astype(np.float64) * _alpha_range(dtype)
    return (np.rint(alpha) if dtype.kind in "ui" else alpha).astype(dtype)
