"""Photographs under difficult light, of known truth: backlight, a window, a lamp, coloured light.

Well-lit photographs (scikit-image's) are brought to linear light, lit anew, exposed with noise and
developed to 8 bits. What is asked for is what a photographer asks: that the dark part can be
seen, that the bright part keeps its contrast, that no colour turns into another.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from .metrics import Image

GAMMA = 2.2  # of the development
WELL = 20_000  # electrons of white
DARK = 0.02  # mean stored value of what lies in the dark
DIM = 0.04  # the same of a scene that is dark as a whole
SHARES = (0.0, 0.1, 0.2, 0.3, 0.4)  # of a backlit frame, that are bright
SKY = 0.65  # mean stored value of the bright part
WINDOW = 196 / 255  # the brightest value in a window of middle tones
LIGHTS = {
    "red": (1.0, 0.3, 0.2),
    "amber": (1.0, 0.6, 0.2),
    "green": (0.3, 1.0, 0.35),
    "blue": (0.25, 0.4, 1.0),
}
SIZE = (300, 400)

Mask = NDArray[np.bool_]


class Scene(NamedTuple):
    """A frame as it was recorded, and the part of it that is asked about.

    Attributes
    ----------
    image : ndarray, (H, W, 3)
        8-bit values in 0..1.
    part : ndarray of bool, (H, W)
    """

    image: Image
    part: Mask


def well_lit() -> dict[str, Image]:
    """Photographs that need nothing, in 0..1."""
    from skimage import data

    shown = {name: getattr(data, name)() for name in ("astronaut", "chelsea", "coffee")}
    return {name: x[: SIZE[0], : SIZE[1]] / np.float32(255) for name, x in shown.items()}


def backlit(photograph: Image, share: float, rng: np.random.Generator) -> Scene:
    """The upper part of the frame as bright as a sky, the rest dark."""
    bright = np.zeros(photograph.shape[:2], bool)
    bright[: round(share * len(bright))] = True
    light = _dimmed(photograph, ~bright, DARK)
    if bright.any():
        light = np.where(bright[..., None], _dimmed(photograph[::-1], bright, SKY), light)
    return Scene(_exposed(light, rng), ~bright)


def with_window(photograph: Image, view: Image, rng: np.random.Generator) -> Scene:
    """A dark room, and a window of middle tones in it; asked about is the window."""
    height, width = photograph.shape[:2]
    pane = np.zeros((height, width), bool)
    pane[height // 6 : height // 2, width // 2 : width // 2 + width // 3] = True
    top = float(view[pane].max())
    light = np.minimum((view * WINDOW / top) ** GAMMA, WINDOW**GAMMA)
    dark = _dimmed(photograph, ~pane, DARK)
    return Scene(_exposed(np.where(pane[..., None], light, dark), rng), pane)


def at_lamp(radius: int = 12, wall: float = 0.08) -> tuple[Scene, Mask]:
    """A lamp before an even wall without noise; asked about is a ring around it. And the wall."""
    height, width = SIZE
    rows, columns = np.mgrid[:height, :width]
    away = np.hypot(rows - height // 2, columns - width // 2)
    image = np.full((height, width, 3), np.rint(255 * wall) / 255, np.float32)
    image[away <= radius] = 1
    return Scene(image, (away > radius + 1) & (away <= 2 * radius)), away > 8 * radius


def evenly_dark(photograph: Image, mean: float, rng: np.random.Generator) -> Image:
    """A scene that is dark as a whole."""
    return _exposed(_dimmed(photograph, np.ones(photograph.shape[:2], bool), mean), rng)


def lamp_in_room(photograph: Image, rng: np.random.Generator, radius: int = 10) -> Image:
    """A dark room with a lamp in it, whose light falls off with the square of the distance."""
    height, width = photograph.shape[:2]
    rows, columns = np.mgrid[:height, :width]
    away = np.hypot(rows - height / 4, columns - width / 3)
    light = _dimmed(photograph, np.ones((height, width), bool), DIM)
    falling = 1 + 30 * np.minimum(radius / np.maximum(away, 1), 1) ** 2
    light = np.minimum(light * falling[..., None], 1)
    light[away <= radius] = 1
    return _exposed(light, rng)


def coloured(photograph: Image, light: str, rng: np.random.Generator) -> Scene:
    """A scene in the light of a colour; asked about is all of it."""
    tinted = photograph**GAMMA * np.array(LIGHTS[light])
    everywhere = np.ones(photograph.shape[:2], bool)
    return Scene(evenly_dark(tinted ** (1 / GAMMA), DIM, rng), everywhere)


def _dimmed(photograph: Image, part: Mask, mean: float) -> Image:
    """Linear light whose part has a mean of stored values; what is beyond white is clipped."""
    light = photograph.astype(np.float64) ** GAMMA

    def stored(gain: float) -> float:
        return float(np.mean(np.minimum(gain * light[part], 1) ** (1 / GAMMA)))

    low, high = 0.0, 64.0
    for _ in range(40):
        gain = (low + high) / 2
        low, high = (gain, high) if stored(gain) < mean else (low, gain)
    return np.asarray(np.minimum(low * light, 1))


def _exposed(light: Image, rng: np.random.Generator) -> Image:
    """Recorded with the noise of photons, and developed to 8 bits."""
    recorded = np.clip(rng.poisson(WELL * light) / WELL, 0, 1) ** (1 / GAMMA)
    return (np.rint(255 * recorded) / 255).astype(np.float32)
