"""Every choice that fixes a network: one object, checked, kept in each model file."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Literal

from ..runtime.choices import check_choice, check_literals
from .kinds import tupled, unknown_name, wrong_kind

LARGEST_COUNT = 512  # of any width, dilation or count: a damaged file must not ask for all memory
SCALES = (1, 2, 4)  # of the illumination
MOST_VIVID = (1.0, 0.33)  # noise is 2.9 at most: no colour becomes its complement
RESIDUAL_FLOOR = 2.0**-10  # keeps L > 0 where S = 0 and the activation underflows


class ConfigError(ValueError):
    """A configuration that no network has; the message is one sentence for the user."""


class UnknownOption(ConfigError):
    """A configuration with a name that this version does not know."""

    def __init__(self, name: str) -> None:
        super().__init__(f"There is no network option {name}.")
        self.name = name


@dataclass(frozen=True)
class NetworkConfig:
    """Every choice that fixes the network's shape and reading of the paper.

    Attributes
    ----------
    reflectance : {"division", "metering", "stretching", "cleaning", "guiding",
        "correcting", "mixing"}
        The form of the block, see `blocks`.
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
        m = u / (1 + 2u), divided by 1 + u. Metering and cleaning: the same u, in units of the
        image's mean.
    local : float
        Stretching: octaves by which u may depart from that of the screen stretch; 0 is that
        stretch itself.
    vivid : tuple of float
        Cleaning and guiding: how much more vivid the colours of a dark image are made, and by how
        much less with each unit of its noise, see `formulas.vividness`.
    illumination_scale : {1, 2, 4}
        H sees the image so many times smaller, see `blocks.Block`.
    """

    reflectance: Literal[
        "division", "metering", "stretching", "cleaning", "guiding", "correcting", "mixing"
    ] = "division"
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
    vivid: tuple[float, float] = (0.0, 0.0)
    illumination_scale: int = 1

    def __post_init__(self) -> None:
        if not self.dilations or min(self.dilations) < 1:
            raise ConfigError("dilations needs at least one branch, each of dilation 1 or more.")
        if min(self.branch_width, self.auxiliary_width, self.stages, *self.widths) < 1:
            raise ConfigError("branch_width, widths, auxiliary_width and stages must be 1 or more.")
        if len(self.widths) != 2 or len(self.dilations) > LARGEST_COUNT:
            raise ConfigError("widths holds two numbers, dilations one for each branch.")
        sizes = (*self.dilations, *self.widths, self.branch_width, self.auxiliary_width)
        if max(*sizes, self.stages) > LARGEST_COUNT:
            raise ConfigError(f"dilations, widths and stages must be at most {LARGEST_COUNT}.")
        check_literals(self, ConfigError)
        check_choice("modulated", self.modulated, (0, 1, 2), ConfigError)
        check_choice("illumination_scale", self.illumination_scale, SCALES, ConfigError)
        if not RESIDUAL_FLOOR < self.start < 1:
            raise ConfigError(f"start must be a residual between 0.001 and 1, not {self.start}.")
        if self.reflectance == "mixing" and (self.illumination_scale != 1 or self.modulated != 2):
            raise ConfigError("The form mixing has an illumination_scale of 1 and modulated 2.")
        if not 0 <= self.local <= LARGEST_COUNT:
            raise ConfigError(f"local must be a number of octaves, 0 or more, not {self.local}.")
        limits = zip(self.vivid, MOST_VIVID, strict=False)
        if len(self.vivid) != 2 or not all(0 <= value <= most for value, most in limits):
            raise ConfigError(
                f"vivid holds two numbers, from 0 to {MOST_VIVID[0]} and to {MOST_VIVID[1]}, not "
                f"{self.vivid}."
            )

    @property
    def knows_noise(self) -> bool:
        """Whether the form looks at the noise of the whole image, see `preprocessing.noise`."""
        return self.reflectance == "mixing"

    @property
    def by_channel(self) -> bool:
        """Whether the form treats each channel by itself, so that one stands for three equal."""
        return self.reflectance == "mixing"

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> NetworkConfig:
        """Rebuild from `to_dict`'s answer, lists standing for tuples; unknown names are errors."""
        if not isinstance(values, dict):
            raise ConfigError("A network is described by names and values.")
        plain = tupled(values)
        unknown = unknown_name(cls, plain)
        if unknown:
            raise UnknownOption(unknown)
        wrong = wrong_kind(cls, plain)
        if wrong:
            raise ConfigError(f"The network option {wrong} cannot be {plain[wrong]!r}.")
        return cls(**plain)

    def to_dict(self) -> dict[str, Any]:
        """The attributes as plain values."""
        return asdict(self)
