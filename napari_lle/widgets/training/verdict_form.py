"""What a run was worth: the sentence, the scores, the pictures, and what may be kept."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from magicgui.widgets import Container, Label, PushButton

from ..shared.forms import labelled, put_message, roomy, row
from ..shared.picture_swipe import PictureSwipe
from .past_runs import PastRuns
from .score_table import ScoreTable

SCORES = ("method", "PSNR", "SSIM")
NOTHING = "Train first: the verdict compares the model with methods that need no training."


class VerdictForm:
    """The controls of the last step.

    Attributes
    ----------
    sentence : Label
    scores : ScoreTable
    swipe : PictureSwipe
    save, command : PushButton
    past : PastRuns
        Their fold is to be laid out below the page.
    page : Container
        All others, top to bottom.
    """

    def __init__(self, viewer: Any) -> None:
        tooltip = "How good the model is on images that it was not trained on."
        self.sentence = Label(value=NOTHING, tooltip=tooltip)
        roomy(self.sentence)
        self.scores = ScoreTable(SCORES, "Scores on the validation set, which was not trained on.")
        self.swipe = PictureSwipe(viewer)
        self.save = PushButton(
            text="Save model…", enabled=False, tooltip="Save the model and its card to a file."
        )
        self.command = PushButton(
            text="Copy as command",
            enabled=False,
            tooltip="Copy the shell command that repeats this training.",
        )
        self.past = PastRuns()
        swipe = self.swipe
        sides = [labelled(swipe.left), labelled(swipe.right)]
        rows = [self.sentence, self.scores.widget, *sides, swipe.button]
        self.page = Container(widgets=[*rows, row(self.save, self.command)], labels=False)
        self.page.margins = (0, 0, 0, 0)

    def show(self, rows: Sequence[tuple[str, ...]], sentence: str = NOTHING) -> None:
        """Fill in what a run was worth."""
        put_message(self.sentence, sentence)
        self.scores.widget.visible = bool(rows)
        self.scores.show(SCORES, rows)
