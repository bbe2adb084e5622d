"""Layers as training data: pairs of images, and annotations in world coordinates.

Nothing here needs a window.
"""

from __future__ import annotations

import re

import numpy as np
from napari.layers import Image, Labels, Shapes
from napari.utils.colormaps import DirectLabelColormap
from numpy.typing import NDArray
from scipy.ndimage import affine_transform

from ...model.data.project import Draft
from ...model.data.splitting import TRAIN, VALIDATE
from ..shared.layers import pixels
from ..shared.regions import AREAS, drawn_area, extent, planar_transform

AREA_COLOURS = {TRAIN: "#31a354", VALIDATE: "#f5a623", 0: "transparent", None: "transparent"}
CLASSES = {"train": TRAIN, "validate": VALIDATE, "ignore": 0}
NO_NAME = r'[\\/:*?"<>|]+'  # not in names of files


def draft(low: Image, reference: Image | None) -> Draft:
    """A pair of the two layers' data, in memory.

    Raises
    ------
    ValueError
        If one is colour and the other grey, or they are one layer.
    """
    if low is reference:
        raise ValueError("A pair is two layers: choose another reference.")
    if reference is not None and bool(low.rgb) != bool(reference.rgb):
        raise ValueError(f"{low.name} and {reference.name}: one is in colour, the other grey.")
    data = np.asarray(pixels(low))
    bright = None if reference is None else np.asarray(pixels(reference))
    return Draft(re.sub(NO_NAME, "-", low.name), data, bright, bool(low.rgb))


def annotation_layer(layer: Image) -> Labels:
    """An empty annotation for an image layer, pixel on pixel, ready to paint."""
    labels = Labels(
        np.zeros(extent(layer), np.uint8),
        name=f"{layer.name} annotation",
        affine=planar_affine(layer),
        units=layer.units[-2:],
        axis_labels=layer.axis_labels[-2:],
        colormap=DirectLabelColormap(color_dict=AREA_COLOURS),
        opacity=0.4,
    )
    labels.selected_label, labels.brush_size = TRAIN, 20
    return labels


def split_layer(layer: Image, mask: NDArray[np.uint8]) -> Labels:
    """A mask of training and validation over an image layer, to look at."""
    labels = annotation_layer(layer)
    labels.data, labels.name, labels.editable = mask, f"{layer.name} split", False
    return labels


def annotation_mask(annotation: Labels | Shapes, layer: Image) -> NDArray[np.uint8]:
    """What an annotation marks on the pixels of an image layer, (Y, X).

    Labels hold 0 ignore, 1 train, 2 validate; of stacks, all planes count together. Shapes are
    training regions, unless their feature ``label`` says 2 or validate, or 0 or ignore.

    Raises
    ------
    ValueError
        If it holds anything else.
    """
    if isinstance(annotation, Shapes):
        return _drawn(annotation, layer)
    values = np.asarray(pixels(annotation))
    values = values.reshape(-1, *values.shape[-2:]).max(axis=0)
    if values.max(initial=0) > VALIDATE or values.min(initial=0) < 0:
        raise ValueError(
            f"{annotation.name}: labels are 0 to ignore, 1 to train and 2 to validate; others are "
            "in use."
        )
    matrix, offset = planar_transform(layer, annotation)
    found: NDArray[np.uint8] = affine_transform(
        values.astype(np.uint8), matrix, offset, extent(layer), order=0
    )
    return found


def _drawn(shapes: Shapes, layer: Image) -> NDArray[np.uint8]:
    mask = np.zeros(extent(layer), np.uint8)
    for number, value in enumerate(_classes(shapes)):
        kind = shapes.shape_type[number]
        if kind not in AREAS:
            raise ValueError(f"{shapes.name} contains a {kind}: mark areas, not lines.")
        mask[drawn_area(shapes, number, layer)] = value
    return mask


def _classes(shapes: Shapes) -> list[int]:
    if "label" not in shapes.features:
        return [TRAIN] * len(shapes.data)
    values = [CLASSES.get(v, v) for v in shapes.features["label"]]
    if not all(v in (0, TRAIN, VALIDATE) for v in values):
        raise ValueError(f"{shapes.name}: the feature label is train, validate or ignore.")
    return [int(v) for v in values]


def planar_affine(layer: Image) -> NDArray[np.float64]:
    """The layer's transform of its last two axes, as an affine matrix."""
    matrix = np.eye(3)
    origin = np.asarray(layer.data_to_world(np.zeros(layer.ndim)))[-2:]
    for axis in range(2):
        unit = np.zeros(layer.ndim)
        unit[axis - 2] = 1
        matrix[:2, axis] = np.asarray(layer.data_to_world(unit))[-2:] - origin
    matrix[:2, 2] = origin
    return matrix
