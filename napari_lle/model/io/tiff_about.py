"""What a TIFF says of its pixels: in OME-XML, in ImageJ's words, in its tags."""

from __future__ import annotations

import json
from base64 import b64encode
from contextlib import suppress
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np

from . import exif, profile
from .metadata import FileRecord
from .ome_xml import NAMESPACE, PROV, about_image, image_annotation, parsed
from .units import long_unit, positive

RESOLUTION_UNITS = {2: "inch", 3: "centimeter"}
IMAGEJ, ICC = 50839, 34675
# In the description of a TIFF that is not OME.
RECORD, PROVENANCE, ABOUT = "napari_lle", "provenance", "napari_lle_about"


class Told(NamedTuple):
    """What is told of a series: our record, how it came about, and what any file may tell."""

    record: dict[str, Any] | None
    provenance: dict[str, Any] | None
    about: FileRecord


def about_series(file: Any, place: int, axes: str, pixels: Any) -> Told:
    """What is told of a series whose array has such axes."""
    ome = parsed(file)
    if ome:
        record, origin = (image_annotation(ome, place, name) for name in (NAMESPACE, PROV))
        about = about_image(ome, place, axes)
        return Told(
            record, origin, _with_imagej_display(file.series[place].keyframe, pixels, about)
        )
    shaped = file.shaped_metadata or ()
    described: Any = shaped[place] if place < len(shaped) else {}
    texts = (described.get(name) for name in (RECORD, PROVENANCE))
    record, origin = (json.loads(text) if text else None for text in texts)
    with suppress(TypeError, ValueError, KeyError):
        about = FileRecord.from_dict(json.loads(described[ABOUT]))
        if len(about.axes) == len(axes):
            return Told(record, origin, about)
    about = _with_imagej_display(file.series[place].keyframe, pixels, _imagej_about(file, axes))
    return Told(record, origin, about)


def about_pages(file: Any, page: Any, about: FileRecord) -> FileRecord:
    """A record with what the tags of a page add: size of pixels, profile, camera and time."""
    told = exif.of_tiff(file.filehandle, page.offset)
    found: dict[str, Any] = {
        "taken": about.taken or exif.time_taken(told),
        "exif": exif.encode_exif(told) if len(told) else "",
        "profile": profile.encode_profile(page.tags.valueof(ICC), about.axes[-1] == "S"),
    }
    about = replace(about, **{k: v for k, v in found.items() if v})
    unit = RESOLUTION_UNITS.get(page.tags.valueof(296, 2), "")
    sizes = {axis: _pixel_extent(page, tag) for axis, tag in (("X", 282), ("Y", 283))}
    if about.size("X")[1] or about.size("Y")[1] or not unit or None in sizes.values():
        return about
    scale = tuple(sizes.get(a) or s for a, s in zip(about.axes, about.scale, strict=True))
    units = tuple(unit if a in sizes else u for a, u in zip(about.axes, about.units, strict=True))
    return replace(about, scale=scale, units=units)


def _pixel_extent(page: Any, tag: int) -> float | None:
    """Extent of a pixel in the page's unit; none where the tag says one pixel a unit or nothing."""
    with suppress(TypeError, ValueError):
        count, length = page.tags.valueof(tag, (0, 0))
        return length / count if count and length and count != length else None
    return None


def _imagej_about(file: Any, axes: str) -> FileRecord:
    described = file.imagej_metadata or {}
    unit = long_unit(str(described.get("unit", "")))
    scale, units = dict.fromkeys(axes, 1.0), dict.fromkeys(axes, "")
    if unit:
        for axis, tag in (("X", 282), ("Y", 283)):
            count, length = file.pages[0].tags.valueof(tag, (1, 1))
            scale[axis], units[axis] = (positive(length / count) if count else None) or 1.0, unit
        if "Z" in axes and "spacing" in described:
            scale["Z"], units["Z"] = positive(described["spacing"]) or 1.0, unit
    if "T" in axes and positive(described.get("finterval")):
        scale["T"] = float(described["finterval"])
        units["T"] = long_unit(str(described.get("tunit", "s"))) or "second"
    return FileRecord(axes, tuple(scale.values()), units=tuple(units.values()))


def _with_imagej_display(page: Any, pixels: Any, about: FileRecord) -> FileRecord:
    """A record with the labels, look-up tables and display ranges that ImageJ keeps in a tag."""
    kept: Any = page.tags.valueof(IMAGEJ)
    if not isinstance(kept, dict):
        return about
    found: dict[str, Any] = {}
    with suppress(TypeError, ValueError, IndexError):
        tables = [np.asarray(t, np.uint8).reshape(3, 256) for t in kept.get("LUTs", ())]
        found["luts"] = tuple(b64encode(t.tobytes()).decode() for t in tables)
        found["colours"] = about.colours or tuple(t[:, -1].tobytes().hex().upper() for t in tables)
        ranges = [float(v) for v in kept.get("Ranges", ())]
        low, high = value_range(pixels.dtype)
        pairs = zip(ranges[::2], ranges[1::2], strict=True)
        found["windows"] = tuple((low, high, start, end) for start, end in pairs)
        found["labels"] = tuple(str(label) for label in kept.get("Labels", ()))
    if not about.channels and len(about.axes) == 3 and about.axes[0] == "C":
        count = pixels.shape[0]
        labels = found.get("labels", ())
        found["channels"] = labels if len(labels) == count and all(labels) else ()
    return replace(about, **found)


def value_range(dtype: np.dtype[Any]) -> tuple[float, float]:
    """The values that an image of a dtype can hold; 0 and 1 for floats."""
    if dtype.kind in "ui":
        return float(np.iinfo(dtype).min), float(np.iinfo(dtype).max)
    return 0.0, 1.0
