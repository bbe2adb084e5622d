"""The OME-XML of a TIFF, read and written."""

from __future__ import annotations

import json
import re
from contextlib import suppress
from typing import Any

from .metadata import FileRecord
from .roles import note_of
from .units import UNIT_SYMBOLS, long_unit, positive

NAMESPACE = "napari-lle"  # of our record among the annotations of an OME-TIFF
PROV = "http://www.w3.org/ns/prov#"  # of how an image came about
GIVEN_NAME = re.compile(r"Image\d*$|Series \d+$")  # by writers, for want of another


def parsed(file: Any) -> dict[str, Any]:
    """The OME-XML of a file; nothing where it is not well-formed, for the pixels may be."""
    import tifffile

    if not file.is_ome:
        return {}
    with suppress(Exception):
        return tifffile.xml2dict(file.ome_metadata).get("OME") or {}
    return {}


def image_annotation(
    ome: dict[str, Any], place: int, namespace: str = NAMESPACE
) -> dict[str, Any] | None:
    """Our record of the result that one image is, or its provenance."""
    images = _as_list(ome.get("Image"))
    image = images[place] if place < len(images) and isinstance(images[place], dict) else {}
    own = {r.get("ID") for r in _as_list(image.get("AnnotationRef")) if isinstance(r, dict)}
    annotations = ome.get("StructuredAnnotations")
    comments = annotations.get("CommentAnnotation") if isinstance(annotations, dict) else None
    for comment in _as_list(comments):
        if not isinstance(comment, dict) or comment.get("Namespace") != namespace:
            continue
        if comment.get("ID") in own or len(images) == 1:
            value = comment["Value"]  # parsed already where it looks like a number
            return json.loads(value) if isinstance(value, str) else None
    return None


def about_image(ome: dict[str, Any], place: int, axes: str) -> FileRecord:
    """What is told of one image."""
    images = _as_list(ome.get("Image"))
    image = images[place] if place < len(images) and isinstance(images[place], dict) else {}
    described = image.get("Pixels")
    described = described if isinstance(described, dict) else {}
    scale, units = [], []
    for axis in axes:
        key = "TimeIncrement" if axis == "T" else f"PhysicalSize{axis}"
        default = "s" if axis == "T" else "µm"
        size = positive(described.get(key))
        unit = long_unit(str(described.get(f"{key}Unit", default))) if size else ""
        scale.append(size or 1.0)
        units.append(unit)
    channels = [c for c in _as_list(described.get("Channel")) if isinstance(c, dict)]
    names, colours = ([c.get(key) for c in channels] for key in ("Name", "Color"))
    name = str(image.get("Name", ""))
    return FileRecord(
        axes,
        tuple(scale),
        units=tuple(units),
        channels=tuple(map(str, names)) if None not in names else (),
        colours=tuple(map(_hexadecimal, colours)) if set(colours) - {None, -1} else (),
        taken=str(image.get("AcquisitionDate", "")),
        name="" if GIVEN_NAME.match(name) else name,
    )


def made_metadata(
    about: FileRecord,
    shape: tuple[int, ...],
    record: dict[str, Any] | None,
    provenance: dict[str, Any] | None = None,
) -> dict[str, Any]:
    """What tifffile is to write of an image."""
    metadata: dict[str, Any] = {"axes": about.axes}
    for axis, size, unit in zip(about.axes, about.scale, about.units, strict=True):
        if axis in "TXYZ" and unit in UNIT_SYMBOLS:
            key = "TimeIncrement" if axis == "T" else f"PhysicalSize{axis}"
            metadata |= {key: size, f"{key}Unit": UNIT_SYMBOLS[unit]}
    count = shape[about.axes.index("C")] if "C" in about.axes else 1
    channel: dict[str, Any] = {}
    if len(about.channels) == count:
        channel["Name"] = list(about.channels)
    if len(about.colours) == count:
        channel["Color"] = [_colour_number(c) for c in about.colours]
    metadata |= {"Channel": channel} if channel else {}
    metadata |= {"AcquisitionDate": about.taken} if about.taken else {}
    metadata |= {"Name": about.name} if about.name else {}
    metadata |= {"Description": note_of(record)} if record and note_of(record) else {}
    kept = {NAMESPACE: record, PROV: provenance}
    metadata["CommentAnnotation"] = [
        {"Namespace": namespace, "Value": json.dumps(told)}
        for namespace, told in kept.items()
        if told
    ]
    return metadata


def _hexadecimal(colour: Any) -> str:
    """``RRGGBB`` of the signed number that stands for red, green, blue and alpha."""
    with suppress(TypeError, ValueError):
        return f"{(int(colour) & 0xFFFFFFFF) >> 8:06X}"
    return "FFFFFF"


def _colour_number(colour: str) -> int:
    value = int(colour, 16) << 8 | 0xFF
    return value - 2**32 if value >= 2**31 else value


def _as_list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [] if value is None else [value]
