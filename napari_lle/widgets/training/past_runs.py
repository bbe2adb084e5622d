"""Runs that have ended: what they were worth, their curves, and two of them beside each other."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from magicgui.widgets import ComboBox, Label

from ..shared.folds import Fold
from ..shared.forms import labelled, put_message, roomy
from . import runs as _runs
from .plots import TrainPlots
from .score_table import ScoreTable, in_words

NONE_YET = "No training has ended yet."


class PastRuns:
    """Two lists of runs, their verdicts, scores and curves, folded until they are wanted.

    Attributes
    ----------
    first, second : ComboBox
        Of folders; the second may be None.
    told : Label
    scores : ScoreTable
    plots : TrainPlots
    fold : Fold
    """

    def __init__(self) -> None:
        self._folders: list[Path] = []
        self.first = ComboBox(
            label="run", choices=self._runs, nullable=True, tooltip="A run that has ended."
        )
        self.second = ComboBox(
            label="beside",
            choices=self._others,
            nullable=True,
            tooltip="Another run to compare it with: its curves are dashed.",
        )
        self.told = Label(value="", tooltip="How long they took, and their verdicts.")
        roomy(self.told)
        self.scores = ScoreTable(("method",), "Their scores, each on its own validation set.")
        self.plots = TrainPlots()
        rows = [labelled(self.first), labelled(self.second), self.told, self.scores.widget]
        tooltip = "Show runs that have ended, and compare two."
        self.fold = Fold("Past runs", tooltip, rows, "training/past runs")
        self.fold.addWidget(self.plots.fold)
        self.first.changed.connect(self._show_first)
        self.second.changed.connect(self.show)
        self.fold.toggled.connect(self.fill)
        if self.fold.isExpanded():
            self.fill()

    def fill(self, *_: Any) -> None:
        """Offer the runs that have ended; the latest is chosen unless it was there before."""
        known, first = self._folders, self.first.value
        self._folders = _runs.finished()
        if first not in self._folders or self._folders[0] not in known:
            first = self._folders[0] if self._folders else None
        self._offer(self.first, self._runs, first)
        self._show_first()

    def show(self, *_: Any) -> None:
        """Show what the chosen runs were worth."""
        chosen = [f for f in (self.first.value, self.second.value) if f is not None]
        found = [_runs.read_run(folder) for folder in chosen]
        told = "\n\n".join(run.told for run in found)
        put_message(self.told, told if self._folders else NONE_YET)
        self.scores.widget.visible = bool(found)
        names = list(dict.fromkeys(name for run in found for name in run.scores))
        table = [(name, *(_score_words(run, name) for run in found)) for name in names]
        self.scores.show(("method", "run", "beside")[: 1 + len(found)], table)
        self.plots.compare(*(run.history for run in found))

    def _show_first(self, *_: Any) -> None:
        """Show another run, and offer what can be seen beside it."""
        self._offer(self.second, self._others, self.second.value)
        self.show()

    def _offer(self, control: ComboBox, choices: Any, chosen: Path | None) -> None:
        """Fill a list, keeping its choice as far as that is offered."""
        with control.changed.blocked():
            control.choices = ()  # those that are there would keep their places
            control.choices = choices
            control.value = chosen if chosen in control.choices else None

    def _runs(self, *_: Any) -> list[tuple[str, Path]]:
        return [(_runs.title(folder), folder) for folder in self._folders]

    def _others(self, *_: Any) -> list[tuple[str, Path]]:
        """What can be seen beside the first."""
        return [(name, folder) for name, folder in self._runs() if folder != self.first.value]


def _score_words(run: _runs.PastRun, name: str) -> str:
    """What a method came to on a run's validation set, if it was tried there.

    One figure a line: two runs have to fit in a narrow dock.
    """
    return "\n".join(in_words(*run.scores[name])) if name in run.scores else ""
