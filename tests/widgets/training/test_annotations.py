import numpy as np
import pytest
from napari.layers import Image, Labels, Shapes

from napari_lle.widgets.training.annotations import (
    annotation_layer,
    annotation_mask,
    draft,
    split_layer,
)


@pytest.fixture
def layer():
    return Image(
        np.zeros((5, 40, 60)),
        name="cells",
        scale=(2, 0.5, 0.25),
        translate=(0, 10, 20),
        rotate=30,
        units=("um",) * 3,
        axis_labels=("z", "y", "x"),
    )


def test_a_new_annotation_lies_pixel_on_pixel(layer):
    labels = annotation_layer(layer)
    assert labels.data.shape == (40, 60) and labels.selected_label == 1
    assert labels.units == layer.units[-2:] and labels.axis_labels == ("y", "x")
    labels.data[5:10, 20:30], labels.data[15:20, 2:8] = 1, 2
    np.testing.assert_array_equal(annotation_mask(labels, layer), labels.data)
    split = split_layer(layer, labels.data)
    assert split.name == "cells split" and not split.editable


def test_annotations_of_another_scale_fall_on_the_same_place():
    layer = Image(np.zeros((40, 60)), scale=(0.5, 0.5), translate=(100, 0))
    coarse = np.zeros((20, 30), np.uint8)
    coarse[4:6, 10:15] = 2
    labels = Labels(coarse, translate=(100.25, 0.25))  # a pixel covers 2 x 2 of the image's
    mask = annotation_mask(labels, layer)
    expected = np.zeros((40, 60))
    expected[8:12, 20:30] = 2
    np.testing.assert_array_equal(mask, expected)


def test_shapes_mark_areas_by_their_label(layer):
    layer = Image(np.zeros((40, 60)), scale=(0.5, 0.5))
    square = np.array([[1, 1], [1, 6], [6, 6], [6, 1]])
    shapes = Shapes(
        [square, 2 * square + 8],
        shape_type=["rectangle", "ellipse"],
        features={"label": ["train", "validate"]},
    )
    mask = annotation_mask(shapes, layer)
    assert (mask[2:12, 2:12] == 1).all() and mask[20, 20] == 0
    assert mask[30, 30] == 2
    assert (mask == 2).sum() == pytest.approx(np.pi * 10**2, rel=0.05)
    plain = Shapes([square], shape_type="polygon")
    assert set(np.unique(annotation_mask(plain, layer))) == {0, 1}


def test_what_cannot_be_meant_is_refused(layer):
    with pytest.raises(ValueError, match="0 to ignore"):
        annotation_mask(Labels(np.full((40, 60), 7)), layer)
    line = Shapes([np.array([[0, 0], [5, 5]])], shape_type="line")
    with pytest.raises(ValueError, match="mark areas"):
        annotation_mask(line, layer)
    odd = Shapes([np.zeros((4, 2))], shape_type="polygon", features={"label": ["cat"]})
    with pytest.raises(ValueError, match="train, validate or ignore"):
        annotation_mask(odd, layer)


def test_planes_of_a_labelled_stack_count_together(layer):
    labels = np.zeros((5, 40, 60), np.uint8)
    labels[1, :20], labels[3, 30:] = 1, 2
    stack = Labels(labels, **{k: getattr(layer, k) for k in ("scale", "translate", "rotate")})
    mask = annotation_mask(stack, layer)
    assert (mask[:20] == 1).all() and (mask[20:30] == 0).all() and (mask[30:] == 2).all()


def test_pairs_come_from_two_layers_of_a_kind():
    grey, colour = Image(np.zeros((8, 9))), Image(np.zeros((8, 9, 3), np.uint8), rgb=True)
    assert draft(colour, None).rgb and draft(colour, None).reference is None
    with pytest.raises(ValueError, match="another reference"):
        draft(grey, grey)
    with pytest.raises(ValueError, match="colour, the other grey"):
        draft(grey, colour)
