"""What napari's *Save Selected Layers* writes with this plugin, where it is chosen.

Which writer is first for ``.png`` or ``.tif`` no plugin can say: npe2 sorts by the number of layer
types, then by the order in which it found the plugins, which is that of files on the disk. The
manifest adds a type that napari does not have, ``graph?``, so that napari's own writers come first
everywhere: saving the layers of others stays as it is without this plugin. With ``.ome.tif`` the
longer ending decides, and these come first.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
from napari.layers import Image

from ..shared.file_records import about_layer, record_of
from ..shared.layers import pixels
from ..shared.pictures import Appearance, as_displayed, stored

HELD = 1 << 30  # bytes of a lazy layer that are computed at once; channels that share L go together


def write_values(path: str, layers: list[Any]) -> list[str]:
    """Write the values of an image layer as they are, with scale, units and record.

    Parameters
    ----------
    path : str
    layers : list of tuple
        Values, attributes and type of one layer, as napari hands them to writers.

    Returns
    -------
    list of str
        The file that was written.

    Raises
    ------
    OSError
        If the file cannot be written, or cannot hold such values.
    """
    from ...model.io.files import is_zarr, write_image

    layer = handed_image(layers)
    values = pixels(layer)
    if not (is_zarr(path) and values.nbytes > HELD):  # which is read block by block
        values = np.asarray(values)
    record, about = record_of(layer), about_layer(layer)
    with _heard():
        write_image(path, values, rgb=bool(layer.rgb), record=record, about=about)
    return [path]


def write_displayed(path: str, layers: list[Any]) -> list[str]:
    """Write an image layer of one plane with 8 bits, as it is displayed.

    Parameters and return value are those of `write_values`.

    Raises
    ------
    OSError
        As there, or if the layer is a stack.
    """
    from ...model.io.files import write_image

    layer = handed_image(layers)
    if layer.ndim != 2:
        raise OSError(
            f"“{layer.name}” is a stack, and a picture holds one plane: save it to .tif, or press "
            "Save picture… in the Enhance widget for the plane in view."
        )
    picture = stored(as_displayed(np.asarray(pixels(layer)), Appearance.of(layer)), 8)
    rgb = picture.ndim == 3
    with _heard():
        write_image(path, picture, rgb=rgb, about=about_layer(layer, 2, rgb))
    return [path]


def handed_image(layers: list[Any]) -> Image:
    """The one image of what napari hands to a writer."""
    data, meta, _ = next(each for each in layers if each[2] == "image")
    return Image(data, **meta)


@contextmanager
def _heard() -> Iterator[None]:
    """Let the user hear the reason: from a ValueError napari concludes that there is no writer."""
    try:
        yield
    except ValueError as error:
        raise OSError(str(error)) from error
