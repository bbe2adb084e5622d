"""The network of "A lightweight low-light image enhancement network" (ICAROB 2023).

An image S is reflectance times illumination, S = R L. One block estimates the illumination from
parallel dilated convolutions and three plain ones, and the enhanced image is `R = S / L`. In
training the block is applied T times with shared weights, each stage fed by an auxiliary block,
`V = S + K(R)`, which teaches all stages to agree; at inference the first stage alone remains.

Three forms of the block share everything else. *Division* is the paper's: `L = V + u` with
`u = H(V) > 0`, so that 0 <= R <= 1 and nothing can be invented. *Stretching* is for linear data:
the same division around the astronomers' automatic screen stretch, from which H departs locally
within bounds. *Cleaning* is for photographs: H corrects a stretched image, which removes noise and
lifts pixels that division leaves at 0; the illumination is then what it divided by, `L = S / R`.

All convolutions are valid: the caller pads once, by reflection, by `Network.radius`.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from math import expm1, log
from typing import Any, Literal, NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from .tiling import reflect

RESIDUAL_FLOOR = 2.0**-10  # keeps L > 0 where S = 0 and the activation underflows
DARKEST = 2.0**-9  # half an 8-bit step: cleaning takes pixels below for this dark, not for 0
BLACK = 1e-3  # mean brightness below which cleaning fades out, so that black stays black
MIDDLE = 0.25  # where the screen stretch puts the typical brightness
STRETCHED = (1e-3, 0.24)  # what is stretched; a brighter image is left nearly as it is
MODULATING = (1, 3, 4, 5)  # of the whole image's statistics: lit, contrast, chroma, noise
TYPICAL = 6  # the place of the typical brightness among them


@dataclass(frozen=True)
class NetworkConfig:
    """Every choice that fixes the network's shape and reading of the paper.

    Attributes
    ----------
    reflectance : {"division", "stretching", "cleaning"}
        The form of the block.
    dilations : tuple of int
        One 3x3 branch each (section 2.1); the default reaches 5 pixels.
    branch_width : int
        Feature maps per branch.
    widths : tuple of int
        Feature maps after the first and the second convolution of H (section 2.2).
    activation : {"relu", "prelu"}
        Inside H.
    positivity : {"softplus", "sigmoid"}
        What ends H in division, so that u > 0 and hence 0 <= R <= 1.
    modulated : int
        How many of H's first layers the whole image's statistics shift: 0, 1 or 2.
    stages : int
        T, the number of shared-weight stages in training.
    recursion : {"auxiliary", "literal"}
        Input of the next stage: V = S + E, or the letter of eq. 2, the illumination itself.
    auxiliary_width : int
        Feature maps inside K (eq. 3); training only.
    start : float
        Division: u of the untrained network, whose R is then the screen stretch with midtones
        m = u / (1 + 2u), divided by 1 + u. Cleaning: the same u, in units of the image's mean.
    local : float
        Stretching: octaves by which u may depart from that of the screen stretch; 0 is that
        stretch itself.
    """

    reflectance: Literal["division", "stretching", "cleaning"] = "division"
    dilations: tuple[int, ...] = (1, 2, 3, 5)
    branch_width: int = 2
    widths: tuple[int, int] = (6, 6)
    activation: Literal["relu", "prelu"] = "relu"
    positivity: Literal["softplus", "sigmoid"] = "softplus"
    modulated: int = 0
    stages: int = 3
    recursion: Literal["auxiliary", "literal"] = "auxiliary"
    auxiliary_width: int = 8
    start: float = 0.1
    local: float = 1.0

    def __post_init__(self) -> None:
        if not self.dilations or min(self.dilations) < 1:
            raise ValueError("dilations needs at least one branch, each of dilation 1 or more.")
        if min(self.branch_width, self.auxiliary_width, self.stages, *self.widths) < 1:
            raise ValueError("branch_width, widths, auxiliary_width and stages must be 1 or more.")
        choices = {
            "reflectance": ("division", "stretching", "cleaning"),
            "activation": ("relu", "prelu"),
            "positivity": ("softplus", "sigmoid"),
            "modulated": (0, 1, 2),
            "recursion": ("auxiliary", "literal"),
        }
        for name, allowed in choices.items():
            if getattr(self, name) not in allowed:
                raise ValueError(f"{name} is one of {allowed}, not {getattr(self, name)!r}.")
        if not RESIDUAL_FLOOR < self.start < 1:
            raise ValueError(f"start is a residual between 0.001 and 1, not {self.start}.")

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> NetworkConfig:
        """Rebuild from `to_dict`'s answer, lists standing for tuples; unknown names are errors."""
        plain: dict[str, Any] = {
            k: tuple(v) if isinstance(v, list) else v for k, v in values.items()
        }
        try:
            return cls(**plain)
        except TypeError as error:
            raise ValueError(f"Not a network configuration: {error}") from None

    def to_dict(self) -> dict[str, Any]:
        """The attributes as plain values."""
        return asdict(self)


class Stage(NamedTuple):
    """What one stage sees and makes, each of shape (N, 3, H, W)."""

    v: Tensor
    u: Tensor
    illumination: Tensor
    reflectance: Tensor
    e: Tensor


def pad(x: Tensor, radius: int) -> Tensor:
    """Extend (N, C, H, W) by `radius` reflected pixels on each side, however small the image."""
    height, width = x.shape[-2:]
    rows = torch.from_numpy(reflect(-radius, height + radius, height)).to(x.device)
    columns = torch.from_numpy(reflect(-radius, width + radius, width)).to(x.device)
    return x.index_select(-2, rows).index_select(-1, columns)


def crop(x: Tensor, margin: int) -> Tensor:
    """Drop `margin` pixels on each side of (..., H, W)."""
    return x if margin == 0 else x[..., margin:-margin, margin:-margin]


def activation(config: NetworkConfig, channels: int) -> nn.Module:
    """What follows a convolution of so many feature maps."""
    return nn.PReLU(channels, 0.1) if config.activation == "prelu" else nn.ReLU()


class FeatureExtraction(nn.Module):
    """Parallel dilated branches spliced with their input (improved Inception v2, section 2.1)."""

    def __init__(self, config: NetworkConfig) -> None:
        super().__init__()
        self.dilations = config.dilations
        self.radius = max(config.dilations)
        self.channels = 3 + config.branch_width * len(config.dilations)
        self.branches = nn.ModuleList(
            nn.Conv2d(3, config.branch_width, 3, dilation=d) for d in config.dilations
        )
        self.activate = activation(config, self.channels - 3)

    def forward(self, v: Tensor) -> Tensor:
        maps = [
            branch(crop(v, self.radius - dilation))
            for dilation, branch in zip(self.dilations, self.branches, strict=True)
        ]
        return torch.cat([crop(v, self.radius), self.activate(torch.cat(maps, dim=1))], dim=1)


class ResidualEstimation(nn.Module):
    """H: feature extraction and three 3x3 convolutions, shifted by what the whole image is like."""

    def __init__(self, config: NetworkConfig) -> None:
        super().__init__()
        first, second = config.widths
        self.features = FeatureExtraction(config)
        self.conv1 = nn.Conv2d(self.features.channels, first, 3)
        self.conv2 = nn.Conv2d(first, second, 3)
        self.conv3 = nn.Conv2d(second, 3, 3)
        self.radius = self.features.radius + 3
        self.act1, self.act2 = (activation(config, width) for width in config.widths)
        self.shifts = nn.ModuleList(
            nn.Linear(len(MODULATING), width, bias=False)
            for width in config.widths[: config.modulated]
        )
        for shift in self.shifts:
            nn.init.zeros_(shift.weight)  # type: ignore[arg-type]

    def forward(self, padded: Tensor, statistics: Tensor) -> Tensor:
        h = self.conv1(self.features(padded))
        h = self.conv2(self.act1(h + self._shift(0, statistics)))
        return self.conv3(self.act2(h + self._shift(1, statistics)))

    def _shift(self, layer: int, statistics: Tensor) -> Tensor | float:
        if layer >= len(self.shifts):
            return 0.0
        return self.shifts[layer](statistics[:, MODULATING])[:, :, None, None]


class AuxiliaryBlock(nn.Module):
    """K of eq. 3, on the reflectance; in training only. It starts at zero: all stages equal."""

    def __init__(self, config: NetworkConfig) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(3, config.auxiliary_width, 3)
        self.conv2 = nn.Conv2d(config.auxiliary_width, 3, 3)
        nn.init.zeros_(self.conv2.weight)
        nn.init.zeros_(self.conv2.bias)  # type: ignore[arg-type]

    def forward(self, reflectance: Tensor) -> Tensor:
        return self.conv2(torch.relu(self.conv1(pad(reflectance, 2))))


class Division(nn.Module):
    """The paper's block: ``L = V + u``, ``u = H(V) > 0``."""

    def __init__(self, config: NetworkConfig) -> None:
        super().__init__()
        self.positivity = config.positivity
        self.residual = ResidualEstimation(config)
        # u starts constant: the network begins as the stretch that astronomers use.
        start = config.start - RESIDUAL_FLOOR
        last = self.residual.conv3
        nn.init.zeros_(last.weight)
        bias = log(expm1(start)) if self.positivity == "softplus" else log(start / (1 - start))
        nn.init.constant_(last.bias, bias)  # type: ignore[arg-type]

    def darkest(self, statistics: Tensor) -> Tensor:
        """Zero: every pixel is divided as it is."""
        return torch.zeros_like(statistics[:, 0])

    def forward(self, padded: Tensor, statistics: Tensor) -> Tensor:
        h = self.residual(padded, statistics)
        u = F.softplus(h) if self.positivity == "softplus" else torch.sigmoid(h)
        return crop(padded, self.residual.radius) + u + RESIDUAL_FLOOR


class Stretching(nn.Module):
    """The block for linear data: ``L = (V + u) / (1 + u)``, u within octaves of the image's own.

    With the same u everywhere, R is the midtones transfer function that brings the typical
    brightness to `MIDDLE`, much as astronomers' automatic screen stretch does.
    """

    def __init__(self, config: NetworkConfig) -> None:
        super().__init__()
        self.local = config.local
        self.residual = ResidualEstimation(config)
        nn.init.zeros_(self.residual.conv3.weight)
        nn.init.zeros_(self.residual.conv3.bias)  # type: ignore[arg-type]

    def darkest(self, statistics: Tensor) -> Tensor:
        """Zero: every pixel is divided as it is."""
        return torch.zeros_like(statistics[:, 0])

    def forward(self, padded: Tensor, statistics: Tensor) -> Tensor:
        typical = statistics[:, TYPICAL, None, None, None].clamp(*STRETCHED)
        m = typical * (1 - MIDDLE) / (typical + MIDDLE - 2 * typical * MIDDLE)
        u = m / (1 - 2 * m)
        if self.local:
            stretched = padded * (1 + u) / (padded.clamp_min(0) + u)
            h = self.residual(2 * (stretched - 0.4), statistics)
            u = u * torch.exp2(self.local * torch.tanh(h))
        return (crop(padded, self.residual.radius) + u) / (1 + u)


class Cleaning(nn.Module):
    """The block for photographs: ``R = B + H(B)``, B a stretch of V, and ``L = V / R``.

    ``B = V / (V + k mean)`` hardly depends on the exposure, so one scene looks alike at any; a
    normally lit image enters as it is. Grey images stay grey because colour differences are
    multiplied by a figure that is 0 for them, and a black one stays black for a like reason.
    """

    def __init__(self, config: NetworkConfig) -> None:
        super().__init__()
        self.residual = ResidualEstimation(config)
        self.stretch = nn.Parameter(torch.tensor(log(config.start)))
        nn.init.zeros_(self.residual.conv3.weight)
        nn.init.zeros_(self.residual.conv3.bias)  # type: ignore[arg-type]

    def darkest(self, statistics: Tensor) -> Tensor:
        """What pixels below it are taken for; 0 in a black image."""
        return DARKEST * self._presence(statistics[:, 0])

    def reflectance(self, padded: Tensor, statistics: Tensor) -> Tensor:
        """R before it is made positive; the shape of `padded` less the halo."""
        mean, lit, colour = (statistics[:, i, None, None, None] for i in range(3))
        padded = padded.clamp_min(0)  # an auxiliary block may have subtracted too much
        stretched = padded / (padded + self.stretch.exp() * (mean.square() + BLACK**2).sqrt())
        base = lit * padded + (1 - lit) * stretched
        h = self.residual(2 * (base - 0.4), statistics)
        r = crop(base, self.residual.radius) + h
        grey = r.mean(dim=1, keepdim=True)
        return (grey + colour * (r - grey)) * self._presence(mean)

    @staticmethod
    def _presence(mean: Tensor) -> Tensor:
        """0 for a black image, 1 as soon as there is something to see."""
        return mean.square() / (mean.square() + BLACK**2)

    def forward(self, padded: Tensor, statistics: Tensor) -> Tensor:
        # R > 0 without a hard clamp, which would kill the gradient where the image is darkest.
        r = F.softplus(self.reflectance(padded, statistics), beta=512) + RESIDUAL_FLOOR
        darkest = self.darkest(statistics)[:, None, None, None]
        v = torch.maximum(crop(padded, self.residual.radius), darkest)
        return v.clamp_min(RESIDUAL_FLOOR) / r


BLOCKS: dict[str, type[Division | Stretching | Cleaning]] = {
    "division": Division,
    "stretching": Stretching,
    "cleaning": Cleaning,
}


class Network(nn.Module):
    """Shared-weight stages of illumination estimation, tied together by the auxiliary block.

    Parameters
    ----------
    config : NetworkConfig

    Attributes
    ----------
    block : Division, Stretching or Cleaning
        All that inference needs. Called with (N, 3, H + 2 radius, W + 2 radius) in 0..1 and the
        images' statistics, (N, 7), it returns the illumination, (N, 3, H, W), > 0.
    radius : int
        Halo in pixels that one block reads beyond its output; the receptive field is
        ``2 * radius + 1`` wide.
    """

    def __init__(self, config: NetworkConfig | None = None) -> None:
        super().__init__()
        self.config = config or NetworkConfig()
        self.block = BLOCKS[self.config.reflectance](self.config)
        self.auxiliary = AuxiliaryBlock(self.config)
        self.radius = self.block.residual.radius

    def forward(self, s: Tensor, statistics: Tensor, stages: int | None = None) -> list[Stage]:
        """Run all stages (eq. 2 and 3).

        Parameters
        ----------
        s : Tensor, (N, 3, H, W), 0..1
            The normalised input S.
        statistics : Tensor, (N, 7)
            Of the whole images that S may be a part of, see `statistics.image_statistics`.
        stages : int, optional
            T; the configuration's when not given.

        Returns
        -------
        list of Stage
            t = 1..T; the enhanced image is ``[0].reflectance``.
        """
        result: list[Stage] = []
        dividend = torch.maximum(s, self.block.darkest(statistics)[:, None, None, None])
        v = s
        for _ in range(self.config.stages if stages is None else stages):
            illumination = self.block(pad(v, self.radius), statistics)
            # V may dip below -u where K subtracts; S / L must stay finite.
            reflectance = dividend / illumination.clamp_min(RESIDUAL_FLOOR)
            e = self.auxiliary(reflectance)
            result.append(Stage(v, illumination - v, illumination, reflectance, e))
            v = illumination if self.config.recursion == "literal" else s + e
        return result

    def enhance(self, padded: Tensor, statistics: Tensor) -> Tensor:
        """R of one block; shapes as for `block`."""
        darkest = self.block.darkest(statistics)[:, None, None, None]
        return torch.maximum(crop(padded, self.radius), darkest) / self.block(padded, statistics)

    def inference_parameters(self) -> int:
        """Number of weights that inference needs: the block's."""
        return sum(p.numel() for p in self.block.parameters())
