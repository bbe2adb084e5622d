"""TIFF written: OME-TIFF where it can hold such axes and dtype, else one that tells its shape."""

from __future__ import annotations

import json
import sys
from base64 import b64decode
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from . import exif, profile
from .metadata import FileRecord, Output, alpha_as, fitting
from .ome_xml import made_metadata
from .tiff_about import ABOUT, PROVENANCE, RECORD
from .units import METRES, pixels_per

OME_AXES = set("TCZYXS")
OME_DTYPES = ("int8", "int16", "int32", "uint8", "uint16", "uint32", "float32", "float64")
RATIONAL_LIMIT = 2**32 - 1


LARGEST_CLASSIC = 2**32 - 2**25  # bytes of pixels; more need the offsets of BigTIFF


class Series(NamedTuple):
    """Pixels as they are stored, what is told of them, and the tags that say so."""

    pixels: NDArray[Any]
    about: FileRecord
    record: dict[str, Any] | None
    provenance: dict[str, Any] | None
    tags: dict[str, Any]

    @property
    def ome(self) -> bool:
        """Whether OME-TIFF has words for these axes and numbers."""
        axes, pixels = self.about.axes, self.pixels
        known = set(axes) <= OME_AXES and len(set(axes)) == len(axes)
        return known and pixels.dtype.name in OME_DTYPES and pixels.size > 0

    def described(self, *, ome: bool) -> dict[str, Any]:
        """What the image's description is to say."""
        if ome:
            return made_metadata(self.about, self.pixels.shape, self.record, self.provenance)
        told = replace(self.about, exif="", profile="", header="").to_dict()
        kept = {RECORD: self.record, PROVENANCE: self.provenance, ABOUT: told}
        return {name: json.dumps(each) for name, each in kept.items() if each}


def write_tiff(path: Path, images: Sequence[Output]) -> None:
    """Write images, a series each, with all that a TIFF can tell of them.

    EXIF goes with the first.
    """
    import tifffile

    series = [_with_alpha(each) for each in images]
    ome = all(each.ome for each in series)
    big = sum(each.pixels.nbytes for each in series) > LARGEST_CLASSIC
    with tifffile.TiffWriter(path, ome=ome, bigtiff=big) as file:
        for each in series:
            file.write(each.pixels, metadata=each.described(ome=ome), **each.tags)
    if series[0].about.exif:
        exif.append_to_tiff(path, series[0].about.exif)


def _with_alpha(image: Output) -> Series:
    """An image with its alpha among its samples."""
    pixels, rgb = image.pixels, image.rgb
    about = fitting(image.about, pixels.ndim, rgb)
    tags: dict[str, Any] = {"photometric": "rgb" if rgb else "minisblack"}
    if about.alpha is not None and about.alpha.shape == pixels.shape:
        pixels = np.stack([pixels, alpha_as(about.alpha, pixels.dtype)], axis=-1)
        axes, ones = f"{about.axes}S", (*about.scale, 1.0)
        about = replace(about, axes=axes, scale=ones, translate=(), units=(*about.units, ""))
        tags["planarconfig"] = "contig"
    if about.axes[-1] == "S" and pixels.shape[-1] in (2, 4):
        tags["extrasamples"] = ["assocalpha" if about.premultiplied else "unassalpha"]
    tags |= _resolution(about) | _tags(about, rgb)
    return Series(pixels, about, image.record, image.provenance, tags)


def _resolution(about: FileRecord) -> dict[str, Any]:
    """Pixels per inch or centimetre, for programs that read no more than the tags."""
    (width, unit), (height, other) = about.size("X"), about.size("Y")
    if not {unit, other} <= METRES.keys():
        return {}
    of = "inch" if unit == other == "inch" else "centimeter"
    counts = (pixels_per(of, width, unit), pixels_per(of, height, other))
    if not all(n and n < RATIONAL_LIMIT for n in counts):
        return {}
    return {"resolution": counts, "resolutionunit": "INCH" if of == "inch" else "CENTIMETER"}


def _tags(about: FileRecord, rgb: bool) -> dict[str, Any]:
    """Profile, camera and time, and what ImageJ keeps of labels and display."""
    import tifffile

    found = profile.decode_profile(about.profile, rgb)
    options: dict[str, Any] = {"iccprofile": found} if found else {}
    stamp = exif.camera_time(about.taken)
    options |= {"datetime": stamp} if stamp else {}
    camera = exif.decode_exif(about.exif) if about.exif else {}
    extra = [
        (tag, 2, None, str(camera[tag]), True)
        for tag in exif.DESCRIPTIVE
        if tag in camera and tag not in (exif.TIME, exif.SOFTWARE_TAG)
    ]
    kept: dict[str, Any] = {}
    if about.labels:
        kept["Labels"] = list(about.labels)
    if about.luts:
        kept["LUTs"] = [np.frombuffer(b64decode(t), np.uint8).reshape(3, 256) for t in about.luts]
    if about.windows:
        kept["Ranges"] = [value for window in about.windows for value in window[2:]]
    if kept:
        extra += tifffile.imagej_metadata_tag(kept, "<" if sys.byteorder == "little" else ">")
    return options | ({"extratags": extra} if extra else {})
