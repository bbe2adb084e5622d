"""Training as a generator of events: the same loop for widget, command line and tests.

A run can be stopped at any event and resumed exactly: weights, their average, optimizer, random
state and position are written together, to a temporary name first.
"""

from __future__ import annotations

import json
import math
import time
from collections.abc import Generator, Sequence
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor, nn

from .atomic import atomic_path
from .data import Augmentation, Pair, draw_batch, split_by_scene
from .devices import choose_device
from .evaluation import eight_bit, psnr, ssim
from .losses import agreement, charbonnier, paired_objective
from .network import Network, NetworkConfig

STATE = "state.pt"
CHECKPOINT_SECONDS = 60.0


class TrainingError(ValueError):
    """Training that cannot start or has failed; the message is one sentence for the user."""


@dataclass(frozen=True)
class TrainingSettings:
    """Everything that determines a run; with equal data, equal settings give equal weights.

    Attributes
    ----------
    network : NetworkConfig
    steps : int
        Optimizer steps of the whole run.
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
    structure, relative : float
        Weights of the objective's terms, see `losses.paired_objective`.
    auxiliary : float
        Weight of the later stages: their distance to the reference and to the first one.
    augmentation : Augmentation
    validate_every : int
        Steps between looks at the held-out pairs.
    held_out : float
        Share of the pairs to judge by, taken in whole scenes.
    seed : int
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

    def __post_init__(self) -> None:
        if min(self.steps, self.batch, self.validate_every) < 1 or self.crop < 16:
            raise TrainingError("steps, batch and validate_every are 1 or more, crop 16 or more.")
        if not (0 < self.learning_rate < 1 and 0 <= self.average < 1 and self.clip > 0):
            raise TrainingError("learning_rate and average lie between 0 and 1, clip above 0.")
        if not 0 < self.held_out < 1:
            raise TrainingError("held_out is a share between 0 and 1.")

    def to_dict(self) -> dict[str, Any]:
        """Plain values, for YAML and the training card."""
        plain: dict[str, Any] = json.loads(json.dumps(asdict(self)))
        return plain

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> TrainingSettings:
        """Rebuild from `to_dict`'s answer; unknown names are errors."""
        known = {f.name for f in fields(cls)}
        unknown = sorted(set(values) - known)
        if unknown:
            raise TrainingError(f"There is no training setting {unknown[0]}.")
        values = {k: tuple(v) if isinstance(v, list) else v for k, v in values.items()}
        if isinstance(values.get("network"), dict):
            values["network"] = NetworkConfig.from_dict(values["network"])
        if isinstance(values.get("augmentation"), dict):
            values["augmentation"] = Augmentation(**values["augmentation"])
        return cls(**values)


class Event(NamedTuple):
    """One step done, or one validation: `psnr` and `ssim` are None between validations."""

    step: int
    steps: int
    loss: float
    psnr: float | None = None
    ssim: float | None = None
    note: str = ""


class Trained(NamedTuple):
    """The network that did best on the held-out pairs, and the story of its run."""

    network: Network
    card: dict[str, Any]


def train(
    pairs: Sequence[Pair],
    settings: TrainingSettings | None = None,
    *,
    run: str | Path | None = None,
    device: str = "auto",
) -> Generator[Event, None, Trained]:
    """Train a network on pairs of dark images and references.

    Parameters
    ----------
    pairs : sequence of Pair
        Two or more, in shooting order; neighbours are taken for one scene.
    settings : TrainingSettings, optional
    run : path, optional
        A folder that holds the state of the run. If it has one already, training goes on there.
    device : {"auto", "cpu", "cuda", "mps"}

    Yields
    ------
    Event
        After each step. Closing the generator stops the run, state saved.

    Returns
    -------
    Trained

    Raises
    ------
    TrainingError
        If the data or settings cannot be used, the folder belongs to another run, or the loss
        is no longer finite.
    """
    settings = settings or TrainingSettings()
    training, held_out = split_by_scene(pairs, settings.held_out)
    loop = _Run(settings, choose_device(device))
    folder = Path(run) if run is not None else None
    if folder is not None:
        folder.mkdir(parents=True, exist_ok=True)
        loop.resume(folder / STATE)
    saved = time.monotonic()
    try:
        while loop.step < settings.steps:
            loss = loop.advance(training)
            event = Event(loop.step, settings.steps, loss)
            if loop.step % settings.validate_every == 0 or loop.step == settings.steps:
                event = event._replace(**loop.validate(held_out))
            if folder is not None and time.monotonic() - saved > CHECKPOINT_SECONDS:
                loop.save(folder / STATE)
                saved = time.monotonic()
            yield event
    finally:
        if folder is not None and loop.healthy:
            loop.save(folder / STATE)
    return loop.finish(training, held_out)


class _Run:
    """State of a run: what `save` writes is all that the next step depends on."""

    def __init__(self, settings: TrainingSettings, device: torch.device) -> None:
        torch.manual_seed(settings.seed)
        self.settings = settings
        self.device = device
        self.network = Network(settings.network).to(device)
        self.average = {k: v.clone() for k, v in self.network.state_dict().items()}
        self.optimizer = torch.optim.Adam(
            self.network.parameters(), settings.learning_rate, settings.betas, settings.eps
        )
        self.rng = np.random.default_rng(settings.seed)
        self.step = 0
        self.healthy = True
        self.best: dict[str, Any] = {"ssim": -1.0}
        self.best_weights = dict(self.average)

    def advance(self, pairs: Sequence[Pair]) -> float:
        """One optimizer step; returns the loss."""
        s = self.settings
        halo = self.network.radius
        crops = draw_batch(pairs, self.rng, s.batch, s.crop, halo, s.augmentation)
        low, reference, statistics = (torch.from_numpy(a).to(self.device) for a in crops)
        for group in self.optimizer.param_groups:
            group["lr"] = s.learning_rate * schedule(self.step, s.steps)
        result = self.network.enhance(low, statistics)
        loss = paired_objective(result, reference, structure=s.structure, relative=s.relative)
        if s.auxiliary:
            loss = loss + s.auxiliary * self._stages(low, reference, statistics)
        self.optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        norm = nn.utils.clip_grad_norm_(self.network.parameters(), s.clip)
        if not math.isfinite(value := float(loss.detach())) or not torch.isfinite(norm):
            self.healthy = False  # the last state on disk is still good
            raise TrainingError(
                f"Training diverged at step {self.step + 1}: resume with a lower learning rate."
            )
        self.optimizer.step()
        self.step += 1
        decay = min(s.average, self.step / (self.step + 10))
        for name, weight in self.network.state_dict().items():
            self.average[name].lerp_(weight, 1 - decay)
        return value

    def _stages(self, low: Tensor, reference: Tensor, statistics: Tensor) -> Tensor:
        """Later stages are to be as good as the first and equal to it.

        On corners of a third of the crops: on all of it they would cost T times the rest.
        """
        n, side, halo = -(-len(low) // 3), self.settings.crop // 2, self.network.radius
        corner = low[:n, :, halo : halo + side, halo : halo + side]
        stages = self.network(corner, statistics[:n])
        target = reference[:n, :, :side, :side]
        later = [charbonnier(stage.reflectance, target) for stage in stages]
        return torch.stack(later[1:]).sum() + agreement(stages) if later[1:] else low.new_zeros(())

    def validate(self, pairs: Sequence[Pair]) -> dict[str, Any]:
        """Score the averaged weights; remember them if they are the best so far."""
        network = self._network(self.average)
        scores = np.mean([_score(network, pair, self.device) for pair in pairs], axis=0)
        found = {"psnr": float(scores[0]), "ssim": float(scores[1])}
        if found["ssim"] > self.best["ssim"]:
            self.best = {"step": self.step, **found}
            self.best_weights = {k: v.clone() for k, v in self.average.items()}
        return found

    def save(self, path: Path) -> None:
        """Write the state, complete or not at all."""
        state = {
            "settings": json.dumps(self.settings.to_dict()),
            "step": self.step,
            "network": self.network.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "average": self.average,
            "best": json.dumps(self.best),
            "best_weights": self.best_weights,
            "rng": json.dumps(self.rng.bit_generator.state),
        }
        with atomic_path(path) as temporary:
            torch.save(state, temporary)

    def resume(self, path: Path) -> None:
        """Take up a state written by `save`, if there is one."""
        if not path.exists():
            return
        try:
            state = torch.load(path, map_location=self.device, weights_only=True)
            settings = json.loads(state["settings"])
        except Exception as error:  # torch names damaged files in several ways
            raise TrainingError(
                f"{path} is not the state of a run: {type(error).__name__}."
            ) from None
        if settings != self.settings.to_dict():
            raise TrainingError(
                f"{path.parent} holds a run with other settings: choose an empty folder."
            )
        self.step = state["step"]
        self.network.load_state_dict(state["network"])
        self.optimizer.load_state_dict(state["optimizer"])
        self.average = state["average"]
        self.best = json.loads(state["best"])
        self.best_weights = state["best_weights"]
        self.rng.bit_generator.state = json.loads(state["rng"])

    def finish(self, training: Sequence[Pair], held_out: Sequence[Pair]) -> Trained:
        card = {
            "objective": "paired",
            "settings": self.settings.to_dict(),
            "training_pairs": [p.name for p in training],
            "held_out_pairs": [p.name for p in held_out],
            "held_out": self.best,
        }
        return Trained(self._network(self.best_weights).cpu(), card)

    def _network(self, weights: dict[str, Tensor]) -> Network:
        network = Network(self.settings.network).to(self.device)
        network.load_state_dict(weights)
        return network.requires_grad_(False).eval()


def schedule(step: int, steps: int) -> float:
    """Share of the learning rate: up over the first 2 % of steps, then down a cosine to 0."""
    warmup = max(1, steps // 50)
    if step < warmup:
        return (step + 1) / warmup
    return 0.5 * (1 + math.cos(math.pi * (step - warmup) / max(1, steps - warmup)))


def _score(network: Network, pair: Pair, device: torch.device) -> tuple[float, float]:
    with torch.inference_mode():
        x = torch.from_numpy(pair.low.transpose(2, 0, 1).copy())[None].to(device)
        statistics = torch.from_numpy(pair.statistics)[None].to(device)
        r = network(x, statistics, stages=1)[0].reflectance[0].cpu().numpy()
    image = eight_bit(r.transpose(1, 2, 0))
    return psnr(image, pair.reference), ssim(image, pair.reference)
