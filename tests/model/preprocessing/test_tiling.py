import numpy as np
import pytest

from napari_lle.model.preprocessing.tiling import reflect, spans, tiles


@pytest.mark.parametrize("length", [1, 2, 7, 64, 1000])
@pytest.mark.parametrize("size", [1, 3, 64, 5000])
def test_spans_cover_once_and_keep_to_the_size(length, size):
    covered = np.zeros(length, int)
    for start, stop in spans(length, size):
        assert 0 < stop - start <= size
        covered[start:stop] += 1
    assert (covered == 1).all()


@pytest.mark.parametrize(("length", "size"), [(0, 4), (4, 0), (-1, 3)])
def test_spans_refuse_nothing(length, size):
    with pytest.raises(ValueError, match="at least 1"):
        spans(length, size)


@pytest.mark.parametrize("length", [1, 2, 3, 9])
@pytest.mark.parametrize("halo", [0, 1, 8, 30])
def test_reflect_is_numpy_s_reflection(length, halo):
    axis = np.arange(length)
    assert (axis[reflect(-halo, length + halo, length)] == np.pad(axis, halo, "reflect")).all()


@pytest.mark.parametrize(("height", "width", "size"), [(1, 1, 8), (5, 7, 3), (40, 100, 16)])
def test_tiles_paint_the_plane_once_from_their_own_neighbourhood(height, width, size):
    halo = 4
    plane = np.arange(height * width).reshape(height, width)
    padded = np.pad(plane, halo, "reflect")
    painted = np.zeros_like(plane)
    for tile in tiles(height, width, size, halo):
        rows, columns = tile.out
        painted[tile.out] += 1
        source = plane[tile.rows[:, None], tile.columns]
        window = padded[rows.start : rows.stop + 2 * halo, columns.start : columns.stop + 2 * halo]
        assert (source == window).all()
    assert (painted == 1).all()
