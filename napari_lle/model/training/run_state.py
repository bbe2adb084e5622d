"""State of a training run: one step, one validation, and everything that the next one needs."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from ..data.blind_spots import hide
from ..data.crops import draw_batch
from ..data.pairs import Pair
from ..io.atomic import atomic_path
from ..kernels import find_training
from ..network.network import Network
from ..network.reparam import fold, unfold
from ..runtime.threads import alone
from .adam import Adam
from .distributed import our_share, sum_gradients
from .objectives import Crops, make_objective
from .pace import Budgeted, Counted
from .settings import Diverged, TrainingError, TrainingSettings


class RunState:
    """What `save` writes is all that the next step depends on, chance included.

    Parameters
    ----------
    settings : TrainingSettings
    device : torch.device
    base : Network, optional
        Of the settings' configuration; its weights are the first ones.
    reach : int, optional
        Of the spots that are hidden in training, see `blind_spots`; none when not given.
    data : dict of str to str, optional
        Digests of the images by name, see `digests`: the images that a saved run can continue with.

    Attributes
    ----------
    pace : Counted or Budgeted
        When it looks at held-out images and is over; to be set, see `duration.set_pace`.
    threads : int
        That it works in; 0 until that is known.
    step : int
        Steps done.
    due : bool
        Whether the step done last is to be judged, and has not been.
    history : list of dict
        One row for each validation.
    best : dict
        The row of the validation that scored best, or empty.
    seconds : float
        Time spent, over all sittings.
    """

    def __init__(
        self,
        settings: TrainingSettings,
        device: torch.device,
        base: Network | None = None,
        reach: int | None = None,
        data: dict[str, str] | None = None,
    ) -> None:
        torch.manual_seed(settings.seed)
        self.reach = reach
        self.data = data or {}
        self.settings = settings
        self.device = device
        self.network = self._build(base)
        self.runner = find_training(self.network) or self.network
        self.objective = make_objective(settings, device)
        self.weights = self.network.state_dict()  # seen through, not copied
        self.average = {k: v.clone() for k, v in self.weights.items()}
        self.optimizer = Adam(self.network.parameters(), settings.betas, settings.eps)
        self.rng = np.random.default_rng(settings.seed)
        self.pace: Counted | Budgeted
        self.threads = 0
        self.step = 0
        self.due = False
        self.history: list[dict[str, Any]] = []
        self.best: dict[str, Any] = {}
        self.best_weights = dict(self.average)
        self.losses: list[float] = []  # since the last validation
        self.seconds = 0.0

    def advance(self, pairs: Sequence[Pair]) -> float:
        """One optimizer step; returns the loss.

        Where several processes train, each draws the whole batch, so that chance is the same as
        for one, and takes its share.
        """
        s = self.settings
        share = our_share(s.batch)
        crops = draw_batch(pairs, self.rng, s.batch, s.crop, self.network.radius, s.augmentation)
        if self.reach is not None:
            crops = hide(crops, self.network.radius, self.reach, self.rng)
        ours = Crops.of(crops, self.device, share.part)
        # bfloat16 has float32's range: no loss scaling, and resuming needs no more state.
        mixed = s.mixed and self.device.type == "cuda"
        with torch.autocast(self.device.type, torch.bfloat16, enabled=mixed):
            loss = self.objective(self.runner, ours, share)
        self.optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        loss = sum_gradients(self.network, loss)
        norm = nn.utils.clip_grad_norm_(self.network.parameters(), s.clip)
        if not math.isfinite(value := float(loss.detach())) or not torch.isfinite(norm):
            raise Diverged(
                f"Training diverged at step {self.step + 1}, its loss or gradient is not finite: "
                "start again with a lower learning rate, and look for damaged images."
            )
        with alone():
            self.optimizer.step(s.learning_rate * self.pace.learning(self.step))
        self.step += 1
        self.losses.append(value)
        self._follow(min(s.average, self.step / (self.step + 10)))
        return value

    def _follow(self, decay: float) -> None:
        """Let the averages follow the weights."""
        averages = [self.average[name] for name in self.weights]
        torch._foreach_lerp_(averages, list(self.weights.values()), 1 - decay)

    def averaged(self) -> Network:
        """The network with its averaged weights: what is judged and kept."""
        return self._network(self.average)

    def kept(self) -> Network:
        """The network that scored best, on the CPU."""
        return self._network(self.best_weights).cpu()

    def record(self, figures: dict[str, Any]) -> dict[str, Any]:
        """Note the figures of a validation and remember the weights if they are the best so far.

        A row whose ``verdict`` is not empty is the best only while all others are like it.
        """
        # The median, for one odd batch may weigh more than a thousand others.
        row = {"step": self.step, "loss": float(np.median(self.losses)), **figures}
        self.losses = []
        self.history.append(row)
        if math.isfinite(row["score"]) and (
            not self.best or _validation_rank(row) > _validation_rank(self.best)
        ):
            self.best = row
            self.best_weights = {k: v.clone() for k, v in self.average.items()}
        self.due = False
        return row

    @property
    def expected(self) -> int:
        """Steps of the whole run, as far as is known."""
        return self.pace.expected(self.step)

    @property
    def over(self) -> bool:
        """Whether its steps or its time, or the settings' patience, are at their end."""
        return self.pace.over(self.step) or self.tired()

    def tired(self) -> bool:
        """Whether the settings' patience is at its end."""
        since = sum(row["step"] > self.best.get("step", 0) for row in self.history)
        return 0 < self.settings.patience <= since

    def save(self, path: Path) -> None:
        """Write the state, complete or not at all."""
        story = {
            "settings": self.settings.to_dict(),
            "data": self.data,
            "steps": self.expected,
            "threads": self.threads,
            "budgeted": self.pace.record() if isinstance(self.pace, Budgeted) else None,
            "step": self.step,
            "due": self.due,
            "losses": self.losses,
            "history": self.history,
            "best": self.best,
            "seconds": self.seconds,
            "rng": self.rng.bit_generator.state,
        }
        state = {
            "story": json.dumps(story),
            "network": self.weights,
            "optimizer": self.optimizer.state_dict(),
            "average": self.average,
            "best_weights": self.best_weights,
        }
        with atomic_path(path) as temporary:
            torch.save(state, temporary)

    def resume(self, path: Path) -> None:
        """Take up a state written by `save`, if there is one.

        Raises
        ------
        TrainingError
            If it is damaged, of other settings or of other images.
        """
        if not path.exists():
            return
        try:
            state = torch.load(path, map_location=self.device, weights_only=True)
            story = json.loads(state["story"])
            # Settings of an older version lack what has been added since, at its default.
            settings = TrainingSettings.from_dict(story["settings"])
        except Exception as error:  # torch names damaged files in several ways
            raise TrainingError(
                f"{path} is not the state of a run: {type(error).__name__}."
            ) from None
        if settings.to_dict() != self.settings.to_dict():
            raise TrainingError(
                f"{path.parent} holds a run with other settings: choose an empty folder."
            )
        # A state of an older version tells nothing of its images.
        changed = _changed(story.get("data") or self.data, self.data)
        if changed:
            raise TrainingError(
                f"{path.parent} holds a run on other images ({changed}): choose an empty folder, "
                "or give the images that it began with."
            )
        self.network.load_state_dict(state["network"])
        self.optimizer.load_state_dict(state["optimizer"])
        self.average, self.best_weights = state["average"], state["best_weights"]
        self.rng.bit_generator.state = story["rng"]
        for name in ("step", "losses", "history", "best", "seconds"):
            setattr(self, name, story[name])
        # A state of an older version tells neither threads nor course: its minutes became steps.
        self.due = story.get("due", False)
        self.threads = story.get("threads", 0)
        record = story.get("budgeted")
        counted = Counted(story["steps"], settings.validate_every, settings.course)
        self.pace = Budgeted.resumed(record) if record else counted

    def _network(self, weights: dict[str, Tensor]) -> Network:
        network = self._build()
        network.load_state_dict(weights)
        return fold(network).requires_grad_(False).eval()

    def _build(self, base: Network | None = None) -> Network:
        network = Network(self.settings.network).to(self.device)
        if base is not None:
            taken = network.state_dict().keys()  # not all of a base with more shifted layers
            network.load_state_dict({k: v for k, v in base.state_dict().items() if k in taken})
        return unfold(network) if self.settings.branches else network


def digests(training: Sequence[Pair], held_out: Sequence[Pair]) -> dict[str, str]:
    """Digests of a run's images by name and by what they are for."""
    parts = {"train": training, "validate": held_out}
    return {f"{part} {p.name}": p.digest for part, pairs in parts.items() for p in pairs}


def _changed(before: dict[str, str], now: dict[str, str]) -> str:
    """In words, how the images of a run differ from those that it began with; "" if not at all."""
    counts = {
        "changed": sum(before[name] != now[name] for name in before.keys() & now.keys()),
        "new": len(now.keys() - before.keys()),
        "missing": len(before.keys() - now.keys()),
    }
    return ", ".join(f"{count} {what}" for what, count in counts.items() if count)


def _validation_rank(row: dict[str, Any]) -> tuple[bool, float]:
    """What the best of validations has most of: a sound one before a good score."""
    return not row["verdict"], row["score"]
