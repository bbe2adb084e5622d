"""Drawn shapes as pixels of an image layer, wherever the two layers lie.

Nothing here needs a window.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from napari.layers import Image, Shapes
from numpy.typing import NDArray

from .layers import pixels

AREAS = ("rectangle", "polygon", "ellipse")  # other shapes are lines
CORNERS = 64  # of the polygon that stands for an ellipse


def extent(layer: Image) -> tuple[int, int]:
    """Rows and columns of a layer's planes."""
    rows, columns = pixels(layer).shape[layer.ndim - 2 : layer.ndim]
    return rows, columns


def drawn_area(shapes: Shapes, number: int, layer: Image) -> NDArray[np.bool_]:
    """Pixels of an image layer's plane, (Y, X), inside one of the shapes."""
    from skimage.draw import polygon2mask

    corners = np.asarray(shapes.data[number], float)[:, -2:]
    if shapes.shape_type[number] == "ellipse":
        corners = _on_ellipse(corners)
    matrix, offset = planar_transform(shapes, layer)
    mask: NDArray[np.bool_] = polygon2mask(extent(layer), corners @ matrix.T + offset)
    return mask


def region_mask(shapes: Shapes, layer: Image) -> NDArray[np.bool_]:
    """Pixels of an image's plane inside the selected shapes, or inside all if none is selected.

    Returns
    -------
    ndarray of bool, (Y, X)

    Raises
    ------
    ValueError
        If no shape has an area, or none lies on the image.
    """
    mask = np.zeros(extent(layer), bool)
    for number in sorted(shapes.selected_data) or range(len(shapes.data)):
        if shapes.shape_type[number] in AREAS:
            mask |= drawn_area(shapes, number, layer)
    if not mask.any():
        raise ValueError(
            f"“{shapes.name}” marks no pixel of “{layer.name}”: draw a rectangle, polygon or "
            "ellipse on it."
        )
    return mask


def planar_transform(source: Any, target: Any) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Matrix and offset from the last two coordinates of one layer to those of another."""

    def place(row: float, column: float) -> NDArray[np.float64]:
        point = np.zeros(source.ndim)
        point[-2:] = row, column
        world = np.asarray(source.data_to_world(point))[-target.ndim :]
        world = np.pad(world, (target.ndim - len(world), 0))
        return np.asarray(target.world_to_data(world))[-2:]

    origin = place(0, 0)
    return np.stack([place(1, 0) - origin, place(0, 1) - origin], axis=1), origin


def _on_ellipse(box: NDArray[np.float64]) -> NDArray[np.float64]:
    """Points on the ellipse inside a box of four corners, which may be turned."""
    turn = np.linspace(0, 2 * np.pi, CORNERS, endpoint=False)[:, None]
    one, other = (box[1] - box[0]) / 2, (box[3] - box[0]) / 2
    return box.mean(axis=0) + np.cos(turn) * one + np.sin(turn) * other
