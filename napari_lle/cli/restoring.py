"""What the command `restore` does: a reflectance times its illumination, if they are of one run."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from ..model.io.provenance import Activity, Used, input_digest, output_digest
from ..model.io.roles import ROLE, meaning_of, unnamed
from .console import drain, say_which

if TYPE_CHECKING:
    from ..model.io.metadata import FileRecord, Picture
    from ..model.preprocessing.levels import AnyLevels


class Parts(NamedTuple):
    """A pair of one run: its levels, and what is told of the input."""

    r: Picture
    light: Picture
    levels: AnyLevels
    about: FileRecord | None


def restore_file(
    reflectance: Path, illumination: Path, output: Path, image: int | None = None
) -> str:
    """Multiply a pair of files into a third; return what it holds, for the user."""
    from ..model.io.files import check_format, is_zarr

    stream = is_zarr(output)
    found = _read_parts(reflectance, illumination, output, image)
    parts = [_matched(reflectance, r, illumination, light) for r, light in found]
    for part in parts:
        check_format(output, part.levels.dtype, part.r.pixels.ndim - part.r.rgb)
    steps = [_step(part, reflectance.name, illumination.name) for part in parts]
    if stream:
        rounded, exact = _restore_to_zarr(parts[0], output, steps[0])
    else:
        rounded, exact = _restore_in_memory(parts, output, steps, reflectance.name)
    told = ", ".join(
        f"{part.levels.dtype}, {' x '.join(map(str, part.r.pixels.shape))}" for part in parts
    )
    remarks = [(rounded, "values beyond 2^50 are rounded"), (exact, "the input bit for bit")]
    return "; ".join([f"{output}: {told}", *(remark for holds, remark in remarks if holds)])


def _read_parts(
    reflectance: Path, illumination: Path, output: Path, image: int | None
) -> list[tuple[Picture, Picture]]:
    """All images of both files, or those of one number where the output holds no more."""
    from ..model.io.files import holds_several, is_zarr, read_image, read_images

    if image is None and holds_several(output):
        all_r, all_l = read_images(reflectance), read_images(illumination)
        if len(all_r) != len(all_l):
            raise ValueError(
                f"{reflectance} and {illumination} do not come from the same run: "
                f"one holds {len(all_r)} images, the other {len(all_l)}."
            )
        return list(zip(all_r, all_l, strict=True))
    paths = (reflectance, illumination)
    r, light = (read_image(path, lazy=is_zarr(output), image=image or 1) for path in paths)
    if image is None:
        say_which(reflectance, r)
    return [(r, light)]


def _matched(reflectance: Path, r: Picture, illumination: Path, light: Picture) -> Parts:
    """A pair with what its record says; raise ValueError where it is none."""
    from ..model.io.metadata import FileRecord
    from ..model.preprocessing.normalizing import recorded_levels

    if not r.record or "levels" not in r.record:
        raise ValueError(f"{reflectance} was not written by napari-lle: its levels are unknown.")
    if r.pixels.dtype != "float32":
        raise ValueError(
            f"{reflectance} holds rounded {r.pixels.dtype}: enhance with --dtype float32."
        )
    _check_roles(reflectance, r, illumination, light)
    kept = r.record.get("file")
    about = FileRecord.from_dict(kept) if kept else r.about
    if about and r.about:
        about = replace(about, name=unnamed(about.name))
        about = replace(about, alpha=r.about.alpha, segmentations=r.about.segmentations)
    return Parts(r, light, recorded_levels(r.record["levels"]), about)


def _check_roles(reflectance: Path, r: Picture, illumination: Path, light: Picture) -> None:
    """Refuse what is not the reflectance and the illumination of one run on one input."""
    first, second = dict(r.record or {}), dict(light.record or {})
    # Files of older versions do not know which of the two they are.
    for path, record, role in ((reflectance, first, "R"), (illumination, second, "L")):
        is_it = record.pop(ROLE, role)
        if is_it != role:
            wanted = "the reflectance" if role == "R" else "the illumination"
            raise ValueError(
                f"{path} is not {wanted} of a run ({meaning_of({ROLE: is_it})}): "
                "give the reflectance first, then the illumination."
            )
    if first != second:
        raise ValueError(f"{reflectance} and {illumination} do not come from the same run.")


def _step(part: Parts, reflectance: str, illumination: str) -> Activity:
    """What is done with a pair, for the file that comes out of it."""
    r, light = (output_digest(picture.provenance) for picture in (part.r, part.light))
    used = Used(r, reflectance, "reflectance"), Used(light, illumination, "illumination")
    earlier = tuple(p.provenance for p in (part.r, part.light) if p.provenance)
    return Activity("restore", "image", used, earlier=earlier)


def _restore_to_zarr(part: Parts, output: Path, step: Activity) -> tuple[bool, bool]:
    """Restore into a Zarr, block by block; return whether values were rounded, and are exact."""
    from ..model.inference.streaming import restore_to_zarr
    from ..model.io.files import read_image

    steps = restore_to_zarr(part.r, part.light, part.levels, output, part.about, step)
    drain(steps, output.name, lambda p: f"{p.done}/{p.total} blocks")
    written = read_image(output, lazy=True)
    exact = _matches_digest(part, output_digest(written.provenance))
    if part.levels.dtype not in ("int64", "uint64", "float64"):
        return False, exact
    return _rounded(part, written.pixels), exact


def _restore_in_memory(
    parts: list[Parts], output: Path, steps: list[Activity], source: str
) -> tuple[bool, bool]:
    """Restore in memory; return whether values were rounded, and whether they are exact."""
    from ..model.inference.restoring import restore
    from ..model.io.digests import pixel_digest
    from ..model.io.files import Output, write_images
    from ..model.version import __version__

    history = f"napari-lle {__version__}: restored from {source}"
    images = []
    for (r, light, levels, about), step in zip(parts, steps, strict=True):
        pixels = restore(r.pixels, light.pixels, levels)
        images.append(Output(pixels, r.rgb, None, about, history, step))
    write_images(output, images)
    pairs = list(zip(parts, (image.pixels for image in images), strict=True))
    exact = all(_matches_digest(part, pixel_digest(pixels)) for part, pixels in pairs)
    return any(_rounded(part, pixels) for part, pixels in pairs), exact


def _matches_digest(part: Parts, digest: str) -> bool:
    """Whether restored pixels have the digest of those that were enhanced, where it is known."""
    return bool(digest) and digest == input_digest(part.r.provenance)


def _rounded(part: Parts, pixels: Any) -> bool:
    """Whether integers of 64 bits were too large to come back exactly."""
    import numpy as np

    from ..model.preprocessing.normalizing import EXACT, rounded

    if pixels.size == 0:
        return False
    if part.levels.dtype == "float64" and part.about and part.about.stored_bits == 64:
        return float(np.nanmax(abs(pixels))) > EXACT  # integers, some of which stand for none
    return rounded(part.levels, float(abs(pixels).max()))
