"""What squares of 4 x 4 pixels tell, beside the same said plainly."""

import numpy as np
import pytest

from napari_lle.model.preprocessing.noise_squares import measured


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.int32, np.float32])
def test_figures_are_those_of_each_square(dtype, rng):
    plane = rng.poisson(30, (24, 32)).astype(dtype)
    plane[3, 5] = 120  # a hot pixel
    found = measured([plane], plane.dtype)
    squares = plane.reshape(6, 4, 8, 4).swapaxes(1, 2).reshape(-1, 4, 4).astype(np.float64)
    ordered = np.sort(squares.reshape(-1, 16), axis=1)
    np.testing.assert_allclose(found.bright, ordered[:, 2:-2].mean(axis=1), rtol=1e-12)
    np.testing.assert_allclose(found.mean, squares.mean(axis=(1, 2)), rtol=1e-12)
    a, b = squares[:, ::2, ::2], squares[:, ::2, 1::2]
    c, d = squares[:, 1::2, ::2], squares[:, 1::2, 1::2]
    crossed = ((a - b - c + d) / 2).reshape(-1, 4)
    np.testing.assert_allclose(found.crossed.T, crossed, atol=1e-12)
    (p, q), (r, s) = np.moveaxis((a + b + c + d) / 4, 0, -1)
    np.testing.assert_allclose(found.coarse, (p - q - r + s) / 2, atol=1e-12)
    energy = (p + q - r - s) ** 2 + (p + r - q - s) ** 2 + (p - q - r + s) ** 2
    np.testing.assert_allclose(found.energy, energy, atol=1e-9)
    columns, rows = squares.mean(axis=1), squares.mean(axis=2)
    for lines, means in zip(found.lines, (columns, rows), strict=True):
        np.testing.assert_allclose(lines.T, means[:, ::2] - means[:, 1::2], atol=1e-12)
