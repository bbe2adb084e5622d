"""Zarr out, block by block: results of any size in little memory, taken up again after a kill."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..io.metadata import FileRecord, Picture
from ..io.zarr_writer import Target, Written, write_steps
from ..preprocessing.levels import Levels, network_input, normalized
from ..preprocessing.tiling import widen
from .enhance import Plan, make_plan
from .estimate import Estimate, Result, check_strength, in_input_dtype, restore
from .lazy import as_dask, is_lazy
from .shared_illumination import brightest, survey_together


def enhance_to_zarr(
    picture: Picture,
    path: Path,
    illumination: Path | None = None,
    *,
    dtype: str = "same",
    strength: float = 1.0,
    source: str = "",
    axis: int | None = None,
    **options: Any,
) -> Generator[Written, None, None]:
    """Enhance an image into a Zarr, and its illumination into another, yielding after each block.

    Parameters
    ----------
    picture : Picture
        Its pixels may be lazy.
    path, illumination : Path
        Zarrs to write.
    dtype : {"same", "float32"}
        Of the reflectance.
    strength : float
        0..1.
    source : str
        What the pixels were read from: a run killed on the same is taken up again.
    axis : int, optional
        Of channels that share an illumination, see `jointly`.
    **options
        As of `inference.make_plan`.
    """
    check_strength(strength)
    image, rgb = picture.pixels, picture.rgb
    image = as_dask(image) if is_lazy(image) else image
    plan = (
        make_plan(image, rgb=rgb, **options) if axis is None else joint_plan(image, axis, **options)
    )
    targets = find_targets(picture, plan, path, illumination, dtype, strength)
    enhancer = Enhancer(image, plan, dtype, strength, len(targets), axis)
    yield from write_steps(targets, enhancer, source)


def find_targets(
    picture: Picture,
    plan: Plan,
    path: Path,
    illumination: Path | None,
    dtype: str,
    strength: float,
) -> list[Target]:
    """What the Zarrs of a result are to be; the parameters are those of `enhance_to_zarr`."""
    shape, rgb, about = tuple(picture.pixels.shape), picture.rgb, picture.about
    record = {**plan.record, "strength": float(strength)}
    if about is not None:
        record["file"] = about.to_dict()
    if path.name.lower().endswith(".ome.zarr") and about is not None and about.plain:
        about = FileRecord(about.axes)
    if dtype != "same" and about is not None:
        about = replace(about, windows=())  # those are on the scale of the input
    kind = np.dtype(plan.levels.dtype if dtype == "same" else "float32")
    targets = [Target(path, shape, kind, rgb, record, about)]
    if illumination is not None:
        shape = (*shape[:-1], 3)[: None if plan.per else -1] if rgb else shape
        light = normalized(np.empty(0, picture.pixels.dtype), plan.levels).dtype
        about = replace(about, windows=()) if about is not None else None
        targets.append(Target(illumination, shape, light, plan.per, record, about))
    return targets


@dataclass(frozen=True)
class Enhancer:
    """From a place in an image to its blocks of a result: reflectance, and illumination if asked.

    `parts` is 1 or 2; the rest is as in `enhance_to_zarr`.
    """

    image: Any
    plan: Plan
    dtype: str
    strength: float
    parts: int
    axis: int | None = None

    def __call__(
        self, index: tuple[int, ...], rows: slice, columns: slice
    ) -> tuple[NDArray[Any], ...]:
        """The blocks of a part of one plane."""
        estimate = estimate_part(self.image, self.plan, index, rows, columns, self.axis)
        if self.parts == 1:
            r = estimate.reflectance(self.strength)
            result = Result(r, estimate.illumination, self.plan.levels, {})
        else:
            result = estimate.result(self.strength)
        pixels = in_input_dtype(result) if self.dtype == "same" else result.reflectance
        return (pixels, result.illumination)[: self.parts]


def restore_to_zarr(
    r: Picture, light: Picture, levels: Levels, path: Path, about: FileRecord | None
) -> Generator[Written, None, None]:
    """Restore a pair into a Zarr, yielding after each block."""
    target = Target(path, tuple(r.pixels.shape), np.dtype(levels.dtype), r.rgb, None, about)

    def block_of(*place: Any) -> tuple[NDArray[Any], ...]:
        index, *part = place
        a, b = (np.asarray(p.pixels[(*index, *part)]) for p in (r, light))
        return (restore(a, b, levels),)

    return write_steps([target], block_of)


def joint_plan(
    image: Any,
    axis: int,
    model: Any = "auto",
    *,
    black: float | None = None,
    white: float | None = None,
    channels: str = "auto",
    **options: Any,
) -> Plan:
    """The plan for channels along an axis, which share an illumination."""
    known = survey_together([image], axis=axis, black=black, white=white)
    seen = brightest([image], known.levels, axis)
    plan = make_plan(seen, model, rgb=False, channels=channels, known=known.brightest, **options)
    levels = known.levels[0]
    record = {**plan.record, "levels": vars(levels), "channel_axis": axis}
    return plan._replace(levels=levels, darkest=0.0, record=record)


def estimate_part(
    image: Any,
    plan: Plan,
    index: tuple[int, ...],
    rows: slice,
    columns: slice,
    axis: int | None = None,
) -> Estimate:
    """The `Estimate` of a part of one plane, as it is in the estimate of the whole."""
    halo = plan.network.radius
    at = len(index)
    (top, bottom), (left, right) = (
        widen(part.start, part.stop, length, halo, plan.network.grid)
        for part, length in zip((rows, columns), image.shape[at : at + 2], strict=True)
    )
    place = slice(top, bottom), slice(left, right)
    if axis is None:
        pixels = np.asarray(image[(*index, *place)])
        x = network_input(normalized(pixels[..., :3] if plan.rgb else pixels, plan.levels))
    else:
        channels = np.asarray(image[(*index[:axis], slice(None), *index[axis + 1 :], *place)])
        pixels = channels[index[axis]]
        x = brightest([channels], [plan.levels], 0)
    raw = plan.light(x.max(axis=-1) if plan.rgb and not plan.per else x)
    inner = (
        slice(rows.start - top, rows.stop - top),
        slice(columns.start - left, columns.stop - left),
    )
    return Estimate(pixels[inner], raw[inner], plan.levels, plan.rgb, plan.darkest, plan.record)
