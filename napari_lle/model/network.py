"""The network of "A lightweight low-light image enhancement network" (ICAROB 2023).

An image S is reflectance times illumination, S = R L. One block estimates the illumination
from parallel dilated convolutions and three plain ones, `L = V + u` with `u = H(V) > 0`, and
the enhanced image is `R = S / L`. In training the block is applied T times with shared weights,
each stage fed by an auxiliary block, `V = S + K(R)`, which teaches all stages to agree; at
inference the first stage alone remains.

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


@dataclass(frozen=True)
class NetworkConfig:
    """Every choice that fixes the network's shape and reading of the paper.

    Attributes
    ----------
    dilations : tuple of int
        One 3x3 branch each (section 2.1); the default reaches 5 pixels.
    branch_width : int
        Feature maps per branch.
    widths : tuple of int
        Feature maps after the first and the second convolution of H (section 2.2).
    positivity : {"softplus", "sigmoid"}
        What ends H, so that u > 0 and hence 0 <= R <= 1.
    stages : int
        T, the number of shared-weight stages in training.
    recursion : {"auxiliary", "literal"}
        Input of the next stage: V = S + E, or the letter of eq. 2, the illumination itself.
    auxiliary_width : int
        Feature maps inside K (eq. 3); training only.
    start : float
        u of the untrained network. The untrained R is then the screen stretch with midtones
        m = u / (1 + 2u), divided by 1 + u.
    """

    dilations: tuple[int, ...] = (1, 2, 3, 5)
    branch_width: int = 2
    widths: tuple[int, int] = (6, 6)
    positivity: Literal["softplus", "sigmoid"] = "softplus"
    stages: int = 3
    recursion: Literal["auxiliary", "literal"] = "auxiliary"
    auxiliary_width: int = 8
    start: float = 0.1

    def __post_init__(self) -> None:
        if not self.dilations or min(self.dilations) < 1:
            raise ValueError("dilations needs at least one branch, each of dilation 1 or more.")
        if min(self.branch_width, self.auxiliary_width, self.stages, *self.widths) < 1:
            raise ValueError("branch_width, widths, auxiliary_width and stages must be 1 or more.")
        if self.positivity not in ("softplus", "sigmoid"):
            raise ValueError(f"positivity is softplus or sigmoid, not {self.positivity!r}.")
        if self.recursion not in ("auxiliary", "literal"):
            raise ValueError(f"recursion is auxiliary or literal, not {self.recursion!r}.")
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

    def forward(self, v: Tensor) -> Tensor:
        maps = [
            torch.relu(branch(crop(v, self.radius - dilation)))
            for dilation, branch in zip(self.dilations, self.branches, strict=True)
        ]
        return torch.cat([crop(v, self.radius), *maps], dim=1)


class ResidualEstimation(nn.Module):
    """H: feature extraction and three 3x3 convolutions that end positive."""

    def __init__(self, config: NetworkConfig) -> None:
        super().__init__()
        first, second = config.widths
        self.positivity = config.positivity
        self.features = FeatureExtraction(config)
        self.conv1 = nn.Conv2d(self.features.channels, first, 3)
        self.conv2 = nn.Conv2d(first, second, 3)
        self.conv3 = nn.Conv2d(second, 3, 3)
        self.radius = self.features.radius + 3
        # u starts constant: the network begins as the stretch that astronomers use.
        start = config.start - RESIDUAL_FLOOR
        nn.init.zeros_(self.conv3.weight)
        bias = log(expm1(start)) if self.positivity == "softplus" else log(start / (1 - start))
        nn.init.constant_(self.conv3.bias, bias)  # type: ignore[arg-type]

    def forward(self, padded: Tensor) -> Tensor:
        h = torch.relu(self.conv1(self.features(padded)))
        h = self.conv3(torch.relu(self.conv2(h)))
        u = F.softplus(h) if self.positivity == "softplus" else torch.sigmoid(h)
        return u + RESIDUAL_FLOOR


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


class Network(nn.Module):
    """Shared-weight stages of illumination estimation, tied together by the auxiliary block.

    Parameters
    ----------
    config : NetworkConfig

    Attributes
    ----------
    radius : int
        Halo in pixels that one block reads beyond its output; the receptive field is
        ``2 * radius + 1`` wide.
    """

    def __init__(self, config: NetworkConfig | None = None) -> None:
        super().__init__()
        self.config = config or NetworkConfig()
        self.residual = ResidualEstimation(self.config)
        self.auxiliary = AuxiliaryBlock(self.config)
        self.radius = self.residual.radius

    def illumination(self, padded: Tensor) -> Tensor:
        """L_1, the one block of inference.

        Parameters
        ----------
        padded : Tensor, (N, 3, H + 2 radius, W + 2 radius), 0..1

        Returns
        -------
        Tensor, (N, 3, H, W), > 0
        """
        return crop(padded, self.radius) + self.residual(padded)

    def forward(self, s: Tensor, stages: int | None = None) -> list[Stage]:
        """Run all stages (eq. 2 and 3).

        Parameters
        ----------
        s : Tensor, (N, 3, H, W), 0..1
            The normalised input S.
        stages : int, optional
            T; the configuration's when not given.

        Returns
        -------
        list of Stage
            t = 1..T; the enhanced image is ``[0].reflectance``.
        """
        result: list[Stage] = []
        v = s
        for _ in range(self.config.stages if stages is None else stages):
            u = self.residual(pad(v, self.radius))
            illumination = v + u
            # V may dip below -u where K subtracts; S / L must stay finite.
            reflectance = s / illumination.clamp_min(RESIDUAL_FLOOR)
            e = self.auxiliary(reflectance)
            result.append(Stage(v, u, illumination, reflectance, e))
            v = illumination if self.config.recursion == "literal" else s + e
        return result

    def inference_parameters(self) -> int:
        """Number of weights that inference needs: H alone."""
        return sum(p.numel() for p in self.residual.parameters())
