"""The list of pairs: a card for each, whose sentences wrap instead of leaving the window."""

from __future__ import annotations

from typing import Any, NamedTuple

from magicgui.widgets import Select
from qtpy.QtCore import Qt
from qtpy.QtWidgets import QAbstractItemView, QListView

HEIGHT = 132  # pixels: two cards, and the beginning of a third


class Card(NamedTuple):
    """What is told of a pair: its name, figures line by line, and a verdict."""

    name: str
    figures: tuple[str, ...]
    verdict: str

    @property
    def text(self) -> str:
        """All of it, line by line."""
        first, *more = self.figures
        return "\n".join([f"{self.name}: {first}", *more, self.verdict])


class Cards:
    """Cards of which one can be chosen.

    Attributes
    ----------
    widget : Select
    shown : list of Card
    """

    def __init__(self) -> None:
        self.shown: list[Card] = []
        self.widget = Select(
            choices=self._choices,  # napari asks for them anew whenever layers come or go
            tooltip="Each pair: size of the dark layer and its black and white levels; how much "
            "brighter the reference is, in stops, its shift in pixels and its similarity (rank "
            "correlation); and what is wrong.",
        )
        native = self.widget.native
        native.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        native.setWordWrap(True)
        native.setResizeMode(QListView.ResizeMode.Adjust)
        native.setTextElideMode(Qt.TextElideMode.ElideNone)
        native.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        native.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        native.setAlternatingRowColors(True)
        native.setFixedHeight(HEIGHT)

    @property
    def chosen(self) -> int:
        """The place of the chosen card; -1 if there is none."""
        return int(self.widget.native.currentRow())

    def show(self, cards: list[Card]) -> None:
        """Show other cards, keeping the place of the chosen one."""
        before = self.chosen
        self.shown = cards
        self.widget.reset_choices()
        self.widget.native.setCurrentRow(min(max(before, 0), len(cards) - 1))

    def _choices(self, *_: Any) -> list[tuple[str, int]]:
        return [(card.text, place) for place, card in enumerate(self.shown)]
