"""Dark frame and flat field: ``C = (S - dark) / flat`` before all else, and the way back.

Calibrating is no part of enhancing: an enhanced C is restored to C, and C to the stored S, bit for
bit for integers.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .normalizing import in_dtype
from .sampling import check_dtype


@dataclass(frozen=True)
class Calibration:
    """A dark frame and a flat field for images of one dtype.

    Make one by `of_frames`.

    Attributes
    ----------
    dark : ndarray, (Y, X), or 0.0
        In the image's units.
    flat : ndarray, (Y, X), or 1.0
        > 0, of mean 1.
    dtype : str
        NumPy name of the images' dtype.

    Examples
    --------
    >>> import numpy as np
    >>> from napari_lle.model.preprocessing.calibration import Calibration
    >>> stored = np.array([[105, 120], [110, 390]], np.uint16)
    >>> dark, flat = np.full((2, 2), 100), [[1, 1], [1, 5]]
    >>> calibration = Calibration.of_frames("uint16", dark, flat)
    >>> calibration.apply(stored).tolist()
    [[10.0, 40.0], [20.0, 116.0]]
    >>> bool((calibration.undo(calibration.apply(stored)) == stored).all())
    True
    """

    dark: Any
    flat: Any
    dtype: str

    @classmethod
    def of_frames(
        cls, dtype: Any, dark: ArrayLike | None = None, flat: ArrayLike | None = None
    ) -> Calibration:
        """Reduce frames to a calibration.

        Parameters
        ----------
        dtype : dtype
            Of the images.
        dark, flat : array_like, (Y, X) or a stack of such, (N, Y, X), optional
            Of a stack, the median is taken. Values that are not finite, and in the flat those that
            are not above 0, are replaced by the frame's median: such pixels stay as they are.

        Raises
        ------
        TypeError
            If a frame is not of numbers.
        ValueError
            If a frame is not of such a shape, or holds nothing that can be used.
        """
        dark_frame = 0.0 if dark is None else _frame(dark, "dark frame", -np.inf)
        flat_frame: Any = 1.0
        if flat is not None:
            flat_frame = _frame(flat, "flat field", 0.0)
            flat_frame = flat_frame / flat_frame.mean()
        return cls(dark_frame, flat_frame, check_dtype(dtype).name)

    def apply(self, image: Any) -> Any:
        """``(S - dark) / flat`` in float32 for integers of up to 16 bits, else in float64.

        Parameters
        ----------
        image : ndarray or dask array, (..., Y, X)
            Of colour images, the channels one by one.

        Raises
        ------
        ValueError
            If frames and image do not match in size.
        """
        self._check(image.shape)
        narrow = np.dtype(self.dtype).kind in "bui" and np.dtype(self.dtype).itemsize <= 2
        calibrated = (image.astype(np.float64) - self.dark) / self.flat
        return calibrated.astype(np.float32) if narrow else calibrated

    def undo(self, calibrated: Any) -> Any:
        """The stored image again: bit for bit for integers of up to 32 bits."""
        self._check(calibrated.shape)
        stored = calibrated.astype(np.float64) * self.flat + self.dark
        return in_dtype(stored, np.dtype(self.dtype))

    def _check(self, shape: tuple[int, ...]) -> None:
        for name, frame in (("dark frame", self.dark), ("flat field", self.flat)):
            size = np.shape(frame)
            if size and tuple(shape[len(shape) - len(size) :]) != size:
                raise ValueError(
                    f"The {name} is of shape {size} and the image of shape {tuple(shape)}: "
                    "take frames of the same size."
                )


def _frame(values: ArrayLike, name: str, above: float) -> NDArray[np.float64]:
    """One frame of a stack or of one, float64, with `above` exceeded everywhere."""
    frame = np.asarray(values)
    check_dtype(frame.dtype)
    if frame.ndim not in (2, 3) or frame.size == 0:
        raise ValueError(f"A {name} is one plane or a stack of planes, not of shape {frame.shape}.")
    frame = frame.astype(np.float64)
    usable = np.isfinite(frame) & (frame > above)
    if not usable.any():
        raise ValueError(f"The {name} holds no value that can be used.")
    frame = np.where(usable, frame, np.median(frame[usable]))
    return frame if frame.ndim == 2 else np.median(frame, axis=0)
