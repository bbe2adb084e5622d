"""Several images between the same levels, by the same curve: those of one figure.

A figure compares: what differs between its panels has to be in the data. So the images are
surveyed as if they were parts of one, and each is enhanced with what was found.
"""

from __future__ import annotations

from collections.abc import Generator, Sequence
from pathlib import Path
from typing import Any, Unpack

import numpy as np

from ..network.checkpoint import Model
from ..progress import Progress, Steps, finish
from .enhance import estimate_steps
from .estimate import Result, check_strength
from .looks import PUBLICATION, look_options
from .options import EnhanceKeywords, EnhanceOptions
from .plan import survey
from .settling import as_arrays, looks_rgb
from .survey import Survey


def enhance_alike(
    images: Sequence[Any],
    model: str | Path | Model = "auto",
    *,
    strength: float = 1.0,
    **options: Unpack[EnhanceKeywords],
) -> list[Result]:
    """Enhance the images of one figure between the same levels and by the same curve.

    Parameters
    ----------
    images : sequence of array_like, (..., Y, X) or (..., Y, X, 3 or 4)
        Of one data type, all in colour or none; their sizes may differ.
    model : str, Path or Model
        As of `enhance`; ``auto`` is that of the look.
    strength : float
        0 leaves the normalised input, 1 is the full effect.

    Returns
    -------
    list of Result
        One for each image.

    Other Parameters
    ----------------
    look : str, optional
        ``publication`` when not given.
    **options
        As of `enhance`.

    Raises
    ------
    TypeError, ValueError
        If the images differ in kind, or an option cannot be used.

    Examples
    --------
    >>> import numpy as np
    >>> from napari_lle.model import enhance_alike
    >>> control = np.arange(64, dtype=np.uint16).reshape(8, 8)
    >>> one, other = enhance_alike([control, control // 2])
    >>> one.levels == other.levels
    True
    """
    check_strength(strength)
    options["look"] = options.get("look") or PUBLICATION
    steps = alike_steps(as_arrays(list(images)), look_options(model=model, **options))
    return [estimate.result(strength) for estimate in finish(steps)]


def alike_steps(
    images: Sequence[Any], options: EnhanceOptions, known: Survey | None = None
) -> Generator[Progress, None, list[Any]]:
    """An estimate for each of several images, which may be lists of scales, finest first.

    Parameters
    ----------
    images : sequence
    options : EnhanceOptions
    known : Survey, optional
        Where it has been found already.
    """
    yield Progress(0, 1)
    if known is None:
        finest = [image[0] if isinstance(image, list) else image for image in images]
        known = common_survey(finest, options)
    found = []
    for number, image in enumerate(images):
        steps = Steps(estimate_steps(image, options, known))
        for done, total, note in steps:
            yield Progress(number * total + done, len(images) * total, note)
        found.append(steps.answer)
    return found


def common_survey(arrays: Sequence[Any], options: EnhanceOptions) -> Survey:
    """What is found of images that are treated alike.

    Raises
    ------
    ValueError
        If they are not of one kind.
    """
    kinds = {np.dtype(array.dtype).name for array in arrays}
    if len(kinds) > 1:
        raise ValueError(
            f"The same levels need images of one data type, not of {' and '.join(sorted(kinds))}: "
            "convert them, or choose others."
        )
    if options.rgb is None and len({looks_rgb(array.shape) for array in arrays}) > 1:
        raise ValueError(
            "The same levels need images that are all in colour or all grey: choose only one kind."
        )
    return survey(arrays, options, alike=True)
