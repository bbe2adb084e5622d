import numpy as np
import pytest
from scipy.ndimage import distance_transform_cdt

from napari_lle.model.data.splitting import (
    IGNORE,
    TRAIN,
    VALIDATE,
    complete,
    split_blocks,
    with_gap,
)


@pytest.mark.parametrize("shape", [(400, 600), (128, 128), (64, 64), (50, 300)])
@pytest.mark.parametrize("gap", [5, 17])
def test_parts_are_neither_empty_nor_near(shape, gap):
    mask = split_blocks(np.ones(shape, bool), gap)
    assert min((mask == part).mean() for part in (TRAIN, VALIDATE)) >= 0.05
    distance = distance_transform_cdt(mask != VALIDATE, metric="chessboard")
    assert distance[mask == TRAIN].min() > gap


def test_large_images_spend_little_on_gaps():
    mask = split_blocks(np.ones((600, 800), bool), 17)
    assert (mask == IGNORE).mean() < 0.25
    assert 0.15 < (mask == VALIDATE).mean() < 0.25


def test_only_known_pixels_are_used():
    known = np.zeros((200, 300), bool)
    known[40:160, 100:] = True
    mask = split_blocks(known, 9)
    assert (mask[~known] == IGNORE).all()
    assert {TRAIN, VALIDATE} <= set(np.unique(mask))


def test_small_images_are_refused_in_words():
    with pytest.raises(ValueError, match="too small to be split"):
        split_blocks(np.ones((20, 20), bool), 17)


def test_gap_is_a_square_around_what_validates():
    mask = np.full((9, 9), TRAIN)
    mask[4, 4] = VALIDATE
    found = with_gap(mask, 2)
    assert (found[2:7, 2:7] == IGNORE).sum() == 24
    assert found[4, 4] == VALIDATE and (found == TRAIN).sum() == 81 - 25


def test_annotations_count_and_are_completed():
    known = np.ones((60, 200), bool)
    known[:, 0] = False
    marked = np.zeros((60, 200), np.uint8)
    marked[:, :80], marked[:, 100:] = TRAIN, VALIDATE
    mask = complete(marked, known, 30)
    assert (mask[:, 0] == IGNORE).all() and (mask[:, 1:70] == TRAIN).all()
    assert (mask[:, 70:100] == IGNORE).all() and (mask[:, 100:] == VALIDATE).all()
    mask = complete(np.where(marked == TRAIN, TRAIN, 0), known, 5)  # nothing marked to judge by
    assert (mask[:, 80:] == IGNORE).all() and (mask == VALIDATE).any()
    with pytest.raises(ValueError, match="nothing to train on"):
        complete(np.zeros_like(marked), known, 5)
    with pytest.raises(ValueError, match="Nothing is left"):
        complete(marked, known, 120)
