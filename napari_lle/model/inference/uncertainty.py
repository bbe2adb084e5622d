"""What an enhancement changed beyond the plain stretch, and how far its R may be from the truth.

Both follow from a result alone: S = R L is the measured image, its noise is found from it, and the
record tells the curve of the plain stretch. Nothing runs the network again.

The interval's half width is ``sqrt((k(q) s)^2 + (c g)^2)``: s is the noise that the plain stretch
would show, q the root mean square of the change around the pixel in units of s, g the gradient of
the smoothed R. A method that averages noise away changes much where little error is left, so k
falls with q, until the change is more than noise; where R is steep, blur shows. k, at `KNOTS` and
straight between, and c are fitted for each model, see `evaluation.interval`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from ..array_types import Array
from ..network.bundled import GLOBAL
from ..network.checkpoint import Model
from ..preprocessing.levels import Levels
from ..preprocessing.noise import Noise, fit_noise
from ..preprocessing.screen import MIDDLE, STRETCHED, midtones, transfer
from .estimate import Result
from .lazy_arrays import as_dask, excerpt, is_lazy, stacked

KNOTS = (0.0, 0.4, 0.8, 1.1, 1.6, 3.0)
# k at the knots, then c; printed by benchmarks/uncertainty.py.
CONSTANTS = {"linear": (1.95, 1.61, 0.689, 0.893, 1.08, 7.97, 0.37)}
# Pixels: deviation of the Gaussian that the brightness of the noise is taken from.
LOCAL_SIGMA = 1.5
AVERAGED = 7  # pixels along the square that the change is averaged over
GRADIENT_SIGMA = 1.0  # pixels: deviation of the Gaussian before the gradient
UNCERTAINTY_HALO = 8  # pixels that all of these reach
LEAST_DEVIATION = 1e-6  # of R: what stands for no noise in a ratio


class PlainStretch(NamedTuple):
    """The screen stretch as a division x / P^s, toned as the enhancement was, see `tone.Tone`.

    Attributes
    ----------
    u : float
        Of the curve, P = (x + u) / (1 + u).
    strength : float
        s, 0..1.
    brightness : float
        Where a quarter is brought to.
    """

    u: float
    strength: float = 1.0
    brightness: float = MIDDLE

    @staticmethod
    def of(record: dict[str, Any]) -> PlainStretch:
        """What a result is compared with."""
        typical = min(max(float(record["statistics"]["typical"]), STRETCHED[0]), STRETCHED[1])
        strength, brightness = record.get("strength", 1.0), record.get("brightness", MIDDLE)
        return PlainStretch(float(midtones(typical)), float(strength), float(brightness))

    def _bent(self) -> float:
        """How far brightness bends the curve: (1 + c) p / (1 + c p); 0 is not at all."""
        return (self.brightness - MIDDLE) / (MIDDLE * (1 - self.brightness))

    def gain(self, x: Array) -> Array:
        """What pixels are multiplied by; values outside of 0..1 by what the bound is."""
        v = np.clip(x, 0, 1)
        p = transfer(v, v, self.u)
        gain = (1 + self.u) / (v + self.u) * (1 + self._bent()) / (1 + self._bent() * p)
        return np.asarray(gain**self.strength)

    def slope(self, v: Array) -> Array:
        """The stretch's derivative, which noise at a brightness of 0..1 is multiplied by."""
        c, u = self._bent(), self.u
        p = transfer(v, v, u)
        steeper = v / (v + u) + c * p / (1 + c * p) * u / (v + u)  # -d log(gain) / d log(v)
        return np.asarray(self.gain(v) * (1 - self.strength * steeper))


class Local(NamedTuple):
    """What is known of each pixel of R: the change, and the figures s, q and g of the interval."""

    change: Array
    noise: Array
    share: Array
    gradient: Array


def what_changed(result: Result, *, noise: Noise | None = None) -> Any:
    """R less the plain stretch of the same pixels, in units of the noise that this would show.

    The stretch has the strength and the brightness of the result.

    Values about 1 are noise that was taken away, which is as likely above as below; where they are
    much larger, the enhancement is something else than the stretch of what was measured.

    Parameters
    ----------
    result : Result
        Of any strength; of dask arrays, a dask array comes back and little is computed now.
    noise : Noise, optional
        Of the input, in its units, from a data sheet or `fit_noise`; found from the image when not
        given.

    Returns
    -------
    ndarray or dask array of float32, the shape of R
        Without alpha.
    """
    return _per_pixel(result, noise, lambda *seen: np.divide(*change_and_noise(*seen)))


def uncertainty(result: Result, *, noise: Noise | None = None) -> Any:
    """Half the width of the interval about R that holds the truth 95 times of 100.

    The truth is what the plain stretch would show if there were no noise. The share holds over
    many pixels, not for each kind of them: in the middle of thin filaments it can be less. Noise
    is taken for independent from pixel to pixel.

    Parameters
    ----------
    result : Result
        Of strength 1; of dask arrays, a dask array comes back and little is computed now.
    noise : Noise, optional
        As in `what_changed`.

    Returns
    -------
    ndarray or dask array of float32, the shape of R
        In units of R. Without alpha.

    Raises
    ------
    ValueError
        If the strength is not 1, or no interval is known for the model.
    """
    constants = interval_constants(result.record)
    return _per_pixel(result, noise, lambda *seen: half_width(local_figures(*seen), constants))


def interval_constants(record: dict[str, Any]) -> tuple[float, ...]:
    """The figures of the interval for the model of a record, or ValueError in plain words."""
    name = str(record["model"]).removesuffix(GLOBAL)
    found = _constants(name, record)
    if found is None:
        raise ValueError(
            f"How uncertain the model {name} is has not been measured: choose "
            f"{' or '.join(CONSTANTS)}, or leave the uncertainty out."
        )
    if record.get("strength", 1.0) != 1:
        raise ValueError(
            "The uncertainty is known for strength 1 only: enhance with that strength."
        )
    if "brightness" in record or "denoise" in record:
        raise ValueError(
            "The uncertainty with brightness or denoise set has not been measured: leave them out."
        )
    if "average" in record:
        raise ValueError("How uncertain averaged planes are has not been measured: leave it out.")
    return found


def known_constants(model: Model) -> tuple[float, ...] | None:
    """The figures of the interval for a model, from its card or the bundled ones."""
    return _constants(model.name.removesuffix(GLOBAL), model.card)


def _constants(name: str, told: dict[str, Any]) -> tuple[float, ...] | None:
    given = told.get("uncertainty")
    if given is None:
        return CONSTANTS.get(name)
    if len(given) != len(KNOTS) + 1:
        raise ValueError(
            f"The model {name} states its uncertainty in a way that this version does not know."
        )
    return tuple(float(v) for v in given)


def half_width(local: Local, constants: Sequence[float]) -> Array:
    """The half width of the interval, see above."""
    *k, c = constants
    return np.hypot(local.noise * np.interp(local.share, KNOTS, k), c * local.gradient)


def _per_pixel(result: Result, noise: Noise | None, figure: Any) -> Any:
    """A figure of every pixel, of whole arrays or chunk by chunk."""
    levels = result.levels
    if "background" in result.record:
        raise ValueError("An image whose background was removed has no such map: leave it out.")
    if levels.axis is not None:
        parts = [_per_pixel(channel, noise, figure) for channel in result.channels()]
        return stacked(parts, levels.axis)
    r, light = result.reflectance, result.illumination
    rgb = bool(result.record["rgb"])
    axes = (-3, -2) if rgb else (-2, -1)
    lazy = is_lazy(r)
    kind: Any = as_dask if lazy else np.asarray
    r, light = kind(r), kind(light)
    if rgb:
        r = r[..., :3]
        light = light[..., None] if light.ndim < r.ndim else light
    plain = PlainStretch.of(result.record)
    x = r * light
    if noise is None:
        noise = fit_noise(
            _measured(excerpt(x, rgb) if lazy else x, levels),
            rgb=rgb,
            black=levels.black,
        )
    found = noise.scaled(levels.black, levels.white)

    def compute(x: Array, r: Array) -> Array:
        return np.asarray(figure(x, r, plain, found, axes), np.float32)

    if not lazy:
        return compute(x, r)
    import dask.array as da

    plane = {axis % r.ndim for axis in axes}
    cut = {axis for axis in plane if len(r.chunks[axis]) > 1}
    depth = {axis: UNCERTAINTY_HALO if axis in cut else 0 for axis in range(r.ndim)}
    return da.map_overlap(
        compute, x, r, depth=depth, boundary="none", meta=np.empty((0,) * r.ndim, np.float32)
    )


def _measured(x: Array, levels: Levels) -> Array:
    """S in the input's units. Integers are exact: their ties decide where the fit cuts."""
    pixels = np.asarray(x, np.float64) * levels.span + levels.black
    return np.rint(pixels) if np.dtype(levels.dtype).kind in "ui" else pixels


def local_figures(
    x: ArrayLike,
    r: ArrayLike,
    plain: PlainStretch,
    noise: Noise,
    axes: tuple[int, int] = (-2, -1),
) -> Local:
    """What the interval is made of, from the normalised input and R.

    Parameters
    ----------
    x, r : array_like of one shape
    plain : PlainStretch
    noise : Noise
        Of the normalised input.
    axes : (int, int)
        Rows and columns.
    """
    from scipy.ndimage import gaussian_filter, uniform_filter

    change, shown = change_and_noise(x, r, plain, noise, axes)
    known = np.isfinite(change)
    power = uniform_filter(np.where(known, change, 0) ** 2, AVERAGED, axes=axes)
    r = np.where(known, r, 0)
    smooth = gaussian_filter(r.astype(np.float64), GRADIENT_SIGMA, axes=axes)
    slopes = [
        np.gradient(smooth, axis=axis) if r.shape[axis] > 1 else np.zeros(r.shape) for axis in axes
    ]
    return Local(change, shown, np.sqrt(power) / shown, np.hypot(*slopes))


def change_and_noise(
    x: ArrayLike, r: ArrayLike, plain: PlainStretch, noise: Noise, axes: tuple[int, int]
) -> tuple[Array, Array]:
    """The first two of `local_figures`; NaN where something is not known."""
    from scipy.ndimage import gaussian_filter

    x, r = (np.asarray(v, dtype=np.float64) for v in (x, r))
    known = np.isfinite(x) & np.isfinite(r)
    if not known.all():
        x, r = np.where(known, x, 0), np.where(known, r, 0)
    v = np.clip(gaussian_filter(x, LOCAL_SIGMA, axes=axes), 0, 1)
    shown = plain.slope(v) * np.sqrt(noise.variance(v)) + LEAST_DEVIATION
    change = r - x * plain.gain(x)
    return np.where(known, change, np.nan), np.where(known, shown, np.nan)
