"""What is counted of squares tells the same as all of their values."""

import numpy as np
import pytest

from napari_lle.model.preprocessing.levels import Levels
from napari_lle.model.preprocessing.normalizing import network_input, normalized
from napari_lle.model.preprocessing.sampling import blocks
from napari_lle.model.preprocessing.statistics import image_statistics
from napari_lle.model.preprocessing.tally import ColourCounts, PlainCounter, Tally, corners_of

rng = np.random.default_rng(0)


def test_figures_of_four_pixels_are_known():
    red, blue, grey, black = (30, 0, 0), (0, 0, 60), (9, 9, 9), (0, 0, 0)
    square = np.array([[[red, blue], [grey, black]]], np.uint8)
    found = PlainCounter().colours(corners_of(square))
    assert isinstance(found, ColourCounts)
    assert {i: n for i, n in enumerate(found.brightest) if n} == {0: 1, 9: 1, 30: 1, 60: 1}
    assert {i: n for i, n in enumerate(found.sums) if n} == {0: 1, 27: 1, 30: 1, 60: 1}
    assert found.power == 30**2 + 60**2 + 3 * 9**2
    assert found.apart == (60 + 30 + 30) + (60 + 60 + 120)
    assert found.diagonal == abs(30 - 9) + 9 + abs(-60 - 9)


def test_counts_tell_what_the_colours_of_a_photograph_tell():
    squares = blocks(rng.integers(0, 256, (61, 80, 3)).astype(np.uint8), 2)
    expected = image_statistics(squares)
    np.testing.assert_allclose(Tally(squares).photograph(), expected, rtol=1e-12)
    grey = np.repeat(squares[..., :1], 3, axis=-1)
    assert Tally(grey).photograph().colour == 0


@pytest.mark.parametrize("kind", ["uint8", "uint16", ">u2", "int16", "float32"])
def test_counts_tell_what_clipped_greys_tell(kind):
    pixels = (rng.gamma(2, 20, (70, 90)) + 3).clip(0, 255).astype(kind)
    squares, levels = blocks(pixels, 2), Levels(11.25, 170.5, np.dtype(kind).name)

    def seen(values):
        return network_input(normalized(values, levels))

    tally = Tally(squares)
    assert tally.complete
    np.testing.assert_allclose(
        tally.grey(seen), image_statistics(seen(squares)[..., None]), rtol=1e-6
    )


def test_the_brightest_colour_stands_for_all():
    squares = blocks(rng.integers(0, 4000, (40, 40, 3)).astype(np.uint16), 2)
    assert (Tally(squares).brightest().squares == squares.max(axis=-1)).all()
    grey = Tally(squares[..., 0])
    assert grey.brightest() is grey


def test_what_is_not_finite_is_seen():
    squares = blocks(np.array([[0, 1, 2, np.nan]] * 4, np.float32), 2)
    assert not Tally(squares).complete and Tally(squares[:1]).complete
