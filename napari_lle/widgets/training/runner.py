"""Training without a window: pairs and a request in, progress out, a verdict at the end."""

from __future__ import annotations

import shlex
from collections.abc import Generator, Sequence
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
from ...model.progress import Steps
from .controls import PAUSE_CHECK, Clock, Controls
from .quick_settings import TrainingRequest
from .runs import note_verdict

COMPARING = "Comparing with untrained methods: {} of {}… Press Stop to leave this out."
NOT_COMPARED = "Not compared with untrained methods, as you stopped that."
PREVIEW = 512  # pixels of the longer side of the validation region that is shown


class Tick(NamedTuple):
    """One step of a run; `row` and `preview` after a validation."""

    done: int
    total: int
    note: str = ""
    left: float = 0.0  # seconds
    row: dict[str, Any] | None = None
    preview: HeldOutPreview | None = None


class HeldOutPreview(NamedTuple):
    """What the network makes of a held-out region of a pair: (Y, X, 3), and where it lies."""

    name: str
    rows: tuple[int, int]
    columns: tuple[int, int]
    image: NDArray[np.float32]


class Comparison(NamedTuple):
    """A held-out region of a pair, (Y, X, 3) each, by name, and where it lies."""

    name: str
    rows: tuple[int, int]
    columns: tuple[int, int]
    pictures: dict[str, NDArray[np.float32]]


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
    pictures : Comparison or None
    """

    folder: Path
    network: Any
    card: dict[str, Any]
    scores: list[Any]
    verdict: str
    pictures: Comparison | None = None

    def save(self, path: Path) -> None:
        """Write the model with its card."""
        from ...model.network.checkpoint import save_model

        scores = {score.name: score.figures() for score in self.scores}
        more = {"command": command(self.folder), "data_digest": digest(self.folder)}
        save_model(path, self.network, {**more, **self.card, "compared": scores})


def begin(folder: Path, drafts: list[Draft], request: TrainingRequest) -> None:
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
    if alone[0] == (request.objective == "paired"):
        raise ValueError(
            "Choose the objective noisy, self or paper for images alone, and paired for pairs."
        )
    for draft in drafts:
        fatal = [p.sentence for p in draft.check.problems if p.fatal]
        if fatal:
            raise ValueError(f"{draft.name}: {fatal[0]} Fix or remove the pair.")
    request = request.started(drafts)
    linear = any(draft.low.dtype != np.uint8 for draft in drafts)
    grey = not any(draft.rgb for draft in drafts)
    write_project(folder, drafts, request.settings(linear, grey), gap(request, grey))


def gap(request: TrainingRequest, grey: bool = False) -> int:
    """Pixels between training and validation: the receptive field of the network to train.

    Raises
    ------
    ValueError
        If there is no such network.
    """
    from ...model.network.network import Network
    from ...model.training.loop import read_settings

    return Network(read_settings(request.settings(True, grey)).network).receptive_field


def start_steps(
    folder: Path, drafts: list[Draft], request: TrainingRequest, controls: Controls
) -> Generator[Tick, None, Outcome]:
    """`begin`, then `train_steps`."""
    yield Tick(0, 0, "Checking and writing the pairs…")
    begin(folder, drafts, request)
    return (yield from train_steps(folder, controls, request.device))


def train_steps(
    folder: Path, controls: Controls, device: str = "auto"
) -> Generator[Tick, None, Outcome]:
    """Train what `begin` wrote, or continue it; closing the generator saves the state."""
    yield Tick(0, 0, "Reading…")
    from ...model.training.loop import STOP, read_settings, train
    from ...model.training.run_data import parted

    project = open_project(folder)
    config, begun = project.settings, folder / RUN / "settings.yaml"
    settings = read_settings(open_settings(begun) if begun.exists() else config)
    # The preview shows a place that the layers have: pairs made of images by themselves have not.
    noisy = settings.objective == "noisy"
    shown = parted(project.pairs, settings)[1] if noisy else project.held_out
    yield Tick(0, 0, f"Starting {_start(settings)}…")
    events = train(
        project.pairs, settings, run=folder / RUN, device=device, held_out=project.held_out
    )
    clock, run = Clock(), Steps(events)
    with closing(iter(run)) as told:
        for event in told:
            left = clock.left(event.step, event.steps) if event.left is None else event.left
            preview = _preview(event.network, shown) if event.network else None
            note = f"Step {event.step} of {event.steps}" if event.held_out else event.note
            yield Tick(event.step, event.steps, note, left, event.held_out, preview)
            note, paused = "Paused.", 0.0
            while controls.paused:
                yield Tick(event.step, event.steps, note, left)
                paused += clock.wait(PAUSE_CHECK)
                note = ""
            run.reply = STOP if controls.stopped else paused
    return (yield from _outcome(folder, project, settings, shown, run.answer, controls))


def open_settings(file: Path) -> dict[str, Any]:
    """Settings of a run that has begun."""
    from ...model.data.project import read_config

    return read_config(file)[0]


def command(folder: Path) -> str:
    """The shell command that trains the same model without a window."""
    words = ("napari-lle", "train", "--config", str(folder / CONFIG), "-o", "MODEL.safetensors")
    return shlex.join(words)


def _note_course(folder: Path, config: dict[str, Any], card: dict[str, Any]) -> None:
    """Note in place of minutes what was done in them: a repetition then gives the same weights."""
    from ...model.data.project import read_config

    _, folders = read_config(folder / CONFIG)
    data = {kind: path.name for kind, path in folders.items()}
    done: dict[str, Any] = {k: card[k] for k in ("threads", "course") if k in card}
    if "course" in done:
        config = {k: v for k, v in config.items() if k != "minutes"}
        done["steps"] = card["steps"]
    write_config(folder, {**config, **done, "data": data})


def _preview(network: Any, held_out: Sequence[Any]) -> HeldOutPreview | None:
    """What the network makes of the first held-out region."""
    from ...model.evaluation.comparison import enhanced_part

    if not held_out:
        return None
    pair = held_out[0]
    rows, columns = _region(pair)
    image = enhanced_part(network, pair, (slice(*rows), slice(*columns)))
    return HeldOutPreview(pair.name, rows, columns, image)


def _region(pair: Any) -> tuple[tuple[int, int], tuple[int, int]]:
    """Rows and columns of the beginning of what is known of a pair."""
    spans = []
    for axis in range(2):
        first, last = int(pair.known[:, axis].min()), int(pair.known[:, axis].max()) + 1
        spans.append((first, min(last, first + PREVIEW)))
    return spans[0], spans[1]


def _comparison(
    folder: Path, settings: Any, network: Any, held_out: Sequence[Any]
) -> Comparison | None:
    """The first held-out region as it is, before, after, and as it should be."""
    from ...model.evaluation.comparison import enhanced_part
    from ...model.network.checkpoint import load_model
    from ...model.preprocessing.screen import stretched

    if not held_out:
        return None
    pair = held_out[0]
    rows, columns = _region(pair)
    cut = slice(*rows), slice(*columns)
    low = pair.low[cut]
    science = settings.objective == "noisy" or settings.levels == "common"
    pictures = {"input": stretched(low, pair.statistics) if science else low}
    if settings.base:
        pictures["before"] = enhanced_part(load_model(settings.base).network, pair, cut)
    pictures["after"] = enhanced_part(network, pair, cut)
    if settings.objective == "paired":
        pictures["reference"] = np.nan_to_num(_whole_reference(folder, pair.name)[cut])
    return Comparison(pair.name, rows, columns, pictures)


def _start(settings: Any) -> str:
    """What a run started from, which `auto` may have chosen."""
    return f"from {Path(settings.base).stem}" if settings.base else "from scratch"


def _whole_reference(folder: Path, name: str) -> NDArray[np.float32]:
    """The reference of a pair, also where it was not judged by."""
    from ...model.data.folders import image_files
    from ...model.data.project import read_config, read_data

    settings, folders = read_config(folder / CONFIG)
    folders.pop("masks", None)
    others = set(image_files(folders["low"])) - {name}
    found: NDArray[np.float32] = read_data(folders, settings, others)[0][0].reference
    return found


def _outcome(
    folder: Path,
    project: Any,
    settings: Any,
    shown: Sequence[Any],
    trained: tuple[Any, Any],
    controls: Controls,
) -> Generator[Tick, None, Outcome]:
    """Compare the network, in steps short enough to be stopped or cancelled between them."""
    from ...model.training.verdict import verdict_steps

    network, card = trained
    _note_course(folder, project.settings, card)
    data = project.pairs, project.held_out
    steps = Steps(verdict_steps(network, settings, *data, done=card["steps"]))
    scores: list[Any] = []
    text, ended = NOT_COMPARED, int(controls.stopped)  # by the first stop of two
    for done in steps:
        yield Tick(0, 0, COMPARING.format(done.done, done.total))
        if controls.stops > ended:
            break
    else:
        scores, text = steps.answer
    words = [card.get("warning", ""), card.get("learned_from", ""), text]
    verdict = " ".join(word for word in words if word)
    count = card["steps"]
    about = f"{count} step{'s' * (count != 1)} {_start(settings)}."
    note_verdict(folder, scores, verdict, about)
    verdict = f"{verdict} It was trained in {about}"
    pictures = _comparison(folder, settings, network, shown)
    return Outcome(folder, network, card, scores, verdict, pictures)
