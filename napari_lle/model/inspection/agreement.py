"""Whether one stage is enough: how far apart the results of the stages are, as far as is seen.

L alone does not tell: where it is small, R = S / L turns a difference that is smaller still into
one that meets the eye. So R is compared, in the range that it is shown in.
"""

from __future__ import annotations

from collections.abc import Generator, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from ..progress import Progress, finish

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from .trace import Trace
    from .unrolled import Window

GREY_LEVEL = 1 / 255  # of the range: the least that a screen shows
EQUAL = 1e-3  # of the range: a quarter of that
SILENT = 1e-4  # of what is added to S, whose white is 1
PERCENTILE = 99.9  # of R: the end of its range where it has none of its own
COMPARED_VALUES = 200_000  # values that it is taken from
BRIGHTEST_PHOTOGRAPH = 1.5  # up to which R in colour is that of a photograph, whose white is 1


class Agreement(NamedTuple):
    """How far the stages agree on a plane.

    Attributes
    ----------
    most : float
        Largest difference of R between a stage and the first, as a share of R's range.
    share : float
        Of the pixels, that differ by more than `GREY_LEVEL`.
    added : float
        The most that the auxiliary block adds to what the next stage sees.
    """

    most: float
    share: float
    added: float

    @property
    def silent(self) -> bool:
        """The stages are equal, and because the auxiliary block says nothing."""
        return self.most < EQUAL and self.added < SILENT


def compare_stages(trace: Trace) -> Agreement:
    """Compare R of all stages with that of the first."""
    results = trace["R"]
    high = display_limit(results)
    first, away = _within_range(results[0], high), np.zeros(results.shape[1:3], np.float32)
    for result in results[1:]:
        apart = np.abs(_within_range(result, high) - first)
        np.maximum(away, apart.max(axis=-1) if apart.ndim == 3 else apart, out=away)
    seen = np.mean(away > GREY_LEVEL, dtype=np.float64)
    return Agreement(float(away.max()), float(seen), float(np.abs(trace["E"]).max()))


def display_limit(results: NDArray[np.float32]) -> float:
    """Where the range that R is shown in ends; it begins at 0.

    Parameters
    ----------
    results : ndarray, (T, Y, X) or (T, Y, X, 3)
    """
    flat = results.ravel()
    flat = flat[:: max(1, flat.size // COMPARED_VALUES)]
    flat = np.abs(flat[np.isfinite(flat)])
    high = float(np.percentile(flat, PERCENTILE)) if flat.size else 0.0
    return 1.0 if results.ndim == 4 and high <= BRIGHTEST_PHOTOGRAPH else max(high, 1e-6)


def most_different(
    image: Any,
    models: Sequence[str],
    index: tuple[int, ...],
    part: Window,
    *,
    rgb: bool,
    device: str = "auto",
) -> Generator[Progress, None, tuple[str, float] | None]:
    """The model whose stages differ most on a part of an image, and by how much.

    Parameters
    ----------
    image : array_like
    models : sequence of str
        Names or files.
    index : tuple of int
        Of the plane.
    part : pairs of first and one past the last row, and column
    rgb : bool
    device : str

    Returns
    -------
    (str, float) or None
        `Agreement.most`; None if the stages of all of them are as good as equal.
    """
    from .api import stages

    found: dict[str, float] = {}
    for done, name in enumerate(models):
        yield Progress(done, len(models))
        with suppress(ValueError):  # it is gone or damaged: no model to offer
            look = stages(image, name, count=2, device=device, rgb=rgb)
            trace = finish(look.steps(index, part))  # small enough to be one step
            found[name] = compare_stages(trace).most
    best = max(found, key=found.__getitem__, default="")
    return (best, found[best]) if best and found[best] >= EQUAL else None


def _within_range(values: NDArray[np.float32], high: float) -> NDArray[np.float32]:
    shown: NDArray[np.float32] = np.nan_to_num(np.clip(values / high, 0, 1), nan=0.0)
    return shown
