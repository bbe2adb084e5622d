"""Pixels of any data type, and what files are to keep beside them."""

import numpy as np

from napari_lle.model.io.files import FileRecord

rng = np.random.default_rng(0)
RECORD = {"model": "linear", "levels": {"black": 1.5}, "µ": "ß\"'<&>{}"}
STACK = FileRecord(
    "ZCYX",
    (2.0, 1.0, 0.5, 0.25),
    units=("micrometer", "", "micrometer", "nanometer"),
    channels=("DAPI", "a<b & c", "GFP"),
)


def counts(shape, dtype="uint16"):
    if np.dtype(dtype).kind == "f":
        return rng.normal(size=shape).astype(dtype)
    if np.dtype(dtype).kind == "b":
        return rng.random(shape) > 0.5
    limits = np.iinfo(dtype)
    return rng.integers(limits.min, limits.max, shape, dtype, endpoint=True)
