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

    Told is the place of the active image, or else of the topmost that is seen there. One that does
    not know it has that of another whose pixels lie where its own do, such as what it was made of.
    """
    if viewer.dims.ndisplay != 2:
        return ""
    active = viewer.layers.selection.active
    seen = [x for x in reversed(viewer.layers) if isinstance(x, Image) and x.visible]
    asked = [active] if isinstance(active, Image) else seen
    for image in asked:
        place = np.asarray(image.world_to_data(viewer.cursor.position[-image.ndim :]))[-2:]
        if _on(image, place):
            alike = (layer for layer in (image, *seen) if _alike(layer, image))
            wcs = next(filter(None, map(_sky_of, alike)), None)
            return "" if wcs is None else place_in_words(wcs, *place)
    return ""


def _sky_of(layer: Image) -> Any:
    wcs = layer.metadata.get("wcs")
    return wcs if wcs is not None and wcs.has_celestial else None


def _alike(layer: Image, other: Image) -> bool:
    """Whether the pixels of two images lie at the same places."""
    rows, columns = _plane(layer)
    corners = (0, 0), (0, columns - 1), (rows - 1, 0)
    places, others = (
        np.array([x.data_to_world((0,) * (x.ndim - 2) + corner)[-2:] for corner in corners])
        for x in (layer, other)
    )
    pixel = float(np.min(np.abs(np.array(layer.scale)[-2:])))
    return _plane(other) == (rows, columns) and bool((abs(places - others) < pixel / 10).all())


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


def _plane(layer: Image) -> tuple[int, ...]:
    """Rows and columns."""
    data = layer.data[0] if layer.multiscale else layer.data
    return tuple(data.shape[layer.ndim - 2 : layer.ndim])


def _on(layer: Image, place: Any) -> bool:
    """Whether a point, in pixels, lies on an image."""
    rows, columns = _plane(layer)
    return bool((-0.5 <= place[0] < rows - 0.5) and (-0.5 <= place[1] < columns - 0.5))
