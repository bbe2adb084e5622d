"""``napari-lle info FILE`` of an image: what its pixels are, and how they came about."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from .console import drain, say

if TYPE_CHECKING:
    from ..model.io.metadata import Picture


def is_image_file(argument: str) -> bool:
    """Whether the argument of `info` is an image, not a model: by its name."""
    from ..model.io.files import SUFFIXES, suffix_of

    return suffix_of(Path(argument)) in SUFFIXES


def describe_images(path: Path) -> list[dict[str, Any]]:
    """Say what is known of each image of a file; return the same as plain values."""
    from ..model.io.files import read_image

    first = read_image(path, lazy=True)
    numbers = range(2, first.images + 1)
    pictures = [first, *(read_image(path, lazy=True, image=number) for number in numbers)]
    return [_image_facts(path, picture) for picture in pictures]


def _image_facts(path: Path, picture: Picture) -> dict[str, Any]:
    from ..model.io.digests import digest_steps
    from ..model.io.provenance import output_digest

    pixels = picture.pixels
    steps = digest_steps(pixels)
    digest = drain(steps, path.name, lambda p: f"{100 * p.done // max(p.total, 1)} %")
    written = output_digest(picture.provenance)
    unchanged = digest == written if digest and written else None
    number = f" image {picture.number} of {picture.images}" if picture.images > 1 else ""
    shape = " x ".join(map(str, pixels.shape))
    say(f"{path}{number}: {_kind_word(picture)}{pixels.dtype}, {shape}")
    for line in [*_lines(picture), *_on_digest(digest, unchanged)]:
        say(f"  {line}")
    return {
        "file": path.name,
        "image": picture.number,
        "dtype": str(pixels.dtype),
        "shape": list(pixels.shape),
        "digest": digest,
        "unchanged": unchanged,
        "record": picture.record,
        "provenance": picture.provenance,
    }


def _kind_word(picture: Picture) -> str:
    from ..model.io.roles import meaning_of

    return f"{meaning_of(picture.record)}; " if picture.record else ""


def _lines(picture: Picture) -> list[str]:
    """What the record and the provenance of an image say, for people."""
    from ..model.io.provenance import steps_of
    from ..model.io.roles import R_ROLE, ROLE, note_of

    record, told = picture.record or {}, []
    if record:
        told += [note_of(record)] if note_of(record) else []
        told += [_settings_words(record)] if "levels" in record else []
        if record.get(ROLE, R_ROLE) == R_ROLE:
            told += [
                "measured values: on the input, or by napari-lle restore with the illumination"
            ]
    for what, used, made in steps_of(picture.provenance or {}):
        told += [f"{what}: {', '.join(used)} -> {', '.join(made)}"]
    return told or ["no history: not written by napari-lle, or as a format that keeps none"]


def _settings_words(record: dict[str, Any]) -> str:
    from ..model.preprocessing.normalizing import level_words, recorded_levels

    look = [f"look {record['look']}"] if record.get("look") else []
    words = [f"model {record.get('model')}", *look, level_words(recorded_levels(record["levels"]))]
    words += [f"{name} {record[name]:g}" for name in ("strength", "brightness") if name in record]
    if "clipped" in record:
        below, above = (100 * record["clipped"][end] for end in ("below", "above"))
        words += [f"{below:.3g} % of the values below black, {above:.3g} % above white"]
    return ", ".join(words)


def _on_digest(digest: str, unchanged: bool | None) -> list[str]:
    told = {True: "as it was written", False: "changed since it was written", None: ""}[unchanged]
    return [f"{digest}{f', {told}' if told else ''}"] if digest else []
