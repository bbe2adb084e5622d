"""Arrays in, arrays out: enhance any image, tile by tile, on any device.

The network runs once and gives the illumination L of a whole image; everything after that is
arithmetic, see `estimate`.
"""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray

from .. import kernels
from ..network.bundled import GLOBAL, automatic_model, sized
from ..network.checkpoint import Model, load_model
from ..network.config import SCALES
from ..network.global_curve import one_curve
from ..network.network import Network
from ..preprocessing.levels import Levels, find_levels, network_input, normalized, sample
from ..preprocessing.statistics import Statistics, image_statistics
from ..runtime.devices import choose_device
from ..runtime.retry import SMALLEST_TILE
from ..version import __version__
from .estimate import Estimate, Result, check_strength
from .lazy import LazyEstimate, as_dask, excerpt, is_lazy
from .planes import AUTO_TILE, Seen, as_channels, fill_plane, fill_planes

CHANNELS = ("auto", "per", "joint")


class Survey(NamedTuple):
    """What is found once for a whole layer and holds for every plane and part of it."""

    levels: Levels
    statistics: Statistics


class Progress(NamedTuple):
    """One step of a long job: `done` of `total`, and at times something to tell the user."""

    done: int
    total: int
    note: str = ""


def enhance(
    image: ArrayLike,
    model: str | Path | Model = "auto",
    *,
    strength: float = 1.0,
    black: float | None = None,
    white: float | None = None,
    channels: str = "auto",
    device: str = "auto",
    tile: int | str = "auto",
    rgb: bool | None = None,
    illumination_scale: int | None = None,
) -> Result:
    """Enhance a dark image by dividing out its illumination.

    Parameters
    ----------
    image : array_like, (..., Y, X) or (..., Y, X, 3 or 4)
        Integers, floats or booleans. The last two spatial axes are processed as planes. Of dask
        or Zarr arrays only an excerpt is read now: the result is of dask arrays, which compute
        the planes, or parts of large ones, that are asked for.
    model : str, Path or Model
        A bundled name or a model file; ``auto`` is ``photo`` for uint8 RGB and ``linear``, which
        only divides, for everything else. With ``:global`` after it, e.g. ``auto:global``, one
        rising curve for the whole image, see `onecurve`.
    strength : float
        0 leaves the normalised input, 1 is the full effect: ``R = S / L^strength``.
    black, white : float, optional
        Levels in the input's units that become 0 and 1; found when not given (0 and 255 for
        uint8 RGB, else the 0.1 and 99.9 percentiles of the whole array).
    channels : {"auto", "per", "joint"}
        An illumination for each colour, or one for all, which keeps the ratios of colours.
        ``auto`` is ``per`` for uint8 RGB and ``joint`` for everything else.
    device : {"auto", "cpu", "cuda", "mps"}
    tile : int or "auto"
        Longest tile side in pixels; the result does not depend on it.
    rgb : bool, optional
        Whether the last axis holds colours; by default, if it has 3 or 4 entries.
    illumination_scale : {1, 2, 4}, optional
        What the network says is found at 1/1, 1/2 or 1/4 of the size and interpolated, which is
        faster. The model's own when not given. A bundled name stands for its sibling that was
        trained for that size, ``photo-half`` or ``photo-quarter``, which are softer; a loaded
        `Model` keeps its weights, which leave more noise.

    Returns
    -------
    Result

    Raises
    ------
    TypeError, ValueError
        If the image or an option cannot be used; the message says what to change.

    Examples
    --------
    >>> import numpy as np
    >>> from napari_lle.model import enhance, restore
    >>> dark = np.full((8, 8), 10, np.uint8)
    >>> result = enhance(dark, black=0, white=255)
    >>> bool((restore(result.reflectance, result.illumination, result.levels) == dark).all())
    True
    """
    options: dict[str, Any] = {
        "black": black,
        "white": white,
        "channels": channels,
        "device": device,
        "tile": tile,
        "rgb": rgb,
        "illumination_scale": illumination_scale,
    }
    if is_lazy(image):
        check_strength(strength)
        return lazy_estimate(image, model, **options).result(strength)
    steps = estimate_steps(image, model, **options)
    while True:
        try:
            next(steps)
        except StopIteration as stop:
            estimate: Estimate = stop.value
            return estimate.result(strength)


def estimate_steps(
    image: ArrayLike,
    model: str | Path | Model = "auto",
    *,
    black: float | None = None,
    white: float | None = None,
    channels: str = "auto",
    device: str = "auto",
    tile: int | str = "auto",
    rgb: bool | None = None,
    illumination_scale: int | None = None,
    known: Survey | None = None,
) -> Generator[Progress, None, Estimate]:
    """Find the illumination, yielding `Progress` after every tile and returning an `Estimate`.

    The parameters are those of `enhance`, and `known`, the survey of the whole that the image is
    a part of, which replaces levels of its own. Closing the generator cancels the work.
    """
    data: Any = image if hasattr(image, "shape") else np.asarray(image)
    plan = make_plan(
        data,
        model,
        black=black,
        white=white,
        channels=channels,
        device=device,
        tile=tile,
        rgb=rgb,
        illumination_scale=illumination_scale,
        known=known,
    )
    rgb, per, levels = plan.rgb, plan.per, plan.levels
    lead = tuple(data.shape[: -3 if rgb else -2])
    height, width = data.shape[len(lead) : len(lead) + 2]
    illumination = np.empty(
        (*lead, height, width, 3) if per else (*lead, height, width), np.float32
    )
    planes = list(np.ndindex(lead))

    def plane(i: int) -> tuple[Seen, NDArray[np.float32]]:
        pixels = np.asarray(data[planes[i]])
        return Seen(pixels, levels, rgb, per), illumination[planes[i]]

    steps = fill_planes(plan.network, plane, len(planes), plan.statistics, plan.size, plan.kernel)
    for step in steps:
        yield Progress(step.done, step.total, step.note)
    return Estimate(data, illumination, levels, rgb, plan.darkest, plan.record)


class Plan(NamedTuple):
    """All that is decided before the first pixel: holds for every plane and part of a layer."""

    levels: Levels
    rgb: bool
    per: bool
    network: Network
    statistics: torch.Tensor
    darkest: float
    size: int
    kernel: Any
    record: dict[str, Any]

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickled without the kernel, which is machine code: found again where the plan arrives."""
        return _arrived, (tuple(self._replace(kernel=None)), self.kernel is not None)

    def light(self, x: NDArray[np.float32]) -> NDArray[np.float32]:
        """The illumination of what the network sees, (Y, X) or (Y, X, 3), mirrored at its ends."""
        out = np.empty(x.shape, np.float32)
        seen = as_channels(x, self.per)
        for _ in fill_plane(self.network, seen, self.statistics, out, self.size, self.kernel):
            pass
        return out


def _arrived(fields: tuple[Any, ...], fused: bool) -> Plan:
    plan = Plan(*fields)
    where = plan.statistics.device.type
    kernel = kernels.find(plan.network, 3 if plan.per else 1, where) if fused else None
    return plan._replace(kernel=kernel)


def make_plan(
    data: Any,
    model: str | Path | Model = "auto",
    *,
    black: float | None = None,
    white: float | None = None,
    channels: str = "auto",
    device: str = "auto",
    tile: int | str = "auto",
    rgb: bool | None = None,
    illumination_scale: int | None = None,
    known: Survey | None = None,
) -> Plan:
    """Decide on levels, model and device for an array; the parameters are `estimate_steps`'s."""
    rgb = looks_rgb(data.shape) if rgb is None else rgb
    _check(data, rgb, channels, tile)
    if known is None:
        known = survey(data, channels=channels, black=black, white=white, rgb=rgb)
    levels = known.levels
    loaded = choose_model(model, rgb, levels.dtype, illumination_scale)
    where = choose_device(device)
    per = _per_channel(channels, rgb, levels.dtype)
    network = loaded.network.to(where)
    statistics = torch.tensor([known.statistics], dtype=torch.float32, device=where)
    kernel = kernels.find(network, 3 if per else 1, where.type)
    record = {
        "napari_lle": __version__,
        "torch": torch.__version__,
        "model": loaded.name,
        "model_digest": loaded.digest,
        "levels": {"black": levels.black, "white": levels.white, "dtype": levels.dtype},
        "statistics": known.statistics._asdict(),
        "channels": "per" if per else "joint",
        "rgb": rgb,
        "illumination_scale": network.grid,
        "device": where.type,
        "kernel": kernels.name(kernel),
    }
    if "uncertainty" in loaded.card:
        record["uncertainty"] = loaded.card["uncertainty"]
    darkest = float(network.block.darkest(statistics))
    size = AUTO_TILE[where.type] if tile == "auto" else int(tile)
    return Plan(levels, rgb, per, network, statistics, darkest, size, kernel, record)


def lazy_estimate(
    image: Any, model: str | Path | Model = "auto", known: Survey | None = None, **options: Any
) -> LazyEstimate:
    """The estimate of a dask or Zarr array, its levels and statistics taken from an excerpt.

    The options are those of `enhance`, without strength; `known` is as in `estimate_steps`.
    """
    plan = make_plan(image, model, known=known, **options)
    return LazyEstimate(
        as_dask(image),
        plan.light,
        halo=plan.network.radius,
        levels=plan.levels,
        rgb=plan.rgb,
        per=plan.per,
        darkest=plan.darkest,
        record=plan.record,
    )


def choose_model(
    model: str | Path | Model, rgb: bool, dtype: str, illumination_scale: int | None = None
) -> Model:
    """Load a model; ``auto`` stands for the one that suits the image."""
    if illumination_scale not in (None, *SCALES):
        raise ValueError(f"illumination_scale is 1, 2 or 4, not {illumination_scale!r}.")
    if isinstance(model, Model):
        return _at_scale(model, illumination_scale)
    mode = GLOBAL if str(model).endswith(GLOBAL) else ""
    name: str | Path = str(model).removesuffix(GLOBAL) if mode else model
    name = automatic_model(rgb, dtype) if name == "auto" else name
    loaded = _at_scale(load_model(sized(str(name), illumination_scale)), illumination_scale)
    return one_curve(loaded) if mode else loaded


def _at_scale(model: Model, scale: int | None) -> Model:
    return model if scale is None else replace(model, network=model.network.at_scale(scale))


def survey(
    image: ArrayLike,
    *,
    channels: str = "auto",
    black: float | None = None,
    white: float | None = None,
    rgb: bool | None = None,
) -> Survey:
    """Levels and statistics of a whole layer; the parameters are those of `enhance`."""
    data: Any = image if hasattr(image, "shape") else np.asarray(image)
    rgb = looks_rgb(data.shape) if rgb is None else rgb
    if is_lazy(data) and 0 not in data.shape:
        data = excerpt(data, rgb)
    levels = find_levels(data, rgb=rgb, black=black, white=white)
    x = network_input(normalized(sample(data, rgb=rgb), levels))
    if not _per_channel(channels, rgb, levels.dtype):
        grey = x.max(axis=-1) if rgb else x
        x = np.broadcast_to(grey[..., None], (*grey.shape, 3))
    return Survey(levels, image_statistics(x))


def looks_rgb(shape: tuple[int, ...]) -> bool:
    """Whether an array of this shape is taken for colour: three axes or more, 3 or 4 at the end."""
    return len(shape) > 2 and shape[-1] in (3, 4)


def _per_channel(channels: str, rgb: bool, dtype: str) -> bool:
    """Each colour has an illumination of its own: asked for, or a photograph."""
    return rgb and (channels == "per" or (channels == "auto" and dtype == "uint8"))


def _check(data: Any, rgb: bool, channels: str, tile: int | str) -> None:
    if channels not in CHANNELS:
        raise ValueError(f"channels is one of {', '.join(CHANNELS)}, not {channels!r}.")
    if tile != "auto" and (isinstance(tile, str) or tile < SMALLEST_TILE):
        raise ValueError(f"tile is auto or a number of {SMALLEST_TILE} or more, not {tile!r}.")
    if data.ndim < (3 if rgb else 2):
        raise ValueError(f"An image has two spatial axes; this array's shape is {data.shape}.")
    if rgb and data.shape[-1] not in (3, 4):
        raise ValueError(f"The last axis of RGB data has 3 or 4 entries, not {data.shape[-1]}.")
