"""Enhance an image without its smooth background, see `preprocessing.background`.

R is that of the flattened image; L is the measured image divided by R, so that the background is a
part of L, and `restore` gives the measured values.
"""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Literal, Unpack, get_args

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..network.checkpoint import Model
from ..preprocessing.background import Background, find_background
from ..preprocessing.levels import AnyLevels
from ..progress import Progress, finish
from ..runtime.choices import check_choice
from .enhance import estimate_steps
from .estimate import Estimate, Result, check_strength
from .lazy_arrays import is_lazy
from .looks import look_options
from .matching import looked, matching, survey_for, with_measured
from .options import DEFAULTS, EnhanceKeywords, EnhanceOptions
from .settling import settle

How = Literal["subtract", "divide"]
USUAL = 2  # degree


def enhance_flattened(
    image: ArrayLike,
    how: str = "subtract",
    background: int | Background = USUAL,
    *,
    model: str | Path | Model = "auto",
    strength: float = 1.0,
    **options: Unpack[EnhanceKeywords],
) -> Result:
    """Enhance an image without its smooth background; it can be restored as it was.

    Parameters
    ----------
    image : array_like, (..., Y, X) or (..., Y, X, 3 or 4)
        In memory. Each plane, and each colour, has a background of its own.
    how : {"subtract", "divide"}
        Of a glow that was added, or an uneven lighting that multiplied.
    background : int or Background
        The degree of the polynomial, or what `find_background` found.
    model, strength, **options
        As in `enhance`; black and white are those of the flattened image.

    Returns
    -------
    Result
        L has the input's shape, without alpha; the record tells ``background``.

    Raises
    ------
    ValueError
        If the background cannot be found or divided by.

    Examples
    --------
    >>> import numpy as np
    >>> from napari_lle.model import enhance_flattened, restore
    >>> glow = np.linspace(100, 300, 32) + np.random.default_rng(0).normal(0, 3, (32, 32))
    >>> field = glow.astype(np.uint16)
    >>> result = enhance_flattened(field, "subtract", 1)
    >>> bool((restore(result.reflectance, result.illumination, result.levels) == field).all())
    True
    """
    chosen = look_options(model=model, **options)
    return finish(flattened_steps(image, how, background, chosen, strength))


def flattened_steps(
    image: ArrayLike,
    how: str,
    background: int | Background = USUAL,
    options: EnhanceOptions = DEFAULTS,
    strength: float = 1.0,
) -> Generator[Progress, None, Result]:
    """`enhance_flattened`, yielding `Progress`."""
    check_strength(strength)
    estimate = yield from flat_steps(image, how, background, options)
    return estimate.result(strength)


@dataclass(frozen=True)
class Flattened:
    """R of a flattened image at any strength, and L of the measured one; as an `Estimate`.

    Attributes
    ----------
    image : ndarray
        As it was measured.
    flat : Estimate
        Of the image without its background.
    told : dict
        What the record is to tell of that.
    """

    image: Any
    flat: Estimate
    told: dict[str, Any]
    lazy: ClassVar[bool] = False
    joint: ClassVar[bool] = False  # L of the measured colours differs, even if one was found

    def __getattr__(self, name: str) -> Any:
        return getattr(self.flat, name)

    @property
    def record(self) -> dict[str, Any]:
        """How it was made."""
        return {**self.flat.record, **self.told}

    def plane(self, index: tuple[int, ...], strength: float = 1.0) -> NDArray[np.float32]:
        """One plane of R, (Y, X) or (Y, X, C)."""
        return looked(*self._pair(index, strength))

    glance = plane

    def plane_illumination(self, index: tuple[int, ...], strength: float = 1.0) -> NDArray[Any]:
        """What one plane of R times is the measured one, normalised."""
        return matching(*self._pair(index, strength))

    def result(self, strength: float = 1.0) -> Result:
        """R and L of the whole."""
        return with_measured(self.image, self.flat.result(strength), self.flat.rgb, self.told)

    def _pair(self, index: tuple[int, ...], strength: float) -> tuple[Any, Any, AnyLevels, bool]:
        r, levels = self.flat.plane(index, strength), self.flat.levels.plane(index)
        return np.asarray(self.image[index]), r, levels, self.flat.rgb


def flat_steps(
    image: ArrayLike,
    how: str,
    background: int | Background = USUAL,
    options: EnhanceOptions = DEFAULTS,
) -> Generator[Progress, None, Flattened]:
    """The estimate that `enhance_flattened` has its result of, yielding `Progress`."""
    check_choice("background", how, get_args(How))
    if is_lazy(image):
        raise ValueError("A background is only found for images in memory: read this one first.")
    data = np.asarray(image)
    options = settle([data], options)
    rgb = bool(options.rgb)
    yield Progress(0, 1, "Finding the background")
    if not isinstance(background, Background):
        background = find_background(data, background, rgb=rgb)
    flat = background.flatten(data, how)
    known = survey_for(flat, np.dtype(data.dtype), options)
    estimate = yield from estimate_steps(flat, options, known)
    return Flattened(data, estimate, {"background": {"how": how, **background.as_record()}})


def how_and_degree(text: str) -> tuple[str, int]:
    """What is done with a background, and its degree, of words such as ``divide`` or ``divide:3``.

    Raises
    ------
    ValueError
        If it says something else.
    """
    how, _, degree = text.partition(":")
    if how not in get_args(How) or (degree and not degree.isdigit()):
        raise ValueError(
            f"background must be subtract or divide, or for instance divide:3, not {text!r}."
        )
    return how, int(degree or USUAL)
