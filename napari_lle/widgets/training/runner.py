"""Training without a window: pairs and wishes in, progress out, a verdict at the end."""

from __future__ import annotations

import shlex
from collections.abc import Generator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ...model.data.project import (
    CONFIG,
    RUN,
    Draft,
    digest,
    open_project,
    write_config,
    write_project,
)
from .controls import PAUSE, Clock, Controls
from .quick_settings import Wish

PREVIEW = 512  # pixels of the longer side of the validation region that is shown


class Tick(NamedTuple):
    """One step of a run; `row` and `preview` after a validation."""

    done: int
    total: int
    note: str = ""
    left: float = 0.0  # seconds
    row: dict[str, Any] | None = None
    preview: Preview | None = None


class Preview(NamedTuple):
    """What the network makes of a held-out region of a pair: (Y, X, 3), and where it lies."""

    name: str
    rows: tuple[int, int]
    columns: tuple[int, int]
    image: NDArray[np.float32]


@dataclass(frozen=True)
class Outcome:
    """A finished run.

    Attributes
    ----------
    folder : Path
    network : Network
    card : dict
    scores : list of comparison.Score
        Empty where there are no references.
    verdict : str
    """

    folder: Path
    network: Any
    card: dict[str, Any]
    scores: list[Any]
    verdict: str

    def save(self, path: Path) -> None:
        """Write the model with its card."""
        from ...model.network.checkpoint import save_model

        scores = {s.name: {"psnr": s.psnr, "ssim": s.ssim} for s in self.scores}
        more = {"command": command(self.folder), "data_digest": digest(self.folder)}
        save_model(path, self.network, {**more, **self.card, "compared": scores})


def begin(folder: Path, drafts: list[Draft], wish: Wish) -> None:
    """Write all that a run needs into a new folder.

    Raises
    ------
    ValueError
        If the pairs cannot be trained on; the sentence says what to do.
    """
    if not drafts:
        raise ValueError("Add a pair first: a dark layer and its well-exposed reference.")
    alone = [draft.reference is None for draft in drafts]
    if any(alone) and not all(alone):
        raise ValueError(
            "Train either on pairs or on dark images alone: remove one kind from the list."
        )
    if alone[0] == (wish.objective == "paired"):
        raise ValueError(
            "Choose the objective self or paper for dark images alone, and paired for pairs."
        )
    for draft in drafts:
        fatal = [p.sentence for p in draft.check.problems if p.fatal]
        if fatal:
            raise ValueError(f"{draft.name}: {fatal[0]} Fix or remove the pair.")
    linear = any(draft.low.dtype != np.uint8 for draft in drafts)
    write_project(folder, drafts, wish.settings(linear), gap(wish))


def gap(wish: Wish) -> int:
    """Pixels between training and validation: the receptive field of the network to train.

    Raises
    ------
    ValueError
        If there is no such network.
    """
    from ...model.network.network import Network
    from ...model.training.loop import read_settings

    return Network(read_settings(wish.settings(linear=True)).network).receptive_field


def start_steps(
    folder: Path, drafts: list[Draft], wish: Wish, controls: Controls
) -> Generator[Tick, None, Outcome]:
    """`begin`, then `train_steps`."""
    yield Tick(0, 0, "Checking and writing the pairs…")
    begin(folder, drafts, wish)
    return (yield from train_steps(folder, controls, wish.device))


def train_steps(
    folder: Path, controls: Controls, device: str = "auto"
) -> Generator[Tick, None, Outcome]:
    """Train what `begin` wrote, or go on with it; closing the generator saves the state."""
    yield Tick(0, 0, "Reading…")
    from ...model.training.loop import STOP, read_settings, train

    project = open_project(folder)
    config, begun = project.settings, folder / RUN / "settings.yaml"
    settings = read_settings(open_settings(begun) if begun.exists() else config)
    yield Tick(0, 0, "Measuring the time per step…" if settings.minutes else "Starting…")
    events = train(
        project.pairs, settings, run=folder / RUN, device=device, held_out=project.held_out
    )
    with closing(events):
        clock, first, answer = Clock(), True, None
        while True:
            try:
                event = events.send(answer)
            except StopIteration as stop:
                network, card = stop.value
                break
            if first:
                _fix_steps(folder, config, event.steps)
                first = False
            left = clock.left(event.step, event.steps)
            preview = _preview(event.network, project.held_out) if event.network else None
            note = f"Step {event.step} of {event.steps}" if event.held_out else ""
            yield Tick(event.step, event.steps, note, left, event.held_out, preview)
            note = "Paused."
            while controls.paused:
                yield Tick(event.step, event.steps, note, left)
                clock.wait(PAUSE)
                note = ""
            answer = STOP if controls.stopped else None
    return _outcome(folder, project, settings.base, network, card)


def open_settings(file: Path) -> dict[str, Any]:
    """Settings of a run that has begun."""
    from ...model.data.project import read_config

    return read_config(file)[0]


def command(folder: Path) -> str:
    """The shell command that trains the same model without a window."""
    words = ("napari-lle", "train", "--config", str(folder / CONFIG), "-o", "MODEL.safetensors")
    return shlex.join(words)


def _fix_steps(folder: Path, config: dict[str, Any], steps: int) -> None:
    """Note the number of steps in place of minutes: a repetition then gives the same weights."""
    from ...model.data.project import read_config

    _, folders = read_config(folder / CONFIG)
    data = {kind: path.name for kind, path in folders.items()}
    values = {k: v for k, v in config.items() if k not in ("minutes", "epochs")}
    write_config(folder, {**values, "steps": steps, "data": data})


def _preview(network: Any, held_out: list[Any]) -> Preview | None:
    """What the network makes of the first held-out region."""
    from ...model.evaluation.comparison import enhanced_part

    if not held_out:
        return None
    pair = held_out[0]
    known = pair.known
    spans = []
    for axis in range(2):
        first, last = int(known[:, axis].min()), int(known[:, axis].max()) + 1
        spans.append((first, min(last, first + PREVIEW)))
    image = enhanced_part(network, pair, *spans)
    return Preview(pair.name, spans[0], spans[1], image)


def _outcome(folder: Path, project: Any, base: str, network: Any, card: dict[str, Any]) -> Outcome:
    from ...model.evaluation.comparison import compare, verdict
    from ...model.network.checkpoint import load_model

    if not project.held_out:
        text = (
            "Trained without references: judge the result by eye, there is nothing to compare "
            "it with."
        )
        return Outcome(folder, network, card, [], _warned(card, text))
    networks = {"before": load_model(base).network} if base else {}
    scores = compare({**networks, "after": network}, project.pairs, project.held_out)
    return Outcome(folder, network, card, scores, _warned(card, verdict(scores)))


def _warned(card: dict[str, Any], text: str) -> str:
    """A verdict, and before it what went wrong."""
    return f"{card['warning']} {text}" if "warning" in card else text
