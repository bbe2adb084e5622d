"""Look into the stages of a network on an image: what `enhance` is for the first of them."""

from __future__ import annotations

from pathlib import Path

import torch
from numpy.typing import ArrayLike

from ..inference.level_options import LevelOption
from ..inference.options import EnhanceOptions
from ..inference.plan import survey
from ..inference.planes import AUTO_TILE
from ..inference.settling import choose_model, settle
from ..network.checkpoint import Model
from ..preprocessing.sampling import as_array
from ..runtime.devices import choose_device
from .unrolled import Stages


def stages(
    image: ArrayLike,
    model: str | Path | Model = "auto",
    *,
    count: int | None = None,
    black: LevelOption = None,
    white: LevelOption = None,
    channels: str = "auto",
    device: str = "auto",
    tile: int | str = "auto",
    rgb: bool | None = None,
) -> Stages:
    """Look into the stages of a network on an image.

    Parameters
    ----------
    image : array_like, (..., Y, X) or (..., Y, X, 3 or 4)
        Integers, floats or booleans.
    model : str, Path or Model
    count : int, optional
        T, 1 or more; the number that the model was trained with when not given.
    black, white, channels, device, tile, rgb
        As in `enhance`.

    Returns
    -------
    Stages
        Nothing is computed but levels and statistics of the whole image.

    Raises
    ------
    TypeError, ValueError
        If the image or an option cannot be used; the message says what to change.

    Examples
    --------
    >>> import numpy as np
    >>> from napari_lle.model import stages
    >>> dark = np.random.default_rng(0).integers(0, 50, (16, 16), np.uint8)
    >>> found = stages(dark, count=5)
    >>> found["L"].shape
    (5, 16, 16)
    >>> found.plane().distances()[0].max
    0.0
    """
    data = as_array(image)
    options = EnhanceOptions(
        model=model, black=black, white=white, channels=channels, device=device, tile=tile, rgb=rgb
    )
    if channels == "luminance":
        raise ValueError("The stages see colours jointly or per channel: set channels to joint.")
    options = settle([data], options)
    if count is not None and count < 1:
        raise ValueError(f"The number of stages must be 1 or more, not {count}.")
    known = survey(data, options)
    loaded = choose_model(model, bool(options.rgb), known.levels.dtype, alone=False)
    where = torch.device(choose_device(device))
    return Stages(
        data,
        loaded,
        known,
        loaded.network.config.stages if count is None else count,
        where,
        AUTO_TILE[where.type] if tile == "auto" else int(tile),
        rgb=bool(options.rgb),
        per=options.channels == "per",
    )
