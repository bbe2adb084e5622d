"""Simulated fields of known truth, and the camera that exposes them.

The camera is the Poisson-Gaussian model that microscopes and telescopes are calibrated with: an
electron count is Poisson about the light's expectation and saturates at the full well, reading it
adds Gaussian noise, and the converter divides by the gain, adds an offset and rounds. The variance
of a pixel in ADU is therefore ``(electrons + read_noise^2) / gain^2 + 1/12``.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

SKY_ELECTRONS = 40.0  # electrons of the simulated fields' background
READ_NOISE = 5.0
OFFSET = 400.0
FWHM = 3.0  # pixels
STAR_SPACING = 24  # pixels between the stars of `star_field`: no aperture holds two


class StarField(NamedTuple):
    """Expected electrons, (Y, X), and the stars in it: rows, columns and fluxes in electrons."""

    light: NDArray[np.float64]
    rows: NDArray[np.float64]
    columns: NDArray[np.float64]
    fluxes: NDArray[np.float64]


def camera(
    electrons: NDArray[Any],
    rng: np.random.Generator,
    *,
    gain: float = 1.0,
    read_noise: float = 1.5,
    offset: float = 100.0,
    full_well: float = 30_000.0,
    bits: int = 16,
) -> NDArray[np.uint8 | np.uint16]:
    """Expose a sensor: Poisson shot noise, Gaussian read noise, saturation, digitisation.

    Parameters
    ----------
    electrons : ndarray
        Mean number of photoelectrons in each pixel.
    rng : numpy.random.Generator
    gain : float
        Electrons per analogue-to-digital unit (ADU).
    read_noise : float
        Standard deviation in electrons.
    offset : float
        ADU that a pixel without light reads.
    full_well : float
        Electrons at which a pixel is full.
    bits : int
        Depth of the converter, up to 16.

    Returns
    -------
    ndarray
        ``round(min(Poisson(e), full well) + N(0, read noise)) / gain + offset)``, clipped to the
        converter's range; uint8 up to 8 bits, else uint16.
    """
    collected = np.minimum(rng.poisson(electrons), full_well).astype(np.float32)
    collected += read_noise * rng.standard_normal(collected.shape, dtype=np.float32)
    adu = np.clip(np.rint(collected / gain + offset), 0, 2**bits - 1)
    return adu.astype(np.uint8 if bits <= 8 else np.uint16)


def expose(light: NDArray[Any], rng: np.random.Generator) -> NDArray[Any]:
    """One uint16 exposure by the camera of the suites: gain 1, and the constants above."""
    return camera(light, rng, read_noise=READ_NOISE, offset=OFFSET, full_well=60_000)


def star_field(
    side: int, fluxes: tuple[float, float], rng: np.random.Generator, sky: float = SKY_ELECTRONS
) -> StarField:
    """Stars on a jittered grid, so that each can be measured by itself.

    Parameters
    ----------
    side : int
        Pixels of the square field.
    fluxes : (float, float)
        Faintest and brightest star in electrons; even in the logarithm between.
    rng : numpy.random.Generator
    sky : float
        Electrons of the background.
    """
    places = np.arange(STAR_SPACING, side - STAR_SPACING // 2, STAR_SPACING, dtype=float)
    rows, columns = (axis.ravel() for axis in np.meshgrid(places, places, indexing="ij"))
    rows, columns = (axis + rng.uniform(-3, 3, axis.size) for axis in (rows, columns))
    faintest, brightest = np.log(fluxes)
    counts = np.exp(rng.permutation(np.linspace(float(faintest), float(brightest), rows.size)))
    light = np.full((side, side), sky)
    for row, column, flux in zip(rows, columns, counts, strict=True):
        add_star(light, row, column, flux)
    return StarField(light, rows, columns, counts)


def disc_field(
    side: int, contrast: float, radius: float = 6.0, sky: float = SKY_ELECTRONS
) -> tuple[NDArray[np.float64], NDArray[np.bool_], NDArray[np.bool_]]:
    """Faint discs on a flat background beside bright stars that set the white level.

    Returns
    -------
    light : ndarray, (Y, X)
        In electrons.
    inside, background : ndarray of bool, (Y, X)
        The discs, and what is far from discs and stars.
    """
    light = np.full((side, side), sky)
    y, x = np.mgrid[:side, :side]
    distance = np.hypot(y % 32 - 16, x % 32 - 16)
    bright = (y // 32 + x // 32) % 3 == 0
    light[(distance <= radius) & ~bright] += contrast
    for row in range(16, side, 32):
        for column in range(16, side, 32):
            if bright[row, column]:
                add_star(light, row, column, 2e5)
    return light, (distance <= radius) & ~bright, (distance > radius + 2) & ~bright


def star_light(shape: tuple[int, int], rng: np.random.Generator) -> NDArray[np.float32]:
    """Electrons of a star field with a galaxy and a sky gradient: 900 stars, a power law."""
    height, width = shape
    y, x = np.mgrid[:height, :width].astype(np.float32)
    sky = 40 + 25 * x / width + 15 * y / height
    u, v = (x - 0.62 * width) + 0.5 * (y - 0.45 * height), (y - 0.45 * height) * 1.6
    sky += 220 * np.exp(-np.hypot(u, v) / 22)
    fluxes = 60 * (1 - rng.random(900)) ** -1.25  # cumulative counts fall with flux^-0.8
    for flux in np.minimum(fluxes, 1.2e6):
        add_star(sky, rng.uniform(0, height), rng.uniform(0, width), flux)
    return sky.astype(np.float32)


def peak_of(flux: float, beta: float = 3.0) -> float:
    """Electrons in the middle of a star of `flux`, see `add_star`."""
    width = FWHM / 2 / np.sqrt(2 ** (1 / beta) - 1)
    return float(flux * (beta - 1) / (np.pi * width**2))


def add_star(
    image: NDArray[Any], row: float, column: float, flux: float, beta: float = 3.0
) -> None:
    """Add one Moffat profile of FWHM 3 pixels, cut where it is far below the noise."""
    width = FWHM / 2 / np.sqrt(2 ** (1 / beta) - 1)
    peak = peak_of(flux, beta)
    reach = int(np.clip(width * (peak / 0.5) ** (1 / (2 * beta)), 4, 80))
    top, left = max(int(row) - reach, 0), max(int(column) - reach, 0)
    part = image[top : int(row) + reach + 1, left : int(column) + reach + 1]
    y, x = np.ogrid[top : top + part.shape[0], left : left + part.shape[1]]
    part += (peak * (1 + ((y - row) ** 2 + (x - column) ** 2) / width**2) ** -beta).astype(
        image.dtype
    )
