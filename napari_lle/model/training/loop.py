"""Training as a generator of events: the same loop for widget, command line and tests.

A run can be stopped or killed at any moment and resumed exactly: weights, their average,
optimizer, random state and position are written together, to a temporary name first.
"""

from __future__ import annotations

import math
import time
from collections.abc import Generator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import torch

from ..data.pairs import Pair, split_by_scene
from ..data.self_pairs import self_pairs
from ..network.checkpoint import load_model
from ..network.network import Network
from ..runtime.devices import choose_device
from ..version import __version__, commit
from .distributed import agreed, processes, rank
from .logbook import STATE, Logbook
from .noisy import Noisy, noisy_data
from .run_state import RunState, digests, schedule
from .settings import Diverged, Paper, TrainingError, TrainingSettings
from .validation import WHOLE, examine, judge

__all__ = ["STATE", "Event", "Paper", "Trained", "TrainingError", "TrainingSettings", "schedule"]
__all__ += ["read_settings", "train"]

STOP = "stop"
CHECKPOINT_SECONDS = 60.0
DIVERGED = 10.0  # times the loss of the run's beginning
TIMED_STEPS = 20  # that turn minutes into steps, after a few that warm up
TIMED_SECONDS = 10.0


class Event(NamedTuple):
    """One step done.

    After a validation, `held_out` has the figures of `judging.judge`, and `network` is what they
    are of.
    """

    step: int
    steps: int
    loss: float
    held_out: dict[str, Any] | None = None
    note: str = ""
    network: Network | None = None

    @property
    def psnr(self) -> float | None:
        """Of held-out images, where they have references; None between validations."""
        return (self.held_out or {}).get("psnr")

    @property
    def ssim(self) -> float | None:
        """As `psnr`."""
        return (self.held_out or {}).get("ssim")


class Trained(NamedTuple):
    """The network that did best on the held-out images, and the story of its run.

    Where something went wrong on the way, ``warning`` in the card says what, and why the weights
    may be useless.
    """

    network: Network
    card: dict[str, Any]


def train(
    pairs: Sequence[Pair],
    settings: TrainingSettings | None = None,
    *,
    run: str | Path | None = None,
    device: str = "auto",
    held_out: Sequence[Pair] = (),
    checkpoint_seconds: float = CHECKPOINT_SECONDS,
) -> Generator[Event, str | None, Trained]:
    """Train a network on pairs of dark images and references, or on dark images alone.

    Parameters
    ----------
    pairs : sequence of Pair
        Two or more, in shooting order; neighbours are taken for one scene.
    settings : TrainingSettings, optional
    run : path, optional
        A folder that holds the state of the run and its records, see `logbook.Logbook`. If it
        has a state already, training goes on there.
    device : {"auto", "cpu", "cuda", "mps"}
    held_out : sequence of Pair, optional
        What to judge by, for instance the annotated parts of the same images; a share of the pairs
        in whole scenes when not given.
    checkpoint_seconds : float
        Time between states written, beside the one at each new best.

    Yields
    ------
    Event
        After each step. Closing the generator stops the run, state saved; sending it `STOP` ends
        the run, with the best network so far.

    Returns
    -------
    Trained

    Raises
    ------
    TrainingError
        If the data or settings cannot be used, the folder belongs to another run, or the loss or
        the results are not finite from the beginning on. What goes wrong later ends the run, and
        the best weights so far are returned with a warning in their card.

    Notes
    -----
    Inside `parallel.joined`, all processes make the same run together: each yields the same
    events and returns the same network, and the first alone writes to the folder.
    """
    settings = settings or TrainingSettings()
    if settings.objective == "paired" and any(pair.alone for pair in pairs):
        raise TrainingError("The paired objective needs references: give them, or choose paper.")
    if any(pair.partial for pair in pairs) and settings.objective != "paired":
        raise TrainingError("Annotations say where references hold: train the paired objective.")
    *parts, noisy = parted(pairs, settings, held_out)
    training, held_out = parts
    if settings.objective == "self":
        training = self_pairs(training, settings.network.start, seed=settings.seed)
        if any(pair.alone for pair in held_out):
            held_out = self_pairs(held_out, settings.network.start, draws=1)
    target = choose_device(device)
    folder = Path(run) if run is not None else None
    begun = folder is not None and (folder / STATE).exists()
    reach = noisy.reach if noisy else None
    data = digests(*parts) if folder is not None else None
    base = None if begun else _base(settings)
    state = RunState(settings, target, base=base, reach=reach, data=data)
    if folder is not None:
        folder.mkdir(parents=True, exist_ok=True)
        state.resume(folder / STATE)
        if agreed(lambda: state.step) != state.step:
            raise TrainingError(f"The processes see different runs: let all of them share {run}.")
    if not state.steps:
        state.steps = step_count(settings, training, held_out, target, noisy)
    with Logbook(folder if rank() == 0 else None, state) as logbook:
        trouble = ""
        try:
            yield from _loop(state, training, held_out, logbook, checkpoint_seconds, noisy)
        except Diverged as error:
            if not state.best:
                raise
            trouble = f"{error} The weights of step {state.best['step']}, before that, are kept."
        if not state.best:
            raise TrainingError(
                f"Training collapsed: {state.history[-1]['verdict']}; start again with another "
                "exposure, other weights or a lower learning rate."
            )
        warning = trouble or _collapse(state.best)
        card = agreed(lambda: _card(state, parts[0], parts[1]))
        more = {"warning": warning} if warning else {}
        more |= {"learned_from": noisy.why} if noisy else {}
        trained = Trained(state.kept(), {**card, **more})
        logbook.done(trained.network, trained.card)
    return trained


def parted(
    pairs: Sequence[Pair], settings: TrainingSettings, held_out: Sequence[Pair] = ()
) -> tuple[Sequence[Pair], Sequence[Pair], Noisy | None]:
    """What a run trains on and judges by, and for noisy images how."""
    if settings.objective == "noisy":
        gap = Network(settings.network).receptive_field
        noisy = noisy_data([*pairs, *held_out], settings.held_out, gap)
        return noisy.training, noisy.held_out, noisy
    if held_out:
        return pairs, held_out, None
    return *split_by_scene(pairs, settings.held_out), None


def read_settings(values: dict[str, Any]) -> TrainingSettings:
    """`TrainingSettings.from_dict`, taking the network from the base where only that is named."""
    if values.get("base") and "network" not in values:
        network = load_model(str(values["base"])).network
        values = {**values, "network": network.config.to_dict()}
    return TrainingSettings.from_dict(values)


def _base(settings: TrainingSettings) -> Network | None:
    """The network that the run starts from, if it does not start from scratch."""
    if not settings.base:
        return None
    network = load_model(settings.base).network
    # The same weights serve at any size of the illumination.
    wanted = replace(settings.network, illumination_scale=network.config.illumination_scale)
    if network.config != wanted:
        raise TrainingError(
            f"The settings describe another network than {settings.base} has: leave out one of "
            "network and base."
        )
    return network


def step_count(
    settings: TrainingSettings,
    training: Sequence[Pair],
    held_out: Sequence[Pair],
    device: torch.device,
    noisy: Noisy | None = None,
) -> int:
    """Steps of a run: as set, or as many as make the epochs or fill the minutes.

    Time is measured on a run that is then thrown away, so that minutes give the very run that
    as many steps would have given.
    """
    if settings.epochs is not None:
        return math.ceil(settings.epochs * len(training) / settings.batch)
    if settings.minutes is None:
        return settings.steps
    trial = RunState(settings, device, TIMED_STEPS, reach=noisy.reach if noisy else None)
    for _ in range(3):
        trial.advance(training)
    start, done = time.perf_counter(), 0
    while done < TIMED_STEPS and agreed(lambda: time.perf_counter() - start) < TIMED_SECONDS:
        trial.advance(training)
        done += 1
    step = (time.perf_counter() - start) / done
    start = time.perf_counter()
    _judge(trial, held_out, noisy)
    validation = time.perf_counter() - start
    whole = 60 * settings.minutes / (step + validation / settings.validate_every)
    return agreed(lambda: max(1, round(whole)))


def _loop(
    state: RunState,
    training: Sequence[Pair],
    held_out: Sequence[Pair],
    logbook: Logbook,
    checkpoint_seconds: float,
    noisy: Noisy | None = None,
) -> Generator[Event, str | None, None]:
    """Steps and validations until the end, the end of patience or `STOP`."""
    note = noisy.why if noisy else ""
    saved = clock = time.monotonic()
    settled = True  # whether the state is one that an uninterrupted run passes through
    try:
        while state.step < state.steps and not state.tired():
            settled = False
            event = Event(state.step + 1, state.steps, state.advance(training), note=note)
            note = ""
            if state.step % state.settings.validate_every == 0 or state.step == state.steps:
                event = _validated(event, state, held_out, noisy)
            settled = True
            now = time.monotonic()
            state.seconds, clock = state.seconds + now - clock, now
            if event.held_out is state.best or now - saved > checkpoint_seconds:
                logbook.checkpoint()
                saved = now
            if event.held_out:
                logbook.write()
            if (yield event) == STOP:
                break
        if not state.history:  # stopped before the first validation
            logbook.checkpoint()
            settled = False
            yield _validated(event, state, held_out, noisy)
    finally:
        if settled:
            logbook.checkpoint()


def _validated(
    event: Event, state: RunState, held_out: Sequence[Pair], noisy: Noisy | None
) -> Event:
    row = _validate(state, held_out, noisy)
    return event._replace(held_out=row, network=state.averaged())


def _judge(state: RunState, held_out: Sequence[Pair], noisy: Noisy | None) -> dict[str, Any]:
    # A loss against noise tells little on a crop.
    size = WHOLE if noisy else state.settings.crop
    network, objective, device = state.averaged(), state.objective, state.device
    return agreed(lambda: judge(network, objective, held_out, size, device, noisy))


def _validate(state: RunState, held_out: Sequence[Pair], noisy: Noisy | None) -> dict[str, Any]:
    row = state.record(_judge(state, held_out, noisy))
    beginning = state.history[0]["loss"]
    if row["loss"] > DIVERGED * beginning:
        raise Diverged(
            f"Training diverged by step {state.step}, its loss is {row['loss'] / beginning:.0f} "
            "times that of the beginning: start again with a lower learning rate."
        )
    return row


def _collapse(best: dict[str, Any]) -> str:
    """What to think of weights that are the best of a run that has collapsed; empty if sound."""
    if not best["verdict"]:
        return ""
    return (
        f"Training collapsed: {best['verdict']}. The best weights are kept all the same, but may "
        "be useless: look at a result before you use them, or start again with another exposure, "
        "other weights or a lower learning rate."
    )


def _card(state: RunState, training: Sequence[Pair], held_out: Sequence[Pair]) -> dict[str, Any]:
    """The story of a run; the stages are compared on whole held-out images."""
    network = state.kept().to(state.device)
    return {
        "napari_lle": __version__,
        "commit": commit(),
        "torch": torch.__version__,
        "objective": state.settings.objective,
        "settings": state.settings.to_dict(),
        "steps": state.steps,
        "training_pairs": [p.name for p in training],
        "held_out_pairs": [p.name for p in held_out],
        **({"processes": processes()} if processes() > 1 else {}),
        "held_out": {k: v for k, v in state.best.items() if k != "verdict"},
        "stages": examine(network, held_out, WHOLE, state.device),
    }
