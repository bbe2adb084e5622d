"""What a configuration says of a network: how far it looks, where tiles begin, its weights."""

from __future__ import annotations

from .config import NetworkConfig
from .formulas import BESIDE, CALM, CANDIDATES, EVIDENT, FIGURES, HALVINGS, MODULATING, SQUARE

COLOURS = 3
OUTPUTS = {"mixing": CANDIDATES, "guiding": COLOURS + 1}  # of H; elsewhere the colours
CURVE_UNITS = {
    "metering": "block.start",
    "cleaning": "block.stretch",
    "guiding": "block.stretch",
}


def inner_radius(config: NetworkConfig) -> int:
    """Pixels that H reads beyond its output: the branches', and three convolutions'."""
    return max(config.dilations) + 3


def radius(config: NetworkConfig) -> int:
    """Halo in pixels; at a reduced size two squares more, for the interpolation."""
    scale, inner = config.illumination_scale, inner_radius(config)
    if config.reflectance == "mixing":  # whole squares: a tile ends where it likes
        return SQUARE * (margins(inner)[-1] + 1 + CALM + EVIDENT + BESIDE)
    return inner if scale == 1 else scale * (inner + 2)


def grid(config: NetworkConfig) -> int:
    """Tiles begin at multiples of so many pixels."""
    return SQUARE if config.reflectance == "mixing" else config.illumination_scale


def margins(inner: int) -> list[int]:
    """Pixels around the result that each size of mixing must know, finest first, for H's radius."""
    found = [1]  # for the smoothing of what is not heard
    for _ in range(HALVINGS):
        found.append(-(-(found[-1] + inner) // 2) + 1)  # interpolation looks one further
    return found


def weight_shapes(config: NetworkConfig) -> dict[str, tuple[int, ...]]:
    """Shapes of all weights, by the names that they have in torch and in model files."""
    first, second = config.widths
    branch, count = config.branch_width, len(config.dilations)
    h, spliced = "block.residual.", COLOURS + branch * count
    layers = {
        **{f"{h}features.branches.{i}": (branch, COLOURS) for i in range(count)},
        f"{h}conv1": (first, spliced),
        f"{h}conv2": (second, first),
        f"{h}conv3": (OUTPUTS.get(config.reflectance, COLOURS), second),
        "auxiliary.conv1": (config.auxiliary_width, COLOURS),
        "auxiliary.conv2": (COLOURS, config.auxiliary_width),
    }
    found: dict[str, tuple[int, ...]] = {}
    for name, (outputs, inputs) in layers.items():
        found |= {f"{name}.weight": (outputs, inputs, 3, 3), f"{name}.bias": (outputs,)}
    if config.activation == "prelu":
        widths = {"features.activate": spliced - COLOURS, "act1": first, "act2": second}
        found |= {f"{h}{name}.weight": (width,) for name, width in widths.items()}
    figures = FIGURES if config.reflectance == "mixing" else len(MODULATING)
    for i, width in enumerate(config.widths[: config.modulated]):
        found[f"{h}shifts.{i}.weight"] = (width, figures)
    alone = CURVE_UNITS.get(config.reflectance)
    return found | ({alone: ()} if alone else {})
