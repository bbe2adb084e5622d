"""What a run is told of its held-out images: at each validation, and at its end."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import asdict
from typing import Any

import torch

from ..progress import Progress, finish
from ..version import __version__, commit
from .distributed import agreed, processes
from .run_data import RunData
from .run_state import RunState
from .settings import Diverged
from .validation import WHOLE, judge_steps

DIVERGED = 10.0  # times the loss of the run's beginning


def judged(state: RunState, data: RunData) -> Generator[Progress, None, dict[str, Any]]:
    """The figures of `validation.judge_steps` for the average of the weights so far."""
    # A loss against noise tells little on a crop.
    size = WHOLE if data.noisy else state.settings.crop
    network, objective, device = state.averaged(), state.objective, state.device
    steps = judge_steps(network, objective, data.held_out, size, device, data.noisy)
    if processes() > 1:  # the others wait for the first, all the time
        return agreed(lambda: finish(steps))
    return (yield from steps)


def note_figures(state: RunState, figures: dict[str, Any]) -> dict[str, Any]:
    """Let a run note down the figures of a validation; its row.

    Raises
    ------
    Diverged
        If the loss is far above that of the run's beginning.
    """
    row = state.record(figures)
    beginning = state.history[0]["loss"]
    if row["loss"] > DIVERGED * beginning:
        raise Diverged(
            f"Training diverged by step {state.step}, its loss is {row['loss'] / beginning:.0f} "
            "times that of the beginning: start again with a lower learning rate."
        )
    return row


def collapse(best: dict[str, Any]) -> str:
    """What to think of weights that are the best of a run that has collapsed; empty if sound."""
    if not best["verdict"]:
        return ""
    return (
        f"Training collapsed: {best['verdict']}. The best weights are kept all the same, but may "
        "be useless: look at a result before you use them, or start again with another exposure, "
        "other weights or a lower learning rate."
    )


def training_card(state: RunState, data: RunData) -> dict[str, Any]:
    """The story of a run."""
    training, held_out = data.given
    return {
        "napari_lle": __version__,
        "commit": commit(),
        "torch": torch.__version__,
        "objective": state.settings.objective,
        "settings": state.settings.to_dict(),
        "steps": state.step,
        "threads": state.threads,
        **({"course": asdict(state.pace.course)} if state.pace.course else {}),
        "training_pairs": [p.name for p in training],
        "held_out_pairs": [p.name for p in held_out],
        **({"processes": processes()} if processes() > 1 else {}),
        "held_out": {k: v for k, v in state.best.items() if k != "verdict"},
    }
