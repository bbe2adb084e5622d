"""FITS files as layers: every image of a file, with its scale, header and sky coordinates."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ...samples import LayerTuple
from ..shared.adoption import metadata_of_file
from ..shared.layers import METADATA_KEY
from ..shared.marks import canvas_mark, marked
from .sky_status import tell_sky

if TYPE_CHECKING:
    from ...model.io.metadata import Picture

LARGEST_LOADED = 1 << 28  # bytes; larger images stay in their files until they are looked at
LIMIT_PERCENTILES = (0.5, 99.7)  # percentiles between which a layer is shown
LIMIT_PIXELS = 1_000_000  # pixels that these are found of


def fits_reader(path: str | list[str]) -> Callable[[Any], list[LayerTuple]] | None:
    """Offer `read_layers` for FITS files."""
    from ...model.io.fits_files import SUFFIXES

    paths = path if isinstance(path, list) else [path]
    return read_layers if all(str(p).lower().endswith(SUFFIXES) for p in paths) else None


def read_layers(path: str | list[str]) -> list[LayerTuple]:
    """Every image of two axes or more of FITS files.

    Layers have a pixel's size in seconds of arc where the header tells it of the sky, else what
    CDELT says, else that of an image of the same shape in the file. ``metadata`` holds ``header``
    (cards, a line each), ``wcs`` (astropy's, where there is one; its pixels are columns, rows) and
    ``extension``. Rows are in the order of the file. In the viewer that reads them, the status bar
    tells right ascension and declination.

    Raises
    ------
    FileError
        If a file cannot be read; the message says why.
    """
    from napari import current_viewer

    from ...model.io.files import read_image

    viewer = current_viewer()
    if viewer is not None:
        tell_sky(viewer)
    paths = path if isinstance(path, list) else [path]
    found = []
    for file in map(Path, paths):
        of_file: list[LayerTuple] = []
        images = 1
        while len(of_file) < images:
            picture = read_image(file, lazy=True, image=len(of_file) + 1)
            images = picture.images
            of_file.append(_fits_layer(file, picture))
        _lay_over(of_file)
        found += of_file
    if viewer is not None and any(METADATA_KEY in about["metadata"] for _, about, _ in found):
        canvas_mark(viewer)  # which looks at layers as they come
    return found


def _fits_layer(file: Path, picture: Picture) -> LayerTuple:
    """One image."""
    from ...model.io.fits_header import Coordinates

    pixels, about = picture.pixels, picture.about
    assert about is not None  # `read_fits` always tells
    if pixels.nbytes <= LARGEST_LOADED:
        pixels = pixels.compute()
    told = Coordinates.of_text(about.header)
    spatial = len(about.axes) - picture.rgb
    scale, units = list(about.scale[:spatial]), list(about.units[:spatial])
    translate = list(about.translate[:spatial])
    if told.pixel is not None:
        scale[-2:], units[-2:], translate[-2:] = told.pixel, ["arcsecond"] * 2, [0.0, 0.0]
    name = file.name.split(".")[0]
    if told.extension or picture.images > 1:
        name = f"{name} {told.extension or picture.number}"
    options: dict[str, Any] = {
        "name": name,
        "rgb": picture.rgb,
        "scale": scale,
        "translate": translate,
        "units": [unit or "pixel" for unit in units],
        "axis_labels": [letter.lower() for letter in about.axes[:spatial]],
        "metadata": {
            "header": about.header,
            "extension": told.extension,
            **({"wcs": told.wcs} if told.wcs is not None else {}),
        },
        **({} if picture.rgb else {"contrast_limits": _shown_range(pixels)}),
    }
    if picture.record and "levels" in picture.record:
        options["metadata"] |= metadata_of_file(picture.record)
        is_r = picture.record.get("role", "R") == "R"
        options["name"] = marked(name, picture.record) if is_r else name
    return pixels, options, "image"


def _lay_over(layers: list[LayerTuple]) -> None:
    """Give images without a size, such as masks, that of one of the same shape in their file."""
    sized = {data.shape: about for data, about, _ in layers if set(about["units"]) != {"pixel"}}
    for data, about, _ in layers:
        other = sized.get(data.shape)
        if other is not None and set(about["units"]) == {"pixel"}:
            about.update({key: list(other[key]) for key in ("scale", "translate", "units")})


def _shown_range(pixels: Any) -> tuple[float, float]:
    """Percentiles of a plane in the middle, without stars, hot pixels and values not finite."""
    plane = pixels[tuple(n // 2 for n in pixels.shape[:-2])]
    step = max(1, round((plane.size / LIMIT_PIXELS) ** 0.5))
    values = np.asarray(plane[::step, ::step]).astype(float)
    values = values[np.isfinite(values)]
    low, high = np.percentile(values, LIMIT_PERCENTILES) if values.size else (0.0, 1.0)
    return float(low), float(high if high > low else low + 1)
