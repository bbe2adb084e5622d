"""What a training run is made of: one object, checked, written to YAML and into the card."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from math import isfinite
from typing import Any, Literal

from ..data.crops import Augmentation
from ..network.kinds import tupled, unknown_name, wrong_kind
from ..network.network import NetworkConfig
from ..runtime.choices import check_literals
from .course import Course


class TrainingError(ValueError):
    """Training that cannot start or has failed; the message is one sentence for the user."""


class Diverged(TrainingError):
    """Training that went astray on its way; what it had reached before still stands."""


# What suits a minute or two on grey data of one's own, from references or from noise alone.
SCIENCE: dict[str, Any] = {
    "network": {
        "reflectance": "correcting",
        "activation": "prelu",
        "widths": [6, 5],
        "modulated": 2,
    },
    "batch": 6,
    "crop": 64,
    "learning_rate": 0.01,
    "betas": [0.9, 0.99],
    "average": 0.99,
    "absolute": 0.0,
    "structure": 0.0,
    "relative": 0.0,
    "squared": 1.0,
    "auxiliary": 0.0,
    "levels": "common",
    "augmentation": {"exposure": 0.0, "lit": 0.0},
    "validate_every": 250,
}

# The same from a model that has learned it from others' data: smaller steps, and few large crops,
# for each is seen with 304 pixels around it.
FROM_SCIENCE: dict[str, Any] = {
    **{name: value for name, value in SCIENCE.items() if name != "network"},
    "base": "science",
    "batch": 3,
    "crop": 160,
    "learning_rate": 0.002,
    "validate_every": 100,
}

# The paper's gammas, and the anchor that its losses lack. A term added to `objectives.TERMS`
# gets its weight here, 0 to leave earlier runs as they were.
WEIGHTS = {
    "fidelity": 0.8,
    "smoothness": 0.65,
    "perceptual": 0.5,
    "exposure": 10.0,
    "agreement": 1.0,
}


@dataclass(frozen=True)
class Paper:
    """Readings of eq. 4 to 7, for the objective that needs no references.

    Attributes
    ----------
    weights : dict of str to float
        Of the terms; those not named keep their default.
    reduction : {"mean", "sum"}
        Of eq. 5; "sum" is the letter.
    fidelity_from : int
        First stage, counted from 1, whose fidelity counts; 1 is the letter.
    form : {"isotropic", "clamped", "absolute"}
        Of eq. 6; the last two are the letter made differentiable.
    normaliser : {"product", "sum"}
        Of eq. 7; "sum" is the letter.
    exposure : float or None
        Mean of R_1 to reach, 0..1; None is the letter, which fixes no brightness.
    vgg : str or None
        File of VGG16's weights, or "official" for torchvision's, see `vgg.download`; without one
        the weight of "perceptual" must be 0.
    convention : {"torchvision", "caffe"}
        What these weights expect, see `vgg.VGG16`.
    layers : tuple of str
        Feature maps compared in eq. 7.
    """

    weights: dict[str, float] = field(default_factory=dict)
    reduction: Literal["mean", "sum"] = "mean"
    fidelity_from: int = 1
    form: Literal["isotropic", "clamped", "absolute"] = "isotropic"
    normaliser: Literal["product", "sum"] = "product"
    exposure: float | None = 0.45
    vgg: str | None = None
    convention: Literal["torchvision", "caffe"] = "torchvision"
    layers: tuple[str, ...] = ("relu2_2",)

    def __post_init__(self) -> None:
        unknown = sorted(set(self.weights) - set(WEIGHTS))
        if unknown:
            raise TrainingError(f"paper.weights has {', '.join(WEIGHTS)}, not {unknown[0]}.")
        object.__setattr__(self, "weights", {**WEIGHTS, **self.weights})
        if not all(isfinite(w) and w >= 0 for w in self.weights.values()):
            raise TrainingError("paper.weights must be finite and not below 0.")
        check_literals(self, TrainingError, "paper.")
        if self.fidelity_from < 1 or not (self.exposure is None or 0 < self.exposure < 1):
            raise TrainingError(
                "paper.fidelity_from is 1 or more, paper.exposure null or between 0 and 1."
            )


@dataclass(frozen=True)
class TrainingSettings:
    """Everything that determines a run of steps: with equal data, they give equal weights.

    One in minutes does as many steps as there is time for; its card tells which settings repeat it.

    Attributes
    ----------
    network : NetworkConfig
    objective : {"paired", "paper", "self", "noisy"}
        Learn from references; from dark images alone by eq. 4 to 7; from pairs that dark
        images make of themselves (`selfpairs`), which then train as any pairs do; or from noisy
        images alone, see `noisy`.
    steps : int
        Optimizer steps of the whole run, unless `epochs` or `minutes` says otherwise.
    epochs : float, optional
        Passes over the training images: ``ceil(epochs * images / batch)`` steps.
    minutes : float, optional
        Time of the whole run, see `pace.Budgeted`; how many steps it comes to, time tells.
    threads : int
        Of the CPU; 0: as many as torch uses, and in a run in minutes as many as are fastest.
    course : Course, optional
        What a run in minutes has done, to be repeated with its `steps`.
    patience : int
        Validations without a new best after which the run ends; 0 for never.
    batch, crop : int
        Crops per step, and their side in pixels.
    learning_rate : float
        Of Adam at its highest; it rises over the first 2 % of steps and falls as a cosine.
    betas, eps
        Of Adam, the paper's.
    average : float
        Decay of the exponential moving average of the weights, which is what is kept.
    clip : float
        Largest gradient norm.
    mixed : bool
        bfloat16 in the network where CUDA runs it; other devices take no notice.
    branches : bool
        Train each 3x3 kernel as a sum of branches, folded in what is kept, see `reparam`.
    absolute, structure, relative, smooth : float
        Weights of the paired terms, see `losses.paired_objective`; smooth is of eq. 6 on the
        enhanced image.
    squared : float
        Weight of the mean squared error among them; noisy images are learned from by it alone.
    logarithmic : float
        Weight of each image's PSNR after matching brightness, see `losses.log_error`.
    hue : float
        Weight of the shift of hues against the image's, see `losses.hue_shift`.
    levels : {"own", "common"}
        Whether a reference is normalised by its own levels, or a grey pair by common ones, both
        under the screen stretch, see `pairs.common_levels`.
    auxiliary : float
        Paired: weight of the later stages, their distance to the reference and to the first.
    tie : float
        Weight, within that, of the distance to the first.
    paper : Paper
        Readings and weights of the paper's objective.
    augmentation : Augmentation
    validate_every : int
        Steps between two validations.
    held_out : float
        Share of the images to judge by, taken in whole scenes.
    seed : int
    base : str
        A bundled model or a model file whose weights the run starts from; empty: from scratch.
        Its network is then the run's.
    """

    network: NetworkConfig = field(default_factory=NetworkConfig)
    steps: int = 4000
    batch: int = 8
    crop: int = 96
    learning_rate: float = 4e-3
    betas: tuple[float, float] = (0.9, 0.999)
    eps: float = 1e-8
    average: float = 0.998
    clip: float = 1.0
    structure: float = 0.5
    relative: float = 0.5
    auxiliary: float = 0.1
    augmentation: Augmentation = field(default_factory=Augmentation)
    validate_every: int = 250
    held_out: float = 0.2
    seed: int = 0
    objective: Literal["paired", "paper", "self", "noisy"] = "paired"
    absolute: float = 1.0
    squared: float = 0.0
    logarithmic: float = 0.0
    hue: float = 0.0
    levels: Literal["own", "common"] = "own"
    smooth: float = 0.0
    tie: float = 1.0
    paper: Paper = field(default_factory=Paper)
    epochs: float | None = None
    minutes: float | None = None
    patience: int = 0
    threads: int = 0
    course: Course | None = None
    mixed: bool = True
    branches: bool = False
    base: str = ""

    def __post_init__(self) -> None:
        if min(self.steps, self.batch, self.validate_every) < 1 or self.crop < 16:
            raise TrainingError(
                "steps, batch and validate_every must be 1 or more, crop 16 or more."
            )
        if not 0 <= self.seed < 2**63:
            raise TrainingError(f"seed must be a whole number, 0 or more, not {self.seed}.")
        if not (0 < self.learning_rate < 1 and 0 <= self.average < 1 and self.clip > 0):
            raise TrainingError("learning_rate and average must lie between 0 and 1, clip above 0.")
        if not 0 < self.held_out < 1:
            raise TrainingError("held_out must be a share between 0 and 1.")
        check_literals(self, TrainingError)
        if self.objective == "paper" and self.paper.weights["perceptual"] and not self.paper.vgg:
            raise TrainingError(
                "The perceptual loss needs VGG16's weights: give paper.vgg their file, or official "
                "to download them, or set the weight perceptual (gamma_v) to 0."
            )
        lengths = [n for n in (self.epochs, self.minutes) if n is not None]
        if len(lengths) > 1 or not all(0 < n < 1e6 for n in lengths):
            raise TrainingError("Give either epochs or minutes, above 0.")
        if self.course and lengths:
            raise TrainingError("A course to repeat has steps: leave out epochs and minutes.")
        if self.threads < 0:
            raise TrainingError("threads must be a number of threads, 0 to choose it.")
        if self.patience < 0:
            raise TrainingError("patience must be a number of validations, 0 for no early stop.")

    def to_dict(self) -> dict[str, Any]:
        """Plain values, for YAML and the training card."""
        plain: dict[str, Any] = json.loads(json.dumps(asdict(self)))
        return plain

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> TrainingSettings:
        """Rebuild from `to_dict`'s answer; what is not named keeps its default.

        Raises
        ------
        TrainingError
            If a name is unknown or a value cannot be used.
        """
        parts: dict[str, type[Any]] = {"network": NetworkConfig, "augmentation": Augmentation}
        parts |= {"paper": Paper} | ({"course": Course} if values.get("course") else {})
        plain = _named(cls, values, "training setting")
        for name, part in parts.items():
            if name in plain and not isinstance(plain[name], part):
                plain[name] = _part(part, plain[name], name)
        wrong = wrong_kind(cls, plain)
        if wrong:
            raise TrainingError(f"The training setting {wrong} cannot be {plain[wrong]!r}.")
        return cls(**plain)


def _part(of: type[Any], values: Any, name: str) -> Any:
    """Settings within settings."""
    if of is NetworkConfig:
        return NetworkConfig.from_dict(values)
    plain = _named(of, values, f"{name} setting")
    wrong = wrong_kind(of, plain)
    if wrong:
        raise TrainingError(f"The {name} setting {wrong} cannot be {plain[wrong]!r}.")
    return of(**plain)


def _named(of: type[Any], values: Any, what: str) -> dict[str, Any]:
    """Values by names that are known."""
    if not isinstance(values, dict):
        raise TrainingError(f"A {what} is a name with a value, which {values!r} is not.")
    plain = tupled(values)
    unknown = unknown_name(of, plain)
    if unknown:
        raise TrainingError(f"There is no {what} {unknown}.")
    return plain
