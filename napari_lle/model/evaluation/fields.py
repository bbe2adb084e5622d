"""More simulated fields: the faults of real sensors, thin filaments, and scenes of any exposure."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from ..array_types import Array
from ..preprocessing.levels import find_levels
from .simulate import star_light

BRIGHT_SPANS = 50.0  # spans to the white level of a series that holds bright objects
HOT = 3e-4  # share of hot pixels
PATTERN_DEVIATION = 2.0  # ADU: deviation of the offsets of lines, or of columns; read noise is 5
RAYS = 1e-4  # cosmic rays for each pixel

Defect = Callable[[Array, np.random.Generator], Array]


def far_white(image: Array) -> dict[str, float]:
    """Levels as a bright object elsewhere in the series would set them: noise is stretched hard."""
    levels = find_levels(image)
    return {"black": levels.black, "white": levels.black + BRIGHT_SPANS * levels.span}


def hot_pixels(image: Array, rng: np.random.Generator) -> Array:
    """Pixels that read hundreds to thousands more."""
    spoiled = image.astype(np.float64)
    hot = rng.random(image.shape) < HOT
    spoiled[hot] += rng.uniform(200, 20_000, int(hot.sum()))
    return _as_uint16(spoiled)


def line_noise(image: Array, rng: np.random.Generator) -> Array:
    """An offset of its own to each line, as of a converter that drifts."""
    return _as_uint16(image + rng.normal(0, PATTERN_DEVIATION, (image.shape[0], 1)))


def column_pattern(image: Array, rng: np.random.Generator) -> Array:
    """An offset of its own to each column, as of amplifiers that differ."""
    return _as_uint16(image + rng.normal(0, PATTERN_DEVIATION, (1, image.shape[1])))


def cosmic_rays(image: Array, rng: np.random.Generator) -> Array:
    """Straight sharp tracks of 1 to 20 pixels."""
    spoiled = image.astype(np.float64)
    height, width = image.shape
    for _ in range(max(1, rng.poisson(RAYS * image.size))):
        row, column = rng.uniform(0, height), rng.uniform(0, width)
        angle, length = rng.uniform(0, np.pi), rng.integers(1, 21)
        along = np.arange(length)
        rows = np.rint(row + along * np.sin(angle)).astype(int)
        columns = np.rint(column + along * np.cos(angle)).astype(int)
        inside = (rows >= 0) & (rows < height) & (columns >= 0) & (columns < width)
        spoiled[rows[inside], columns[inside]] += rng.uniform(100, 2000)
    return _as_uint16(spoiled)


def _as_uint16(values: Array) -> Array:
    return np.clip(np.rint(values), 0, 65535).astype(np.uint16)


DEFECTS: dict[str, Defect] = {
    "no defects": lambda image, rng: image,
    "hot pixels": hot_pixels,
    "line noise": line_noise,
    "column pattern": column_pattern,
    "cosmic rays": cosmic_rays,
}


def filament_field(
    side: int, contrast: float, sky: float, rng: np.random.Generator
) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Straight filaments 2 pixels wide at any angle, one to each square of 48 pixels.

    Returns
    -------
    light : ndarray, (Y, X)
        Electrons: `contrast` above `sky` in a filament.
    middle : ndarray of bool, (Y, X)
        Pixels that a filament's middle passes.
    """
    y, x = np.mgrid[:side, :side].astype(np.float64)
    light, middle = np.full((side, side), sky), np.zeros((side, side), bool)
    for row in range(24, side, 48):
        for column in range(24, side, 48):
            angle = rng.uniform(0, np.pi)
            across = (y - row) * np.cos(angle) - (x - column) * np.sin(angle)
            along = (y - row) * np.sin(angle) + (x - column) * np.cos(angle)
            within = np.abs(along) <= 16
            light += contrast * within * np.clip(1.5 - np.abs(across), 0, 1)
            middle |= within & (np.abs(across) <= 0.5)
    return light, middle


def cell_field(side: int, rng: np.random.Generator) -> NDArray[np.float64]:
    """Soft bodies of many sizes and brightnesses, with spots inside, in 0..1."""
    y, x = np.mgrid[:side, :side]
    light = np.full((side, side), 0.02)
    for _ in range(side * side // 2500):
        row, column = rng.uniform(0, side, 2)
        radius, bright = rng.uniform(4, 24), 10 ** rng.uniform(-1.3, -0.2)
        distance = np.hypot(y - row, (x - column) * rng.uniform(0.6, 1))
        light += bright / (1 + np.exp(np.clip((distance - radius) / 1.2, -30, 30)))
    for _ in range(side * side // 500):
        row, column = rng.uniform(0, side, 2)
        light *= 1 + rng.uniform(-0.3, 1) * np.exp(-(np.hypot(y - row, x - column) ** 2) / 6)
    return np.asarray(light / light.max())


def known_fields(side: int, seed: int) -> dict[str, NDArray[np.float64]]:
    """A star field, cells and filaments, in shares of the brightest light of the exposure."""
    rng = np.random.default_rng(seed)
    filaments = filament_field(side, 0.3, 0.03, rng)[0]
    stars = star_light((side, side), rng).astype(np.float64)
    return {"stars": stars / 4000, "cells": cell_field(side, rng), "filaments": filaments}
