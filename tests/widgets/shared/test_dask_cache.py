"""What dask computes in one thread while a computation of another ends."""

import dask.array as da
import numpy as np
from napari.utils._dask_utils import _DASK_CACHE

from napari_lle.widgets.shared.dask_cache import bear_threads


def test_a_computation_survives_the_end_of_another():
    bear_threads()

    def ends(block):
        _DASK_CACHE._finish({}, {}, False)  # as when another thread is done
        return block + 1

    with _DASK_CACHE:
        found = da.ones((4, 4), chunks=2).map_blocks(ends, dtype=float).compute()
    np.testing.assert_array_equal(found, 2)
