"""Sample data without a network: every image is simulated when asked for, with fixed seeds.

The photograph starts from a picture that scikit-image carries in its wheel; the z stack and the
star field start from nothing. All three go through one model of a sensor, `scenes.camera`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .model.evaluation.simulate import camera, star_light

LayerTuple = tuple[Any, dict[str, Any], str]


def photograph(light: float = 0.06, seed: int = 1) -> NDArray[np.uint8]:
    """Return scikit-image's "coffee" as a camera would take it in a dark room.

    The picture (Rachel Michetti, public domain) is brought to linear light, dimmed, exposed by
    `camera` with 2,000 electrons for white, and developed to 8-bit sRGB without brightening.

    Parameters
    ----------
    light : float
        Share of the light that is left.
    seed : int

    Returns
    -------
    ndarray of uint8, (400, 600, 3)
    """
    from skimage.data import coffee

    linear = (coffee() / 255.0) ** 2.2
    rng = np.random.default_rng(seed)
    raw = camera(2000 * light * linear, rng, gain=0.5, read_noise=2.0, offset=64, bits=12)
    developed = np.clip((raw.astype(np.float32) - 64) * 0.5 / 2000, 0, 1) ** (1 / 2.2)
    return np.rint(255 * developed).astype(np.uint8)


def cells(shape: tuple[int, int, int] = (16, 256, 256), seed: int = 2) -> NDArray[np.uint16]:
    """Return a fluorescence z stack: nuclei and filaments, some bright, most dim.

    Simulated from scratch. Objects blur with their distance from the focal plane; a handful of
    bright nuclei set the display range, so that the dim filaments disappear beside them.

    Parameters
    ----------
    shape : tuple of int
        Planes, rows and columns.
    seed : int

    Returns
    -------
    ndarray of uint16, (Z, Y, X)
    """
    rng = np.random.default_rng(seed)
    return camera(cell_light(shape, rng), rng, gain=0.46, read_noise=1.4, offset=100).astype("u2")


def cell_light(shape: tuple[int, int, int], rng: np.random.Generator) -> NDArray[np.float32]:
    """Electrons that `cells` expects in each voxel: the truth without noise."""
    from skimage.filters import gaussian

    nuclei = _nuclei(shape, rng)
    filaments = np.zeros(shape, np.float32)
    for _ in range(40):
        _draw_walk(filaments, rng)
    sharp = nuclei + 260 * gaussian(filaments, (0.5, 0.8, 0.8))
    # Out-of-focus light: what lies two planes away is seen four pixels wide.
    haze = gaussian(sharp, (2.0, 4.0, 4.0))
    return (0.7 * sharp + 0.3 * haze + 4.0).astype(np.float32)


def _nuclei(shape: tuple[int, int, int], rng: np.random.Generator) -> NDArray[np.float32]:
    """Soft-edged ellipsoids whose brightness spans two decades."""
    depth, height, width = shape
    z, y, x = np.ogrid[:depth, :height, :width]
    image = np.zeros(shape, np.float32)
    for _ in range(24):
        centre = rng.uniform((2, 0, 0), (depth - 2, height, width))
        radii = rng.uniform((2.0, 9.0, 9.0), (3.5, 17.0, 17.0))
        r = sum(((axis - c) / a) ** 2 for axis, c, a in zip((z, y, x), centre, radii, strict=True))
        brightness = np.float32(10 ** rng.uniform(1.0, 3.4))
        image += brightness / (1 + np.exp(np.clip(8 * (r - 1), -30, 30))).astype(np.float32)
    return image


def _draw_walk(image: NDArray[np.float32], rng: np.random.Generator) -> None:
    """Add a smooth line that runs through the volume in a slowly turning direction."""
    depth, height, width = image.shape
    steps = 500
    angle = rng.uniform(0, 2 * np.pi) + np.cumsum(rng.normal(0, 0.03, steps))
    y = rng.uniform(0, height) + np.cumsum(0.5 * np.sin(angle))
    x = rng.uniform(0, width) + np.cumsum(0.5 * np.cos(angle))
    z = rng.uniform(1, depth - 1) + np.cumsum(rng.normal(0, 0.05, steps))
    points = np.rint([z, y, x]).astype(int)
    limits = np.array([[depth], [height], [width]])
    z, y, x = points[:, ((points >= 0) & (points < limits)).all(axis=0)]
    image[z, y, x] = rng.uniform(0.3, 1.0)


def stars(shape: tuple[int, int] = (600, 800), seed: int = 3) -> NDArray[np.uint16]:
    """Return a star field with a galaxy, a sky gradient and hot pixels.

    Simulated from scratch: Moffat profiles (beta 3, FWHM 3 pixels) with a power law of fluxes
    over more than four decades, on a sky of 40 to 80 electrons, exposed by `camera`.

    Parameters
    ----------
    shape : tuple of int
        Rows and columns.
    seed : int

    Returns
    -------
    ndarray of uint16, (Y, X)
    """
    rng = np.random.default_rng(seed)
    sky = star_light(shape, rng)
    field = camera(sky, rng, gain=1.0, read_noise=5.0, offset=400, full_well=60_000).astype("u2")
    hot = rng.integers(0, field.size, 60)
    field.flat[hot] = rng.integers(5_000, 65_535, hot.size)
    return field


ARRAYS: dict[str, Callable[[], NDArray[Any]]] = {
    "photograph": photograph,
    "cells": cells,
    "stars": stars,
}


def photograph_layers() -> list[LayerTuple]:
    """Return the dark photograph as a napari layer."""
    return [(photograph(), {"name": "dark photograph", "rgb": True}, "image")]


def cells_layers() -> list[LayerTuple]:
    """Return the fluorescence z stack as a napari layer, in micrometres."""
    stack = cells()
    options = {
        "name": "dim cells",
        "rgb": False,
        "scale": (0.5, 0.16, 0.16),
        "units": ("micrometer",) * 3,
        "axis_labels": ("z", "y", "x"),
        "colormap": "green",
        "contrast_limits": (int(stack.min()), int(stack.max())),
    }
    return [(stack, options, "image")]


def stars_layers() -> list[LayerTuple]:
    """Return the star field as a napari layer."""
    field = stars()
    options = {
        "name": "star field",
        "rgb": False,
        "contrast_limits": (int(field.min()), int(field.max())),
    }
    return [(field, options, "image")]
