"""The steps of a training, of which one is open."""

from __future__ import annotations

from collections.abc import Sequence

from qtpy.QtCore import Qt
from qtpy.QtWidgets import QTabBar, QWidget

PAIRS_STEP, CHECK_STEP, TRAIN_STEP, VERDICT_STEP = range(4)
STEPS = {
    "Pairs": "Choose dark or noisy layers and their references.",
    "Check": "See the issues of each pair, and fix them.",
    "Train": "Choose the start and the time, and train.",
    "Verdict": "See how good it is, save the model, and look at past runs.",
}


class StepBar(QTabBar):  # type: ignore[misc]
    """Tabs of the four steps, above their pages.

    Parameters
    ----------
    pages : sequence of sequence of QWidget
        What belongs to each step; all but that of the chosen one is hidden.
    """

    def __init__(self, pages: Sequence[Sequence[QWidget]]) -> None:
        super().__init__()
        self._pages = pages
        self.setUsesScrollButtons(False)
        self.setElideMode(Qt.TextElideMode.ElideRight)  # names make nothing wider
        self.setExpanding(True)
        for number, (name, tooltip) in enumerate(STEPS.items()):
            self.addTab(f"{number + 1} {name}")
            self.setTabToolTip(number, tooltip)
        self.currentChanged.connect(self._show)
        self._show(PAIRS_STEP)

    def mark(self, step: int, words: str = "") -> None:
        """Say something behind the name of a step."""
        self.setTabText(step, f"{step + 1} {list(STEPS)[step]}{words}")

    def _show(self, step: int) -> None:
        for number, page in enumerate(self._pages):
            for part in page:
                part.setVisible(number == step)
