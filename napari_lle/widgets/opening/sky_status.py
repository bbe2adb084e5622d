"""Right ascension and declination of the pixel below the mouse, in napari's status bar."""

from __future__ import annotations

from typing import Any

import numpy as np
from napari.layers import Image

RIGHT_ASCENSION = "RA "  # by which a status that tells the place is known
SECOND_DIGITS = 2  # of seconds of time; of arc, one less


def tell_sky(viewer: Any) -> None:
    """Let the status bar tell the place on the sky from now on, wherever a layer knows it.

    Parameters
    ----------
    viewer : napari.Viewer
    """
    # As the last: what is set for napari's own listeners is shown by then, and set anew.
    if _add_place not in viewer.events.status.callbacks:
        viewer.events.status.connect(_add_place, position="last")


def _add_place(event: Any) -> None:
    viewer, status = event.source, event.value
    if not isinstance(status, dict) or RIGHT_ASCENSION in status["coordinates"]:
        return
    place = place_at(viewer)
    if place:
        viewer.status = {**status, "coordinates": f"{status['coordinates']}  {place}"}


def place_at(viewer: Any) -> str:
    """Where the mouse points at on the sky (ICRS), in words; empty where no layer knows.

    The active layer is asked first, then the others from the top: a result lies on the image that
    it was made of, and has its place.
    """
    active = viewer.layers.selection.active
    for layer in (active, *reversed(viewer.layers)):
        wcs = layer.metadata.get("wcs") if isinstance(layer, Image) else None
        if wcs is not None and wcs.has_celestial and viewer.dims.ndisplay == 2:
            place = np.asarray(layer.world_to_data(viewer.cursor.position[-layer.ndim :]))[-2:]
            if _on(layer, place):
                return place_in_words(wcs, *place)
    return ""


def place_in_words(wcs: Any, row: float, column: float) -> str:
    """A pixel's place, such as ``RA 05:41:00.00 Dec -02:30:00.0``; empty where it has none."""
    there = wcs.celestial.pixel_to_world(column, row).icrs
    if not np.isfinite([there.ra.deg, there.dec.deg]).all():
        return ""
    ra = there.ra.to_string("hour", sep=":", precision=SECOND_DIGITS, pad=True)
    dec = there.dec.to_string(
        "deg", sep=":", precision=SECOND_DIGITS - 1, pad=True, alwayssign=True
    )
    return f"{RIGHT_ASCENSION}{ra} Dec {dec}"


def _on(layer: Image, place: Any) -> bool:
    """Whether a point, in pixels, lies on an image."""
    data = layer.data[0] if layer.multiscale else layer.data
    rows, columns = data.shape[layer.ndim - 2 : layer.ndim]
    return bool((-0.5 <= place[0] < rows - 0.5) and (-0.5 <= place[1] < columns - 0.5))
