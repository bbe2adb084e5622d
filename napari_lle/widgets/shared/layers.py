"""Between a layer and an array: what goes into the model, what comes back, how it was made.

Nothing here needs a window.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from napari.layers import Image
from napari.utils.transforms import Affine

if TYPE_CHECKING:
    from ...model.inference.estimate import Estimate

METADATA_KEY = "napari_lle"
FITS_KEYS = ("header", "extension", "wcs")  # of metadata, as our reader of FITS has them
NOTE = "Reflectance is for looking, not for measuring: measure on the original, or restore it."
REFLECTANCE, ILLUMINATION, RESTORED = "reflectance", "illumination", "restored"
OVER = "translucent_no_depth"  # blending of what is looked at by itself
CHANNEL_AXES = ("c", "ch", "channel", "channels")  # names of an axis


class Region(NamedTuple):
    """A rectangle of one plane of a layer, in pixels.

    `plane` is its index on the axes before; `step` shows every step-th row and column only.
    """

    plane: tuple[int, ...]
    rows: tuple[int, int]
    columns: tuple[int, int]
    step: int = 1


def pixels(layer: Image) -> Any:
    """The layer's array; of a multiscale layer, the finest."""
    return layer.data[0] if layer.multiscale else layer.data


def scales(layer: Image) -> list[Any]:
    """All arrays of a layer, finest first; one, unless it is multiscale."""
    return list(layer.data) if layer.multiscale else [layer.data]


def files_of(viewer: Any) -> list[str]:
    """The files that the layers of a viewer were read from, some of them still being read."""
    return [layer.source.path for layer in viewer.layers if layer.source.path]


def channel_axis(layer: Image) -> int | None:
    """The axis that the layer's labels call channels, if it has several; see `plane_order`."""
    if layer.rgb:
        return None
    order = plane_order(layer)
    lead = [i for i in order[:-2] if str(layer.axis_labels[i]).lower() in CHANNEL_AXES]
    return order.index(lead[0]) if len(lead) == 1 and pixels(layer).shape[lead[0]] > 1 else None


def plane_order(layer: Image) -> tuple[int, ...]:
    """The layer's axes with those that its labels call y and x at the end, where it has both."""
    names = [str(name).lower() for name in layer.axis_labels]
    axes = range(layer.ndim)
    if layer.rgb or names.count("y") != 1 or names.count("x") != 1:
        return tuple(axes)
    plane = names.index("y"), names.index("x")
    return (*(i for i in axes if i not in plane), *plane)


def spatial(layer: Image) -> dict[str, Any]:
    """Where and how large the layer is, as options of a new one.

    Left out, units would reset those of the whole viewer.
    """
    return {
        "scale": tuple(float(s) for s in layer.scale),
        "translate": tuple(float(t) for t in layer.translate),
        "rotate": np.array(layer.rotate),
        "shear": np.array(layer.shear),
        "affine": np.array(layer.affine.affine_matrix),
        "units": layer.units,
        "axis_labels": layer.axis_labels,
    }


def result_options(layer: Image) -> dict[str, Any]:
    """Options of the layer for a result of `layer`, all but contrast limits and metadata."""
    options = {
        **spatial(layer),
        "name": f"{layer.name} enhanced",
        "blending": layer.blending,
        "rgb": bool(layer.rgb),
        "multiscale": bool(layer.multiscale),
    }
    return options if layer.rgb else {**options, "colormap": layer.colormap}


def illumination_options(layer: Image, estimate: Estimate | Any) -> dict[str, Any]:
    """Options of the layer for the illumination of `layer`: grey where one serves all colours.

    The estimate may be lazy, or of several scales.
    """
    return {
        **spatial(layer),
        "name": f"{layer.name} illumination",
        "blending": OVER,
        "rgb": bool(layer.rgb) and not estimate.joint,
        "multiscale": bool(layer.multiscale),
        "contrast_limits": (0.0, 1.0),
        "visible": False,
    }


def metadata(record: dict[str, Any], **more: Any) -> dict[str, Any]:
    """Metadata of a result: plain values, enough to repeat the run."""
    return {METADATA_KEY: {**record, **more, "note": NOTE}}


def header_of(layer: Any) -> dict[str, Any]:
    """What a layer's metadata keep of its FITS file: cards, name and world coordinates."""
    told = {key: layer.metadata[key] for key in FITS_KEYS if key in layer.metadata}
    return told if isinstance(told.get("header"), str) else {}  # else another reader's


def is_result(layer: Any) -> bool:
    """Whether a layer was made here."""
    return METADATA_KEY in layer.metadata


def kind(layer: Any) -> str:
    """What a layer of a run or of Restore holds; empty for all others."""
    return str(layer.metadata.get(METADATA_KEY, {}).get("kind", ""))


def origin_name(record: dict[str, Any], unknown: str) -> str:
    """What an image of a record was made of, by the name of its layer or file."""
    return Path(str(record.get("layer") or record.get("source") or unknown)).name


def region_options(layer: Image, region: Region) -> dict[str, Any]:
    """Spatial options that put a part of `layer` exactly over itself."""
    options = spatial(layer)
    corner = (*region.plane, region.rows[0], region.columns[0])
    transform = Affine(
        scale=layer.scale,
        translate=layer.translate,
        rotate=layer.rotate,
        shear=layer.shear,
        ndim=layer.ndim,
    )
    scale = list(options["scale"])
    scale[-2:] = (s * region.step for s in scale[-2:])
    return {**options, "scale": tuple(scale), "translate": tuple(map(float, transform(corner)))}


def visible_region(layer: Image, point: tuple[float, ...], limit: int) -> Region:
    """The part of the plane at a point of the world that the canvas shows.

    Parameters
    ----------
    layer : Image
    point : tuple of float
        The viewer's ``dims.point``.
    limit : int
        Pixels that may be shown; a larger part is thinned out.
    """
    shape = pixels(layer).shape[: layer.ndim]
    rows, columns = (_visible(layer, axis, shape) for axis in (-2, -1))
    area = (rows[1] - rows[0]) * (columns[1] - columns[0])
    step = max(1, int(np.ceil(np.sqrt(area / limit))))
    return Region(plane_at(layer, point), rows, columns, step)


def plane_at(layer: Image, point: tuple[float, ...]) -> tuple[int, ...]:
    """Index of the plane at a point of the world on the axes before the layer's last two."""
    place = np.rint(layer.world_to_data(point[-layer.ndim :])).astype(int)
    place = np.clip(place, 0, np.subtract(pixels(layer).shape[: layer.ndim], 1))
    return tuple(int(i) for i in place[:-2])


def shows_planes(dims: Any) -> bool:
    """Whether a viewer shows planes of its last two axes."""
    return dims.ndisplay == 2 and tuple(dims.displayed) == (dims.ndim - 2, dims.ndim - 1)


def _visible(layer: Image, axis: int, shape: tuple[int, ...]) -> tuple[int, int]:
    """First and one past the last index on an axis; all of it while nothing has been drawn."""
    first, last = (int(c) for c in layer.corner_pixels[:, axis])
    if layer.multiscale:  # corners come in pixels of the level in view
        factor = layer.downsample_factors[layer.data_level][axis]
        first, last = int(first * factor), int((last + 1) * factor)
    first, last = max(first, 0), min(last + 1, shape[axis])
    return (first, last) if last - first > 1 else (0, shape[axis])
