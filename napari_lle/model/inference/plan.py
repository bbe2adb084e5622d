"""All that is decided before the first pixel: levels, statistics, model, device and kernel.

It holds for every plane, part and scale of what one run enhances: an image, or images that share
one illumination.
"""

from __future__ import annotations

from copy import deepcopy
from dataclasses import replace
from functools import cache
from importlib.metadata import version
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from .. import kernels
from ..io.roles import STANDING
from ..network.bundled import is_stretch
from ..network.checkpoint import Model
from ..network.formulas import darkest
from ..preprocessing.levels import AnyLevels
from ..preprocessing.screen import MIDDLE, TYPICAL
from ..progress import finish
from ..runtime.devices import choose_device
from ..version import __version__
from .options import DEFAULTS, EnhanceOptions
from .planes import AUTO_TILE, UNIT, as_channels, fill_plane, see
from .settling import as_arrays, model_of, settle
from .standing import standing
from .survey import Survey, find_survey, share_clipped
from .tone import Tone

if TYPE_CHECKING:
    from ..network.network import Network
    from ..network.weights import Weights

BY_BACKGROUND = ("stretching", "mixing")  # forms whose brightness the background alone decides


class Plan(NamedTuple):
    """All that is decided before the first pixel.

    Attributes
    ----------
    options : EnhanceOptions
        With nothing left open, see `settle`.
    known : Survey
    network : Network or Weights
        On its device; weights where a kernel on a CPU does without torch.
    statistics : ndarray, (1, 11)
    device : {"cpu", "cuda", "mps"}
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
    network: Network | Weights
    statistics: NDArray[np.float32]
    device: str
    darkest: float
    size: int
    kernel: Any
    record: dict[str, Any]

    @property
    def levels(self) -> AnyLevels:
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
    def luminance(self) -> bool:
        """The mean of the colours is what the network sees."""
        return self.options.channels == "luminance"

    @property
    def bounded(self) -> bool:
        """No colour of R may exceed 1, see `Estimate.bounded`."""
        return self.luminance and self.options.clip == "rescale"

    @property
    def shared(self) -> bool:
        """Several images, or the channels along an axis, have one illumination."""
        return len(self.known.each) > 1 or self.options.channel_axis is not None

    def of_brightest(self) -> Plan:
        """The plan for the brightest of what shares an illumination, 0..1, see `brightest`."""
        options = replace(self.options, channel_axis=None)
        return self._replace(options=options, known=self.known._replace(each=(UNIT,)))

    def see(self, pixels: NDArray[Any]) -> NDArray[np.float32]:
        """What the network sees of pixels of the image."""
        return see(pixels, self.levels, self.rgb, self.per, self.luminance)

    def light(self, x: NDArray[np.float32]) -> NDArray[np.float32]:
        """The illumination of what the network sees, (Y, X) or (Y, X, 3), mirrored at its ends."""
        out = np.empty(x.shape, np.float32)
        seen = as_channels(x, self.per)
        finish(fill_plane(self.network, seen, self.statistics, out, self.size, self.kernel))
        return self.tone.of(x, out, self.known.statistics.typical, self.darkest)

    @property
    def tone(self) -> Tone:
        """What is made of the illumination that the network finds."""
        return Tone(self.options.brightness, self.options.denoise)

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickled without the kernel, which is machine code: found again where the plan arrives."""
        return _arrived, (tuple(self._replace(kernel=None)), self.kernel is not None)


def _arrived(values: tuple[Any, ...], fused: bool) -> Plan:
    plan = Plan(*values)
    colours = 3 if plan.per else 1
    kernel = kernels.find(plan.network, colours, plan.device) if fused else None
    return plan._replace(kernel=kernel)


def survey(images: Any, options: EnhanceOptions = DEFAULTS, *, alike: bool = False) -> Survey:
    """Levels and statistics of an array, or of a list of arrays that share an illumination.

    The noise is among them where the options' model looks at it. Arrays that are `alike` share
    levels and statistics instead.
    """
    arrays = as_arrays(images)
    options = settle(arrays[:1] if alike else arrays, options)
    dtype = np.dtype(arrays[0].dtype).name
    model = model_of(options, dtype, alike or len(arrays) == 1)
    return _survey(arrays, options, model, alike)


def _survey(
    arrays: list[Any], options: EnhanceOptions, model: Model, alike: bool = False
) -> Survey:
    aimed = _aimed(options, model)
    curve, noise = is_stretch(model.name), model.config.knows_noise
    known = find_survey(arrays, aimed, noise=noise, alike=alike)
    return known if curve else known.for_screen_stretch()


def _aimed(options: EnhanceOptions, model: Model) -> EnhanceOptions:
    """The options with a brightness for the background, where its black is asked for.

    Raises
    ------
    ValueError
        If the background is to have a brightness that the model does not bring it to.
    """
    stretches = model.config.reflectance in BY_BACKGROUND
    if options.sky and not stretches:
        raise ValueError(
            f"The model {model.name} cannot set the brightness of the background: leave sky out, "
            "or use linear, science or a stretch."
        )
    if options.sky is None and options.near_sky and stretches:
        return replace(options, sky=MIDDLE)
    return options


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
    dtype = np.dtype(arrays[0].dtype).name if known is None else known.levels.dtype
    loaded = model_of(options, dtype, len(arrays) == 1)
    options = _aimed(options, loaded)
    if known is None:
        known = _survey(arrays, options, loaded)
    elif options.channel_axis is not None:  # a part may have fewer axes than the whole
        axis = options.channel_axis - arrays[0].ndim
        known = known._replace(each=tuple(levels.moved(axis) for levels in known.each))
    device = choose_device(options.device)
    network, kernel = _runnable(loaded, device, 3 if options.channels == "per" else 1, known.aim)
    statistics = np.array([known.statistics], np.float32)
    if options.denoise is not None and loaded.config.reflectance not in BY_BACKGROUND:
        raise ValueError(
            f"The model {loaded.name} has no adjustable noise removal: leave denoise out, or use "
            "linear or science."
        )
    size = AUTO_TILE[device] if options.tile == "auto" else int(options.tile)
    (lifted,) = darkest(loaded.config.reflectance, statistics[:, 0])
    options = replace(options, model=loaded.name)
    plan = Plan(options, known, network, statistics, device, float(lifted), size, kernel, {})
    plan = plan._replace(record=_record(plan, loaded))
    if options.clipped is not None:
        plan.record["clipped"] = share_clipped(arrays, known.each, options)
    # What shares an illumination keeps its ratios, which lifting dark values would change.
    return plan._replace(darkest=0.0) if plan.shared else plan


def _runnable(
    model: Model, device: str, colours: int, aim: float
) -> tuple[Network | Weights, Any | None]:
    """The network on its device and its kernel; by torch only where nothing else can run it."""
    curve = is_stretch(model.name)
    if device == "cpu" and not curve:
        kernel = kernels.find(model.source, colours)
        return (model.network if kernel is None else model.source), kernel
    network: Any = deepcopy(model.network).to(device)
    if curve:
        network.block.aim = aim
    return network, kernels.find(network, colours, device)


_version_of = cache(version)  # which reads a file


def _record(plan: Plan, loaded: Model) -> dict[str, Any]:
    """How results of a plan are made, as plain values that are enough to repeat it."""
    options, network, known = plan.options, plan.network, plan.known
    record: dict[str, Any] = {
        "napari_lle": __version__,
        "torch": _version_of("torch"),
        "model": loaded.name,
        "model_digest": loaded.digest,
        "levels": plan.levels.as_record(),
        "statistics": known.statistics._asdict(),
        "channels": options.channels,
        STANDING: standing(loaded.name, options.channels),
        "rgb": plan.rgb,
        "illumination_scale": network.config.illumination_scale,
        "device": plan.device,
        "kernel": kernels.name(plan.kernel),
    }
    if plan.luminance:
        record["clip"] = options.clip
    for name in ("sky", "look", *Tone._fields):
        value = getattr(options, name)
        if value is not None and value != "":
            record[name] = value
    if is_stretch(loaded.name):
        block: Any = network.block  # type: ignore[union-attr]
        record["stretch"] = block.chosen(float(plan.statistics[0, TYPICAL]))
    if "uncertainty" in loaded.card:
        record["uncertainty"] = loaded.card["uncertainty"]
    if plan.shared:
        record["channel_axis"] = options.channel_axis
    if len(known.each) > 1:
        record["together"] = [each.as_record() for each in known.each]
    return record
