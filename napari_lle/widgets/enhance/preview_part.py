"""A part of a layer estimated as it is in the whole: what a preview shows."""

from __future__ import annotations

from collections.abc import Generator
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from ..shared.layers import Region, pixels
from .blending import Options
from .subject import Subject

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ...model.inference.enhance import Progress
    from ...model.inference.estimate import Estimate


class Part(NamedTuple):
    """An estimated region with the margin that the network looked at, and what the whole told.

    `survey` is an `inference.Survey`, or a `jointly.Together` where channels share an
    illumination; `at` is the index of the channel in view then.
    """

    estimate: Estimate
    inner: tuple[slice, slice]
    survey: Any
    at: tuple[int, ...] = ()

    def plane(self, strength: float) -> NDArray[np.float32]:
        """The region itself at a strength."""
        return self.estimate.plane(self.at, strength)[self.inner]


def preview_steps(
    subject: Subject, region: Region, options: Options, known: Any
) -> Generator[Progress, None, Part]:
    """Estimate a region as a part of the whole: the whole's levels, and its pixels around."""
    from ...model.inference.enhance import Progress, choose_model, estimate_steps, survey

    yield Progress(0, 1)  # a newer wish may have come already
    if not subject.single:
        part = yield from _shared_steps(subject, region, options, known)
        return part
    rgb = bool(subject.layers[0].rgb)
    data = pixels(subject.layers[0])
    if known is None:
        known = survey(
            data, channels=options.channels, black=options.black, white=options.white, rgb=rgb
        )
    model = choose_model(options.model, rgb, known.levels.dtype)
    place, inner = _outer(region, model.network, data.shape)
    estimate = yield from estimate_steps(
        np.asarray(data[(*region.plane, *place)]),
        model,
        channels=options.channels,
        device=options.device,
        rgb=rgb,
        known=known,
    )
    return Part(estimate, inner, known)


def _shared_steps(
    subject: Subject, region: Region, options: Options, known: Any
) -> Generator[Progress, None, Part]:
    """The same, where channels share the illumination: all of them are looked at."""
    from ...model.inference.enhance import choose_model
    from ...model.inference.shared_illumination import joint_steps, survey_together

    whole = [pixels(layer) for layer in subject.layers]
    if known is None:
        black, white = zip(*subject.levels, strict=True)
        known = survey_together(whole, axis=subject.axis, black=black, white=white)
    model = choose_model(options.model, False, "float32")
    place, inner = _outer(region, model.network, whole[0].shape)
    plane: list[Any] = list(region.plane)
    index: tuple[int, ...] = ()
    if subject.axis is not None:
        index = (plane[subject.axis],)
        plane[subject.axis] = slice(None)
    parts = [np.asarray(data[(*plane, *place)]) for data in whole]
    axis = 0 if index else None
    steps = joint_steps(parts, model, axis=axis, known=known, device=options.device)
    estimate, *_ = yield from steps
    return Part(estimate, inner, known, index)


def _outer(
    region: Region, network: Any, shape: tuple[int, ...]
) -> tuple[tuple[slice, slice], tuple[slice, slice]]:
    """Rows and columns with the margin that the network looks at, and the region among them."""
    margin, grid = (network.radius, network.grid) if region.step == 1 else (0, 1)
    at = len(region.plane)
    rows, inner_rows = _margin(region.rows, margin, grid, region.step, shape[at])
    columns, inner_columns = _margin(region.columns, margin, grid, region.step, shape[at + 1])
    return (rows, columns), (inner_rows, inner_columns)


def _margin(
    span: tuple[int, int], margin: int, grid: int, step: int, length: int
) -> tuple[slice, slice]:
    """Outer indices with a margin inside the image, and where the span lies among them."""
    from ...model.preprocessing.tiling import widen

    first, last = widen(*span, length, margin, grid)
    count = len(range(span[0], span[1], step))
    return slice(first, last, step), slice(span[0] - first, span[0] - first + count)
