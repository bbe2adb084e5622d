"""What is to be written of an image completed: its name says what it is, its origin is told."""

from __future__ import annotations

import numpy as np

from .digests import pixel_digest
from .metadata import Output, fitting
from .provenance import Activity
from .roles import named


def with_origin(image: Output) -> Output:
    """An image with the provenance of its pixels, and with a name by which none takes R for data.

    Without a record or a step nothing is known, and nothing said.
    """
    image = with_name(image)
    step = step_of(image)
    if step is None:
        return image
    dtype, shape = np.dtype(image.pixels.dtype).name, tuple(image.pixels.shape)
    return image._replace(provenance=step.document(pixel_digest(image.pixels), shape, dtype))


def with_name(image: Output) -> Output:
    """An image of a record with a name that says what it is."""
    if image.record is None:
        return image
    about = fitting(image.about, image.pixels.ndim, image.rgb)
    return image._replace(about=named(about, image.record))


def step_of(image: Output) -> Activity | None:
    """What an image was made by, as far as that is known."""
    if image.step is not None or image.record is None:
        return image.step
    return Activity.of_record(image.record, [image.earlier])
