"""What is written of an image of a run beside its pixels: its role, its record, its history."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ..model.io.metadata import Output, Picture

ROLE, INPUT = "role", "input"  # in a file's record: what it is of its run, and of which pixels
NAMES = {
    "R": "reflectance, for looking",
    "L": "illumination",
    "changed": "R less the plain stretch, in units of its noise",
    "background-image": "background that was taken out",
    "uncertainty": "half width of the 95 % interval of R",
}


def as_output(
    what: str, picture: Picture, pixels: Any, rgb: bool, record: dict[str, Any], dtype: str
) -> Output:
    """Pixels of a role with their record and history."""
    from ..model.io.files import Output

    about = picture.about
    told = {**record, ROLE: what, **({"file": about.to_dict()} if about else {})}
    if dtype != "same" and about:
        about = replace(about, windows=())  # those are on the scale of the input
    return Output(pixels, rgb, told, about, _history(what, record))


def pixel_digest(pixels: Any) -> str:
    """First 16 hexadecimal digits of a hash of an image's values."""
    import hashlib

    import numpy as np

    return hashlib.blake2b(np.ascontiguousarray(pixels).data).hexdigest()[:16]


def file_identity(source: Path, picture: Any) -> str:
    """Another text where a file has changed, or another of its images is meant."""
    status = source.stat()
    return f"{source.resolve()} {status.st_mtime_ns} {status.st_size} {picture.number}"


def _history(what: str, record: dict[str, Any]) -> str:
    from ..model.preprocessing.normalizing import level_words, recorded_levels

    levels = level_words(recorded_levels(record["levels"]))
    name = NAMES[what]
    return (
        f"napari-lle {record['napari_lle']}: {name}; model {record['model']}, {levels}, "
        f"strength {record['strength']:g}"
    )
