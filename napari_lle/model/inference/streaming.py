"""Zarr out, block by block: results of any size in little memory, taken up again after a kill."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass, replace
from hashlib import blake2b
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..io.digests import digest_steps
from ..io.metadata import FileRecord, Picture
from ..io.provenance import INPUT, SOURCE, Activity, Document
from ..io.roles import ROLE, named
from ..io.zarr_writer import Target, write_steps
from ..preprocessing.levels import AnyLevels, working_dtype
from ..preprocessing.tiling import widen
from ..progress import Progress, Steps
from .estimate import Estimate, Result, check_strength
from .lazy_arrays import as_dask, is_lazy
from .options import DEFAULTS, EnhanceOptions
from .plan import Plan, make_plan
from .restoring import in_input_dtype, restore
from .shared_illumination import brightest
from .survey import Survey


@dataclass(frozen=True)
class ZarrOutput:
    """What is written of a run, and where.

    Attributes
    ----------
    path, illumination : Path
        Zarrs to write; the illumination only where it is asked for.
    dtype : {"same", "float32"}
        Of the reflectance.
    strength : float
        0..1.
    source : str
        What the pixels were read from: a run killed on the same is taken up again.
    label : str
        The same for people.
    """

    path: Path
    illumination: Path | None = None
    dtype: str = "same"
    strength: float = 1.0
    source: str = ""
    label: str = ""

    def __post_init__(self) -> None:
        check_strength(self.strength)

    @property
    def paths(self) -> list[Path]:
        """One or two."""
        return [self.path] if self.illumination is None else [self.path, self.illumination]


def enhance_to_zarr(
    picture: Picture,
    output: ZarrOutput,
    options: EnhanceOptions = DEFAULTS,
    known: Survey | None = None,
) -> Generator[Progress, None, None]:
    """Enhance a picture, whose pixels may be lazy, into Zarrs, yielding after each block."""
    image = as_dask(picture.pixels) if is_lazy(picture.pixels) else picture.pixels
    plan = make_plan(image, replace(options, rgb=picture.rgb), known)
    enhancer = Enhancer(image, plan, output)
    reading = Steps(digest_steps(image))
    for _ in reading:
        yield Progress(0, 1)
    targets = zarr_targets(picture, plan, output, reading.answer)
    yield from write_steps(targets, enhancer, output.source)


def zarr_targets(
    picture: Picture, plan: Plan, output: ZarrOutput, digest: str = ""
) -> list[Target]:
    """What the Zarrs of a result are to be; the digest is the picture's, where it is known."""
    shape, rgb, about = tuple(picture.pixels.shape), picture.rgb, picture.about
    record = {**plan.record, "strength": float(output.strength)}
    if about is not None:
        record["file"] = about.to_dict()
    if output.label:
        record[SOURCE] = output.label
    if output.source:  # of the file: the pixels are only read as they are needed
        record["input"] = blake2b(output.source.encode()).hexdigest()[:16]
    if output.path.name.lower().endswith(".ome.zarr") and about is not None and about.plain:
        about = FileRecord(about.axes)
    if output.dtype != "same" and about is not None:
        about = replace(about, windows=())  # those are on the scale of the input
    kind = np.dtype(plan.levels.dtype if output.dtype == "same" else "float32")
    targets = [Target(output.path, shape, kind, rgb, {**record, ROLE: "R"}, about)]
    if output.illumination is not None:
        shape = (*shape[:-1], 3)[: None if plan.per else -1] if rgb else shape
        light = working_dtype(plan.levels)
        about = replace(about, windows=(), segmentations=None) if about is not None else None
        part = {**record, ROLE: "L"}
        targets.append(Target(output.illumination, shape, light, plan.per, part, about))
    return [_with_record(target, digest, picture.provenance) for target in targets]


def _with_record(target: Target, digest: str, earlier: Document | None) -> Target:
    """A Zarr of a result whose name says what it is, and that will tell how it came about."""
    record = target.record or {}
    about = target.about and named(target.about, record)
    step = Activity.of_record({**record, INPUT: digest}, [earlier])
    return target._replace(about=about, step=step)


@dataclass(frozen=True)
class Enhancer:
    """From a place in an image to its blocks of a result: reflectance, illumination if asked."""

    image: Any
    plan: Plan
    output: ZarrOutput

    def __call__(
        self, index: tuple[int, ...], rows: slice, columns: slice
    ) -> tuple[NDArray[Any], ...]:
        """The blocks of a part of one plane."""
        estimate = estimate_part(self.image, self.plan, (*index, rows, columns))
        strength, parts = self.output.strength, len(self.output.paths)
        if parts == 1:
            r = estimate.reflectance(strength)
            result = Result(r, estimate.illumination, estimate.levels, {})
        else:
            result = estimate.result(strength)
        pixels = in_input_dtype(result) if self.output.dtype == "same" else result.reflectance
        return (pixels, result.illumination)[:parts]


def restore_to_zarr(
    r: Picture,
    light: Picture,
    levels: AnyLevels,
    path: Path,
    about: FileRecord | None,
    step: Activity | None = None,
) -> Generator[Progress, None, None]:
    """Restore a pair into a Zarr, yielding after each block."""
    target = Target(path, tuple(r.pixels.shape), np.dtype(levels.dtype), r.rgb, None, about, step)

    def block_of(*place: Any) -> tuple[NDArray[Any], ...]:
        index, *part = place
        a, b = (np.asarray(p.pixels[(*index, *part)]) for p in (r, light))
        return (restore(a, b, levels.plane(index)),)

    return write_steps([target], block_of)


def estimate_part(image: Any, plan: Plan, place: tuple[Any, ...]) -> Estimate:
    """The `Estimate` of a part of one plane, as it is in the estimate of the whole.

    Parameters
    ----------
    image : array
    plan : Plan
    place : tuple
        Indices of the plane, then slices of rows and columns.
    """
    *index, rows, columns = place
    at, axis = len(index), plan.options.channel_axis
    (top, bottom), (left, right) = (
        widen(part.start, part.stop, length, plan.network.radius, plan.network.grid)
        for part, length in zip((rows, columns), image.shape[at : at + 2], strict=True)
    )
    outer = slice(top, bottom), slice(left, right)
    if axis is None:
        pixels = np.asarray(image[(*index, *outer)])
        x = plan.see(pixels)
    else:
        channels = np.asarray(image[(*index[:axis], slice(None), *index[axis + 1 :], *outer)])
        pixels = channels[index[axis]]
        x = brightest([channels], [plan.levels], 0)
    inner = (
        slice(rows.start - top, rows.stop - top),
        slice(columns.start - left, columns.stop - left),
    )
    raw = plan.light(x)[inner]
    levels = plan.levels.plane(tuple(index))
    return Estimate(pixels[inner], raw, levels, plan.rgb, plan.darkest, plan.record, plan.bounded)
