"""All that is decided before the first pixel: levels, statistics, model, device and kernel.

It holds for every plane, part and scale of what one run enhances: an image, or images that share
one illumination.
"""

from __future__ import annotations

from collections.abc import Sequence
from copy import deepcopy
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray

from .. import kernels
from ..network.bundled import GLOBAL, automatic_model, sized
from ..network.checkpoint import Model, recent_model
from ..network.global_curve import one_curve
from ..network.network import Network
from ..preprocessing.levels import Levels, find_levels, sample
from ..preprocessing.noise import fit_noise
from ..preprocessing.statistics import Statistics, image_statistics
from ..progress import finish
from ..runtime.devices import choose_device
from ..version import __version__
from .lazy import in_memory
from .options import DEFAULTS, EnhanceOptions
from .planes import AUTO_TILE, UNIT, as_channels, fill_plane, see
from .shared_illumination import brightest, check_together


class Survey(NamedTuple):
    """What is found once for whole images and holds for every plane and part of them.

    Attributes
    ----------
    each : tuple of Levels
        Of each image.
    statistics : Statistics
        Of the image, or of the brightest of those that share an illumination.
    """

    each: tuple[Levels, ...]
    statistics: Statistics

    @property
    def levels(self) -> Levels:
        """Of the first image, which mostly is the only one."""
        return self.each[0]


class Plan(NamedTuple):
    """All that is decided before the first pixel.

    Attributes
    ----------
    options : EnhanceOptions
        With nothing left open, see `settle`.
    known : Survey
    network : Network
        On its device, where `statistics`, (1, 10), are, too.
    darkest : float
        See `Estimate.darkest`.
    size : int
        Longest tile side.
    kernel : object or None
        See `kernels.find`.
    record : dict
    """

    options: EnhanceOptions
    known: Survey
    network: Network
    statistics: torch.Tensor
    darkest: float
    size: int
    kernel: Any
    record: dict[str, Any]

    @property
    def levels(self) -> Levels:
        """Of the first image."""
        return self.known.levels

    @property
    def rgb(self) -> bool:
        """The last axis holds colours."""
        return bool(self.options.rgb)

    @property
    def per(self) -> bool:
        """Each colour has an illumination of its own."""
        return self.options.channels == "per"

    @property
    def shared(self) -> bool:
        """Several images, or the channels along an axis, have one illumination."""
        return len(self.known.each) > 1 or self.options.channel_axis is not None

    def of_brightest(self) -> Plan:
        """The plan for the brightest of what shares an illumination, 0..1, see `brightest`."""
        options = replace(self.options, channel_axis=None)
        return self._replace(options=options, known=self.known._replace(each=(UNIT,)))

    def light(self, x: NDArray[np.float32]) -> NDArray[np.float32]:
        """The illumination of what the network sees, (Y, X) or (Y, X, 3), mirrored at its ends."""
        out = np.empty(x.shape, np.float32)
        seen = as_channels(x, self.per)
        finish(fill_plane(self.network, seen, self.statistics, out, self.size, self.kernel))
        return out

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickled without the kernel, which is machine code: found again where the plan arrives."""
        return _arrived, (tuple(self._replace(kernel=None)), self.kernel is not None)


def _arrived(values: tuple[Any, ...], fused: bool) -> Plan:
    plan = Plan(*values)
    where = plan.statistics.device.type
    kernel = kernels.find(plan.network, 3 if plan.per else 1, where) if fused else None
    return plan._replace(kernel=kernel)


def survey(images: Any, options: EnhanceOptions = DEFAULTS) -> Survey:
    """Levels and statistics of an array, or of a list of arrays that share an illumination.

    The noise is among them where the options' model looks at it.
    """
    arrays = as_arrays(images)
    options = settle(arrays, options)
    dtype = np.dtype(arrays[0].dtype).name
    return _survey(arrays, options, _chosen(options, dtype).network.config.knows_noise)


def _survey(arrays: list[Any], options: EnhanceOptions, noise: bool) -> Survey:
    rgb, axis = bool(options.rgb), options.channel_axis
    parts = [in_memory(array, rgb) for array in arrays]
    shared = len(arrays) > 1 or axis is not None
    squares = None if shared or parts[0].size == 0 else sample(parts[0], rgb=rgb)
    levels = tuple(
        find_levels(part, rgb=rgb, black=black, white=white, squares=squares)
        for part, (black, white) in zip(parts, options.level_pairs(len(arrays)), strict=True)
    )
    if squares is None:
        x = sample(in_memory(brightest(arrays, levels, axis), False))
    elif squares.dtype == np.uint8 and (levels[0].black, levels[0].white) == (0, 255):
        x = squares if options.channels == "per" or not rgb else squares.max(axis=-1)
    else:
        x = see(squares, levels[0], rgb, options.channels == "per")
    known = image_statistics(x if options.channels == "per" else x[..., None])
    return Survey(levels, _with_noise(known, parts, levels, rgb) if noise else known)


def _with_noise(
    known: Statistics, images: list[Any], levels: tuple[Levels, ...], rgb: bool
) -> Statistics:
    """The statistics with the noise of normalised images, their mean where there are several."""
    found = []
    for image, each in zip(images, levels, strict=True):
        noise = fit_noise(image, rgb=rgb)
        found.append((*noise.normalized(each.black, each.white), noise.grain))
    shot, floor, grain = np.mean(found, axis=0).tolist()
    return known._replace(shot=shot, floor=floor, grain=grain)


def make_plan(images: Any, options: EnhanceOptions = DEFAULTS, known: Survey | None = None) -> Plan:
    """Decide on all that holds for an array, or for a list of arrays that share an illumination.

    Parameters
    ----------
    images : array, or list of arrays
    options : EnhanceOptions
    known : Survey, optional
        Of the whole that the images are a part of; the options' levels are passed over then.
    """
    arrays = as_arrays(images)
    options = settle(arrays, options)
    rgb, per = bool(options.rgb), options.channels == "per"
    dtype = np.dtype(arrays[0].dtype).name if known is None else known.levels.dtype
    loaded = _chosen(options, dtype)
    if known is None:
        known = _survey(arrays, options, loaded.network.config.knows_noise)
    levels = known.levels
    where = choose_device(options.device)
    network = loaded.network if where.type == "cpu" else deepcopy(loaded.network).to(where)
    statistics = torch.tensor([known.statistics], dtype=torch.float32, device=where)
    kernel = kernels.find(network, 3 if per else 1, where.type)
    record = {
        "napari_lle": __version__,
        "torch": torch.__version__,
        "model": loaded.name,
        "model_digest": loaded.digest,
        "levels": dict(vars(levels)),
        "statistics": known.statistics._asdict(),
        "channels": options.channels,
        "rgb": rgb,
        "illumination_scale": network.config.illumination_scale,
        "device": where.type,
        "kernel": kernels.name(kernel),
    }
    if "uncertainty" in loaded.card:
        record["uncertainty"] = loaded.card["uncertainty"]
    size = AUTO_TILE[where.type] if options.tile == "auto" else int(options.tile)
    darkest = float(network.block.darkest(statistics))
    options = replace(options, model=loaded.name)
    plan = Plan(options, known, network, statistics, darkest, size, kernel, record)
    # What shares an illumination keeps its ratios, which lifting dark values would change.
    return plan._replace(darkest=0.0, record=_shared(record, plan)) if plan.shared else plan


def _shared(record: dict[str, Any], plan: Plan) -> dict[str, Any]:
    """The record of images that share an illumination."""
    record = {**record, "channel_axis": plan.options.channel_axis}
    if len(plan.known.each) > 1:
        record["together"] = [{"black": e.black, "white": e.white} for e in plan.known.each]
    return record


def as_arrays(images: Any) -> list[Any]:
    """One array, or several in a list, as a list of arrays."""
    several = [images] if hasattr(images, "shape") else images
    return [each if hasattr(each, "shape") else np.asarray(each) for each in several]


def settle(arrays: Sequence[Any], options: EnhanceOptions) -> EnhanceOptions:
    """Decide what the options leave open: whether there are colours, and ``per`` or ``joint``.

    Raises
    ------
    ValueError
        If the arrays are of no shape for an image, or cannot share an illumination.
    """
    axis = options.channel_axis
    if len(arrays) != 1 or axis is not None:
        axis = check_together(arrays, axis)
        return replace(options, rgb=False, channels="joint", channel_axis=axis)
    shape = tuple(arrays[0].shape)
    rgb = looks_rgb(shape) if options.rgb is None else options.rgb
    if len(shape) < (3 if rgb else 2):
        raise ValueError(f"An image has two spatial axes; this array's shape is {shape}.")
    if rgb and shape[-1] not in (3, 4):
        raise ValueError(f"The last axis of RGB data has 3 or 4 entries, not {shape[-1]}.")
    photograph = options.channels == "auto" and arrays[0].dtype == np.uint8
    per = rgb and (photograph or options.channels == "per")
    return replace(options, rgb=rgb, channels="per" if per else "joint")


def looks_rgb(shape: tuple[int, ...]) -> bool:
    """Whether an array of this shape is taken for colour: three axes or more, 3 or 4 at the end."""
    return len(shape) > 2 and shape[-1] in (3, 4)


def choose_model(
    model: str | Path | Model, rgb: bool, dtype: str, illumination_scale: int | None = None
) -> Model:
    """Load a model; ``auto`` stands for the one that suits the image."""
    if isinstance(model, Model):
        return _at_scale(model, illumination_scale)
    mode = GLOBAL if str(model).endswith(GLOBAL) else ""
    name: str | Path = str(model).removesuffix(GLOBAL) if mode else model
    name = automatic_model(rgb, dtype) if name == "auto" else name
    loaded = _at_scale(recent_model(sized(str(name), illumination_scale)), illumination_scale)
    return one_curve(loaded) if mode else loaded


def _chosen(options: EnhanceOptions, dtype: str) -> Model:
    return choose_model(options.model, bool(options.rgb), dtype, options.illumination_scale)


def _at_scale(model: Model, scale: int | None) -> Model:
    return model if scale is None else replace(model, network=model.network.at_scale(scale))
