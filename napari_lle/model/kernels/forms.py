"""What a network is to its kernel: the form of its block, a layout, packed weights and scalars."""

from __future__ import annotations

from collections.abc import Mapping
from math import exp
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..network.extent import COLOURS, OUTPUTS, inner_radius
from ..network.formulas import (
    FADES_BELOW,
    FAINTEST_MEAN,
    MODULATING,
    darkest,
    presence,
    vividness,
)
from ..preprocessing.screen import STRETCHED, TYPICAL, midtones
from ..preprocessing.statistics import ADAPTED, SEEN_NOISE

if TYPE_CHECKING:
    from ..network.config import NetworkConfig
    from ..network.network import Network
    from ..network.weights import Weights

# Division ends in two ways.
SOFTPLUS, SIGMOID, METERING, STRETCHING, CLEANING, GUIDING, MIXING = range(7)
NAMED = {
    "metering": METERING,
    "stretching": STRETCHING,
    "cleaning": CLEANING,
    "guiding": GUIDING,
    "mixing": MIXING,
}
FUSED_FORMS = ("division", *NAMED)
LARGEST_HALO = 256  # pixels of halo
VIEWS = 3  # that H has of a channel in mixing
H = "block.residual."  # how the names of its weights begin
Numbers = NDArray[np.float32]


class Layout(NamedTuple):
    """All that is fixed when a kernel is compiled."""

    form: int
    colours: int
    branch: int
    first: int
    second: int
    scale: int


class Packed(NamedTuple):
    """A network's weights for one image, in the order of the kernel's arguments."""

    dilations: NDArray[np.intp]
    branches: Numbers
    first: Numbers
    second: Numbers
    last: Numbers
    scalars: Numbers


def layout(config: NetworkConfig, colours: int) -> Layout:
    """The layout of a network for 3 colours, or for 1 that stands for three equal ones."""
    division = SOFTPLUS if config.positivity == "softplus" else SIGMOID
    form = NAMED.get(config.reflectance, division)
    form = CLEANING if form == GUIDING and config.illumination_scale == 1 else form
    colours = VIEWS if form == MIXING else colours  # each channel by itself
    return Layout(form, colours, config.branch_width, *config.widths, config.illumination_scale)


def outputs(config: NetworkConfig) -> int:
    """Of H, as far as its kernel needs them: guiding at full size is cleaning, see `guiding`."""
    full = config.reflectance == "guiding" and config.illumination_scale == 1
    return COLOURS if full else OUTPUTS.get(config.reflectance, COLOURS)


def plain(network: Network | Weights) -> bool:
    """Whether the block is one that the kernels know, not a stand-in, and fits into their rings."""
    return network.config.reflectance in FUSED_FORMS and _fits(network)


def trainable(network: Network) -> bool:
    """Whether H, if nothing else, is run by compiled code in training."""
    return _fits(network)


def _fits(network: Network | Weights) -> bool:
    return network.standard and inner_radius(network.config) <= LARGEST_HALO


def pack(network: Network | Weights, statistics: Any, colours: int) -> Packed:
    """Weights of a network for images of these statistics, (1, 12), or what else shifts its H."""
    config, arrays = network.config, network.weights().arrays
    figures = np.asarray(statistics, np.float32)
    shifting = figures if config.reflectance == "mixing" else figures[:, MODULATING]

    def layer(name: str, slopes: Numbers, merged: bool = False, shift: Any = 0) -> Numbers:
        taps, bias = arrays[f"{H}{name}.weight"], arrays[f"{H}{name}.bias"]
        if name == "conv3":  # whose last output guiding does without at full size
            taps, bias = taps[: len(slopes)], bias[: len(slopes)]
        return _packed_layer(_merged(taps) if merged else taps, bias + shift, slopes)

    def slopes(name: str, maps: int) -> Numbers:
        """Below zero; a ReLU has none."""
        return arrays.get(f"{H}{name}.weight", np.zeros(maps, np.float32))

    width, count, (first, second) = config.branch_width, len(config.dilations), config.widths
    bends = slopes("features.activate", width * count).reshape(count, width)
    branches = [layer(f"features.branches.{i}", bends[i], colours == 1) for i in range(count)]
    shifts = [
        (shifting @ arrays[f"{H}shifts.{i}.weight"].T)[0] if i < config.modulated else 0
        for i in range(2)
    ]
    return Packed(
        np.array(config.dilations, np.intp),
        np.stack(branches),
        layer("conv1", slopes("act1", first), colours == 1, shifts[0]),
        layer("conv2", slopes("act2", second), shift=shifts[1]),
        layer("conv3", np.ones(outputs(config), np.float32)),  # without an activation
        scalars(config, curve_unit(arrays), figures)[0],
    )


def _merged(taps: Numbers) -> Numbers:
    """Taps (out, in, 3, 3) whose first three inputs, which are equal, are summed."""
    return np.concatenate([taps[:, :3].sum(axis=1, keepdims=True), taps[:, 3:]], axis=1)


def _packed_layer(taps: Numbers, bias: Numbers, slopes: Numbers) -> Numbers:
    """Biases, slopes and taps as (in, 3, 3, out), see `lanes.convolve`."""
    return np.concatenate([bias, slopes, taps.transpose(1, 2, 3, 0).ravel()], dtype=np.float32)


def curve_unit(arrays: Mapping[str, Any]) -> float:
    """The stretch of metering and cleaning, in units of an image's mean; 0 of other forms."""
    if "block.stretch" in arrays:
        return exp(float(arrays["block.stretch"]))
    return float(arrays.get("block.start", 0.0))


def scalars(config: NetworkConfig, unit: float, statistics: Any) -> Numbers:
    """The figures of whole images that the pointwise arithmetic needs, (N, 5), see `blocks`.

    The unit is `curve_unit`, the statistics are (N, 12).
    """
    figures = np.asarray(statistics, np.float64)
    mean, lit, colour = figures[:, :3].T
    values: list[NDArray[np.floating[Any]]] = []
    if config.reflectance == "metering":
        values = [unit * np.sqrt(figures[:, ADAPTED] ** 2 + FAINTEST_MEAN**2), lit, colour]
    elif config.reflectance == "stretching":
        u = midtones(np.clip(figures[:, TYPICAL], *STRETCHED))
        values = [u, np.full_like(u, config.local)]
    elif config.reflectance in ("cleaning", "guiding"):
        lifted = darkest("cleaning", mean.astype(np.float32))
        own = unit * np.sqrt(figures[:, ADAPTED] ** 2 + FADES_BELOW**2)
        vivid = colour * vividness(lit, figures[:, SEEN_NOISE], config.vivid)
        values = [own, lit, vivid, presence(mean), lifted]
    found = np.zeros((len(figures), 5), np.float32)
    for i, column in enumerate(values):
        found[:, i] = column
    return found
