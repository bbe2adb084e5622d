"""A smooth background: a polynomial of low order through what is left when objects are masked.

Light pollution, a glow of the sensor and uneven lighting vary slowly over an image; stars, cells
and nebulae do not, or not as a polynomial. Objects are found by photutils (extra ``astro``).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..array_types import Float64
from .quantiles import NORMAL
from .sampling import check_dtype
from .sky import find_sky

HIGHEST_DEGREE = 6  # degree: more would follow objects
BOXES = 24  # along the longer side of a plane, whose medians the polynomial goes through
SMALLEST = 4  # pixels along a box
FULL = 0.25  # share of a box's pixels that must show the background
ABOVE = 1.5  # deviations of its noise above the background where an object begins
CONNECTED = 5  # pixels of an object
MOST_LOOKED_AT = 1_000_000  # pixels of a plane; of larger ones, means of squares are looked at
WINGS = 9  # pixels along the square by which objects are widened
PER_TERM = 3  # boxes, at least
ROUNDS = 3  # of finding objects above the background, and the background beside these
OUTLIERS = 3.0  # deviations of boxes' medians from the polynomial that are left out


@dataclass(frozen=True)
class Background:
    """The backgrounds of the planes of an image.

    Attributes
    ----------
    degree : int
        Of the polynomials.
    shape : tuple of int
        (..., Y, X), of the planes; colours, where there are some, come before rows.
    coefficients : tuple of tuple of float
        Of each plane, in units of the image, in the order of `_orders`.
    rgb : bool
        The last axis of the image holds colours.
    """

    degree: int
    shape: tuple[int, ...]
    coefficients: tuple[tuple[float, ...], ...]
    rgb: bool = False

    def surface(self) -> Float64:
        """Its brightness at each pixel, of the image's shape without alpha."""
        plane = self.shape[-2:]
        planes = np.stack([_surface(own, self.degree, plane) for own in self.coefficients])
        found: Float64 = planes.reshape(self.shape)
        return np.moveaxis(found, -3, -1) if self.rgb else found

    def flatten(self, image: Any, how: str) -> Any:
        """The image without it, as bright as the background is in the middle, median of medians.

        Parameters
        ----------
        image : ndarray
        how : {"subtract", "divide"}
            Of a glow that was added, or an uneven lighting that multiplied.

        Returns
        -------
        ndarray
            float32 for integers of up to 16 bits and for float32, else float64; alpha as it was.

        Raises
        ------
        ValueError
            If a background that is not above 0 everywhere is to be divided by.
        """
        surface = self.surface()
        axes = (-3, -2) if self.rgb else (-2, -1)
        middle = np.median(surface, axis=axes, keepdims=True)
        narrow = image.dtype.itemsize <= (2 if image.dtype.kind in "bui" else 4)
        kind = np.float32 if narrow else np.float64
        colours = image[..., :3] if self.rgb else image
        if how == "subtract":
            flat = (colours - (surface - middle)).astype(kind)
        elif surface.min() > 0:
            flat = (colours / (surface / middle)).astype(kind)
        else:
            raise ValueError("The background falls to 0 or below: subtract it instead.")
        if self.rgb and image.shape[-1] == 4:
            return np.concatenate([flat, image[..., 3:].astype(kind)], axis=-1)
        return flat

    def as_record(self) -> dict[str, Any]:
        """Plain values, see `of_record`."""
        return {
            "degree": self.degree,
            "shape": list(self.shape),
            "coefficients": [list(own) for own in self.coefficients],
            "rgb": self.rgb,
        }

    @classmethod
    def of_record(cls, record: dict[str, Any]) -> Background:
        """What `as_record` told, also after a file; other entries are passed over."""
        coefficients = tuple(tuple(own) for own in record["coefficients"])
        return cls(record["degree"], tuple(record["shape"]), coefficients, record["rgb"])


def find_background(image: ArrayLike, degree: int = 2, *, rgb: bool = False) -> Background:
    """The background of each plane of an image, of each colour by itself.

    Parameters
    ----------
    image : array_like, (..., Y, X) or (..., Y, X, 3 or 4)
        Integers or floats; values that are not finite are passed over.
    degree : int
        0 (a constant) to 6.
    rgb : bool
        The last axis holds colours.

    Raises
    ------
    TypeError
        If the dtype is not that of an image.
    ValueError
        If the degree is none, a plane shows no background, or photutils is not installed.
    """
    data = np.asarray(image)
    check_dtype(data.dtype)
    if not 0 <= degree <= HIGHEST_DEGREE:
        raise ValueError(f"The degree of a background must be 0 to {HIGHEST_DEGREE}, not {degree}.")
    if data.size == 0:
        raise ValueError(f"The image is empty (shape {data.shape}): it has no background.")
    data = np.moveaxis(data[..., :3], -1, -3) if rgb else data
    planes = data.reshape(-1, *data.shape[-2:])
    found = tuple(_fitted(plane.astype(np.float64), degree) for plane in planes)
    return Background(degree, data.shape, found, rgb)


def _orders(degree: int) -> list[tuple[int, int]]:
    """Orders along rows and columns of each term, in the order of coefficients."""
    return [(i, j) for i in range(degree + 1) for j in range(degree + 1 - i)]


def _legendre(length: int, degree: int, step: int = 1) -> Float64:
    """Legendre polynomials at every `step` pixels of an axis, (length / step, degree + 1)."""
    centres = np.arange(length // step) * step + (step - 1) / 2
    places = centres * (2 / (length - 1)) - 1 if length > 1 else np.zeros(1)
    return np.asarray(np.polynomial.legendre.legvander(places, degree))


def _surface(
    coefficients: Sequence[float], degree: int, shape: tuple[int, ...], step: int = 1
) -> Float64:
    """The polynomial at the pixels of a plane, or in the middle of squares of them."""
    products = np.zeros((degree + 1, degree + 1))
    for pair, value in zip(_orders(degree), coefficients, strict=True):
        products[pair] = value
    rows, columns = (_legendre(length, degree, step) for length in shape)
    return np.asarray(rows @ products @ columns.T)


def _fitted(plane: Float64, degree: int) -> tuple[float, ...]:
    """The coefficients of a plane's background; large planes are looked at reduced."""
    shape, step = plane.shape, min(math.ceil((plane.size / MOST_LOOKED_AT) ** 0.5), *plane.shape)
    plane = _reduced(plane, step)
    known = np.isfinite(plane)
    sky = find_sky(plane)
    if sky is None:
        raise ValueError("A plane holds no values that are finite: it has no background.")
    terms = tuple(_legendre(length, degree, step) for length in shape)
    surface = np.full(plane.shape, sky.level)
    coefficients: list[float] = []
    for _ in range(ROUNDS):
        shown = known & ~_objects(plane - surface, known)
        coefficients = _through(plane, shown if shown.any() else known, terms)
        surface = _surface(coefficients, degree, shape, step)
    return tuple(coefficients)


def _reduced(plane: Float64, step: int) -> Float64:
    """Means of squares of pixels, of those that are finite."""
    if step == 1:
        return plane
    height, width = (length // step for length in plane.shape)
    squares = plane[: height * step, : width * step].reshape(height, step, width, step)
    known = np.isfinite(squares)
    with np.errstate(invalid="ignore"):
        total = np.where(known, squares, 0).sum(axis=(1, 3))
        return np.asarray(total / known.sum(axis=(1, 3)))


def _objects(above: Float64, known: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Where objects are, their wings included."""
    try:
        from photutils.segmentation import detect_sources
    except ImportError:
        raise ValueError("A background needs photutils: pip install 'napari-lle[astro]'.") from None
    import warnings

    from scipy.ndimage import uniform_filter

    sky = find_sky(above)
    if sky is None or sky.deviation == 0:
        return known & (above > (sky.level if sky else 0))
    smooth = uniform_filter(np.where(known, above, sky.level), 3)
    level = sky.level + ABOVE * sky.deviation
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that there are no objects
        found = detect_sources(smooth, level, CONNECTED, mask=~known)
    nothing = np.zeros(above.shape, bool)
    return nothing if found is None else np.asarray(found.make_source_mask(size=WINGS))


def _through(plane: Float64, shown: NDArray[np.bool_], along: tuple[Float64, ...]) -> list[float]:
    """Least squares through medians of boxes; those far from the polynomial are left out.

    `along` are the polynomials along rows and columns. Terms that an axis of few boxes does not
    tell are 0.
    """
    degree = along[0].shape[1] - 1
    side = max(SMALLEST, -(-max(plane.shape) // BOXES))
    orders = np.array(_orders(degree))
    told = (orders < -(-np.array(plane.shape) // side)).all(axis=1)
    points, values = _medians(plane, shown, along, orders[told].T, side)
    found = np.zeros(len(orders))
    kept = np.ones(len(values), bool)
    for _ in range(1 + ROUNDS):
        found[told] = np.linalg.lstsq(points[kept], values[kept], rcond=None)[0]
        rest = values - points @ found[told]
        spread = NORMAL * np.median(np.abs(rest[kept]))
        near = np.abs(rest) <= max(OUTLIERS * spread, 1e-9 * np.abs(values).max())
        if near.sum() >= PER_TERM * points.shape[1]:  # fewer do not tell which of them is odd
            kept = near
    coefficients: list[float] = found.tolist()
    return coefficients


def _medians(
    plane: Float64,
    shown: NDArray[np.bool_],
    along: tuple[Float64, ...],
    orders: NDArray[np.intp],
    side: int,
) -> tuple[Float64, Float64]:
    """Means of the terms over what each box shows, (boxes, terms), and the medians there."""
    points, values, shares = [], [], []
    for top in range(0, plane.shape[0], side):
        for left in range(0, plane.shape[1], side):
            rows, columns = slice(top, top + side), slice(left, left + side)
            here = shown[rows, columns]
            if not here.any():
                continue
            terms = along[0][rows][:, None, orders[0]] * along[1][columns][None, :, orders[1]]
            points.append(terms[here].mean(axis=0))
            values.append(np.median(plane[rows, columns][here]))
            shares.append(here.mean())
    enough = np.array(shares) >= min(FULL, max(shares))
    return np.array(points)[enough], np.array(values)[enough]
