import numpy as np

from napari_lle.model.runtime.arrays import as_writable


def test_memory_is_lent_and_not_copied(rng):
    plane = rng.random((4, 5), np.float32)
    assert as_writable(plane) is plane
    three = as_writable(np.broadcast_to(plane, (3, 4, 5)))
    assert three.flags.writeable and three.strides[0] == 0 and np.shares_memory(three, plane)
    np.testing.assert_array_equal(three, [plane] * 3)


def test_memory_lives_as_long_as_it_is_lent():
    lent = as_writable(np.broadcast_to(np.arange(100_000.0), (2, 100_000)))
    assert lent[:, -1].tolist() == [99_999.0] * 2


def test_every_order_of_bytes_and_axes_stays():
    stored = np.arange(24, dtype=">u2").reshape(2, 3, 4)[:, ::-1].transpose(2, 0, 1)
    stored.flags.writeable = False
    lent = as_writable(stored)
    assert lent.dtype == stored.dtype and lent.strides == stored.strides
    np.testing.assert_array_equal(lent, stored)
