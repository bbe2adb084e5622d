"""A part of a layer estimated as it is in the whole: what a preview shows."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import replace
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from ...model.progress import Progress
from ..shared.layers import Region, pixels
from .background import surveyed
from .blank import looked_at
from .blending import Blend, retoned
from .shown_range import ShownRange, limits_of
from .subject import Subject

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ...model.inference.estimate import Estimate
    from ...model.inference.options import EnhanceOptions
    from ...model.inference.survey import Survey


class PreviewPart(NamedTuple):
    """An estimated region with the margin that the network looked at, and what the whole told.

    `at` is the index of the channel in view where channels share an illumination.
    """

    estimate: Estimate
    inner: tuple[slice, slice]
    survey: Survey
    seen: ShownRange
    at: tuple[int, ...] = ()

    def plane(self, blend: Blend) -> NDArray[np.float32]:
        """The region itself."""
        plane: NDArray[np.float32] = self.toned(blend).plane(self.at, blend.strength)
        return plane[self.inner]

    def limits(self, blend: Blend) -> tuple[float, float]:
        """Between which values it is shown."""
        return limits_of(self.seen, self.toned(blend), blend.strength)

    def toned(self, blend: Blend) -> Any:
        """The estimate in the tone of a blend."""
        return retoned(self.estimate, blend)


def preview_steps(
    subject: Subject, region: Region, known: Survey | None
) -> Generator[Progress, None, PreviewPart]:
    """Estimate a region as a part of the whole: the whole's levels, and its pixels around."""
    from ...model.inference.enhance import scene_steps
    from ...model.inference.settling import choose_model

    yield Progress(0, 1)  # a newer wish may have come already
    whole, options, known = _whole(subject, known)
    alone = len(whole) == 1 and options.channel_axis is None
    model = choose_model(options.model, bool(options.rgb), known.levels.dtype, alone=alone)
    place, inner = _outer(region, model.source, whole[0].shape)
    plane: list[Any] = list(region.plane)
    at: tuple[int, ...] = ()
    axis = options.channel_axis
    if axis is not None:  # all channels are looked at, one is shown
        at, plane[axis], axis = (plane[axis],), slice(None), 0
    parts = [np.asarray(data[(*plane, *place)]) for data in whole]
    estimate, *_ = yield from scene_steps(
        parts, replace(options, model=model, channel_axis=axis), known
    )
    return PreviewPart(estimate, inner, known, ShownRange.of(estimate), at)


def _whole(subject: Subject, known: Survey | None) -> tuple[list[Any], EnhanceOptions, Survey]:
    """What is looked at of the layers that are shown, options for it, and what is found of it."""
    from ...model.inference.alike import common_survey
    from ...model.inference.plan import survey

    options, whole = subject.options, [pixels(layer) for layer in subject.layers]
    if known is None:
        _held = looked_at([layer.name for layer in subject.layers], whole, options)
    if subject.background:
        flat, options, known = surveyed(subject.layers[0], subject.background, options, known)
        return [flat], options, known
    known = known or (common_survey if subject.alike else survey)(whole, options)
    return whole[:1] if subject.alike else whole, options, known


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
