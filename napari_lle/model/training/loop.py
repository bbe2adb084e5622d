"""Training as a generator of events: the same loop for widget, command line and tests.

A run can be stopped or killed at any moment and resumed exactly: weights, their average,
optimizer, random state and position are written together, to a temporary name first.
"""

from __future__ import annotations

import time
from collections.abc import Generator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import torch

from ..data.pairs import Pair
from ..network.checkpoint import load_model
from ..network.network import Network
from ..progress import Steps
from ..runtime.devices import choose_device
from .distributed import agreed, rank
from .duration import in_threads, set_pace
from .logbook import STATE, Logbook
from .outcome import collapse, judged, note_figures, training_card
from .run_data import RunData, run_data
from .run_state import RunState, digests
from .settings import Diverged, Paper, TrainingError, TrainingSettings

__all__ = ["STATE", "Event", "Paper", "Trained", "TrainingError", "TrainingSettings"]
__all__ += ["read_settings", "train"]

STOP = "stop"
Answer = str | float | None
CHECKPOINT_SECONDS = 60.0


class Event(NamedTuple):
    """One step done, of so many as far as is known.

    It is told again between the held-out images that its weights are judged by; after the last,
    `held_out` has the figures of `validation.judge_steps`, and `network` is what they are of.
    """

    step: int
    steps: int
    loss: float
    held_out: dict[str, Any] | None = None
    note: str = ""
    network: Network | None = None
    left: float | None = None  # seconds, of a run in minutes

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
) -> Generator[Event, Answer, Trained]:
    """Train a network on pairs of dark images and references, or on dark images alone.

    Parameters
    ----------
    pairs : sequence of Pair
        Two or more, in shooting order; neighbours are taken for one scene.
    settings : TrainingSettings, optional
    run : path, optional
        A folder that holds the state of the run and its records, see `logbook.Logbook`. If it
        has a state already, training continues from there.
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
        the run with the best network so far, in the midst of a validation, too; sending it a
        number says that so many seconds were spent elsewhere and do not count, as those of a
        pause.

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
    Inside `distributed.joined`, all processes make the same run together: each yields the same
    events and returns the same network, and the first alone writes to the folder.
    """
    settings = settings or TrainingSettings()
    data = run_data(pairs, settings, held_out)
    folder = Path(run) if run is not None else None
    state = _state(settings, data, torch.device(choose_device(device)), folder)
    with in_threads(state.threads), Logbook(folder if rank() == 0 else None, state) as logbook:
        trouble = ""
        try:
            yield from _loop(state, data, logbook, checkpoint_seconds)
        except Diverged as error:
            if not state.best:
                raise
            trouble = f"{error} The weights of step {state.best['step']}, before that, are kept."
        trained = _trained(state, data, trouble)
        logbook.done(trained.network, trained.card)
    return trained


def _trained(state: RunState, data: RunData, trouble: str) -> Trained:
    """The best network of a run that has ended, and its card.

    Raises
    ------
    TrainingError
        If there is none.
    """
    if not state.best:
        raise TrainingError(
            f"Training collapsed: {state.history[-1]['verdict']}; start again with another "
            "exposure, other weights or a lower learning rate."
        )
    warning = trouble or collapse(state.best)
    card = agreed(lambda: training_card(state, data))
    more = {"warning": warning} if warning else {}
    more |= {"learned_from": data.noisy.why} if data.noisy else {}
    return Trained(state.kept(), {**card, **more})


def _state(
    settings: TrainingSettings, data: RunData, device: torch.device, folder: Path | None
) -> RunState:
    """A run at its beginning, or where its folder says that it is."""
    begun = folder is not None and (folder / STATE).exists()
    known = digests(*data.given) if folder is not None else None
    base = None if begun else _base(settings)
    state = RunState(settings, device, base=base, reach=data.reach, data=known)
    if folder is not None:
        folder.mkdir(parents=True, exist_ok=True)
        state.resume(folder / STATE)
        if agreed(lambda: state.step) != state.step:
            raise TrainingError(
                f"The processes see different runs: let all of them share {folder}."
            )
    if not begun:
        set_pace(state, data)
    elif not state.threads:  # begun by an older version
        state.threads = settings.threads or torch.get_num_threads()
    return state


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
    own, wanted = network.config, settings.network
    # The same weights serve at any size, with fewer shifted layers, and for any vividness.
    alike = replace(wanted, modulated=own.modulated, vivid=own.vivid)
    alike = replace(alike, illumination_scale=own.illumination_scale)
    if own != alike or wanted.modulated > own.modulated:
        raise TrainingError(
            f"The settings describe a network unlike that of {settings.base}: leave out one of "
            "network and base."
        )
    return network


class _Stopwatch:
    """Tells a run the seconds that it has taken, over all sittings and as all processes know it."""

    def __init__(self, state: RunState) -> None:
        self._state, self._last = state, time.monotonic()

    def look(self, elsewhere: float = 0.0) -> float:
        """Seconds since the beginning of the run, without those spent elsewhere."""
        state, now = self._state, time.monotonic()
        took = max(0.0, now - self._last - elsewhere)
        self._last = now
        state.seconds = agreed(lambda: state.seconds + took)
        return state.seconds


def _loop(
    state: RunState, data: RunData, logbook: Logbook, checkpoint_seconds: float
) -> Generator[Event, Answer, None]:
    """Steps and validations until the end, the end of patience or `STOP`."""
    clock = _Stopwatch(state)
    try:
        yield from _until_over(state, data, logbook, clock, checkpoint_seconds)
    except GeneratorExit:
        logbook.checkpoint()
        raise
    logbook.checkpoint()
    if not state.history:  # stopped before the first validation
        event = Event(state.step, state.expected, state.losses[-1])
        figures, _ = yield from _judged(event, state, data, clock)
        yield _noted(event, figures, state, clock)


def _until_over(
    state: RunState,
    data: RunData,
    logbook: Logbook,
    clock: _Stopwatch,
    checkpoint_seconds: float,
) -> Generator[Event, Answer, None]:
    """What `_loop` does as long as nobody closes it."""
    note = data.noisy.why if data.noisy else ""
    saved, stop = time.monotonic(), False
    while not stop and (state.due or not state.over):
        if not state.due:
            state.advance(data.training)
            state.pace.passed(state.step, clock.look())
            state.due = state.pace.judges(state.step)
        left = state.pace.left()
        event = Event(state.step, state.expected, state.losses[-1], note=note, left=left)
        note = ""
        if state.due:
            figures, stop = yield from _judged(event, state, data, clock)
            if not figures:
                return
            event = _noted(event, figures, state, clock)
        if event.held_out is state.best or time.monotonic() - saved > checkpoint_seconds:
            logbook.checkpoint()
            saved = time.monotonic()
        if event.held_out:
            logbook.write()
        answer = yield event
        stop = stop or answer == STOP
        if not stop:
            clock.look(float(answer or 0.0))


def _judged(
    event: Event, state: RunState, data: RunData, clock: _Stopwatch
) -> Generator[Event, Answer, tuple[dict[str, Any], bool]]:
    """Judge the weights so far; the figures, and whether the run was told to stop meanwhile.

    There are none where it was, and other weights have been judged before.
    """
    steps, stop = Steps(judged(state, data)), False
    for _ in steps:
        answer = yield event
        stop = stop or answer == STOP
        if stop and state.best:
            return {}, True
        if answer != STOP:
            clock.look(float(answer or 0.0))
    return steps.answer, stop


def _noted(event: Event, figures: dict[str, Any], state: RunState, clock: _Stopwatch) -> Event:
    """The event of a step that was judged."""
    row = note_figures(state, figures)
    state.pace.judged(state.step, clock.look())
    return event._replace(held_out=row, network=state.averaged())
