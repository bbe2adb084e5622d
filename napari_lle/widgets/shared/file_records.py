"""What a file should tell of a layer: its axes and units, and how its values were made."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from napari.layers import Image

from .layers import (
    CHANNEL_AXES,
    ILLUMINATION,
    METADATA_KEY,
    REFLECTANCE,
    RESTORED,
    header_of,
    kind,
)
from .marks import unmarked

if TYPE_CHECKING:
    from ...model.io.metadata import FileRecord

ROLE_OF_KIND = {
    REFLECTANCE: "R",
    ILLUMINATION: "L",
}  # by the kind of a layer; as the command line's
OF_A_LAYER = ("note", "kind")  # not of its values


def about_layer(layer: Image, axes: int = 0, rgb: bool | None = None) -> FileRecord:
    """Size, place and units of a layer's pixels.

    Parameters
    ----------
    layer : Image
    axes : int
        How many of the last axes are written, without colours; 0 for all.
    rgb : bool, optional
        Whether colours follow; by default, where the layer has them.
    """
    from ...model.io.metadata import FileRecord, own_letters

    rgb = bool(layer.rgb) if rgb is None else rgb
    names = [str(name).lower() for name in layer.axis_labels]
    names = ["c" if name in CHANNEL_AXES else name for name in names]
    if not {"x", "y"} & set(names):
        names[-2:] = "y", "x"
    names[:-2] = _told_by_units(names[:-2], layer.units)
    units = ["" if str(unit) == "pixel" else str(unit) for unit in layer.units]
    return FileRecord(
        own_letters(names)[-axes:] + "S" * rgb,
        scale=(*map(float, layer.scale[-axes:]), *(1.0,) * rgb),
        translate=(*map(float, layer.translate[-axes:]), *(0.0,) * rgb),
        units=(*units[-axes:], *("",) * rgb),
        name=unmarked(layer.name),
        header=str(header_of(layer).get("header", "")) if axes == 0 else "",
    )


def _told_by_units(names: list[str], units: Sequence[Any]) -> list[str]:
    """Names of leading axes: one in micrometres is z, one in seconds t; OME has no word for others.

    Only of those without a name, and where there is one such axis.
    """
    found = list(names)
    for letter, unit in (("z", "meter"), ("t", "second")):
        known = zip(names, units, strict=False)
        fit = [i for i, (n, u) in enumerate(known) if len(n) != 1 and u.is_compatible_with(unit)]
        if letter not in names and len(fit) == 1:
            found[fit[0]] = letter
    return found


def record_of(layer: Image) -> dict[str, Any] | None:
    """How a layer's values were made, told as the command line tells it; None of other layers."""
    told = layer.metadata.get(METADATA_KEY, {})
    if "levels" not in told or kind(layer) == RESTORED:  # which are measured values again
        return None
    record = {key: value for key, value in told.items() if key not in OF_A_LAYER}
    return {**record, "role": ROLE_OF_KIND.get(told.get("kind", ""), told.get("kind", ""))}
