"""What is written of an image of a run beside its pixels: its role, its record, its history."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..model.io.provenance import INPUT
from ..model.io.roles import ROLE, ROLES

if TYPE_CHECKING:
    from ..model.io.metadata import Output, Picture


def as_output(
    what: str, picture: Picture, pixels: Any, rgb: bool, record: dict[str, Any], dtype: str
) -> Output:
    """Pixels of a role with their record and history."""
    from ..model.io.digests import pixel_digest
    from ..model.io.files import Output

    about = picture.about
    told = {**record, ROLE: what, **({"file": about.to_dict()} if about else {})}
    told.setdefault(INPUT, pixel_digest(picture.pixels))
    if dtype != "same" and about:
        about = replace(about, windows=())  # those are on the scale of the input
    return Output(pixels, rgb, told, about, _history(what, record), earlier=picture.provenance)


def file_identity(source: Path, picture: Any) -> str:
    """Another text where a file has changed, or another of its images is meant."""
    status = source.stat()
    return f"{source.resolve()} {status.st_mtime_ns} {status.st_size} {picture.number}"


def _history(what: str, record: dict[str, Any]) -> str:
    from ..model.preprocessing.normalizing import level_words, recorded_levels

    levels = level_words(recorded_levels(record["levels"]))
    name = ROLES[what].meaning
    return (
        f"napari-lle {record['napari_lle']}: {name}; model {record['model']}, {levels}, "
        f"strength {record['strength']:g}"
    )
