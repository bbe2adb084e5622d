"""The list of pairs: a card for each, with its pictures and all that is wrong with it."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from magicgui.widgets import Select
from numpy.typing import NDArray
from qtpy.QtCore import QModelIndex, QRect, QSize, Qt
from qtpy.QtGui import QColor, QImage, QPainter
from qtpy.QtWidgets import (
    QAbstractItemView,
    QListView,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
)

LIST_HEIGHT = 360  # pixels: two cards, and the beginning of a third
THUMBNAIL_SIDE = 72  # pixels of the longer side of a picture
CARD_MARGIN = 6
CAPTIONS = ("input", "reference")
FINDING_COLOURS = {"good": "#31a354", "doubtful": "#f5a623", "wrong": "#e5534b"}
WRAPPED = int(Qt.TextFlag.TextWordWrap)

Thumbnail = NDArray[np.uint8]


class Card(NamedTuple):
    """What is told of a pair.

    Its name, figures line by line, a verdict in full sentences, how bad that is (of
    `FINDING_COLOURS`), and pictures of (Y, X, 3).
    """

    name: str
    figures: tuple[str, ...]
    verdict: str
    kind: str = "good"
    pictures: tuple[Thumbnail, ...] = ()

    @property
    def text(self) -> str:
        """All of it, line by line."""
        return "\n".join([self.name, *self.figures, self.verdict])


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
            "brighter the reference is, in stops, and the noise of both; its shift in pixels and "
            "its similarity (rank correlation); and its issues.",
        )
        native = self.widget.native
        native.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        native.setResizeMode(QListView.ResizeMode.Adjust)
        native.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        native.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        native.setFixedHeight(LIST_HEIGHT)
        self._painter = CardPainter(self, native)
        native.setItemDelegate(self._painter)

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
        self.widget.native.doItemsLayout()

    def choose(self, place: int) -> None:
        """Choose a card and bring it into view."""
        self.widget.native.setCurrentRow(place)

    def _choices(self, *_: Any) -> list[tuple[str, int]]:
        return [(card.text, place) for place, card in enumerate(self.shown)]


class CardPainter(QStyledItemDelegate):  # type: ignore[misc]
    """Paints a card: a bar in the colour of its verdict, pictures, and the text below them."""

    def __init__(self, cards: Cards, view: Any) -> None:
        super().__init__(view)
        self._cards, self._view = cards, view

    def sizeHint(self, option: QStyleOptionViewItem, index: QModelIndex) -> QSize:
        """As high as its text needs in the width that there is."""
        width = self._view.viewport().width()
        card = self._card(index)
        if card is None:
            return QSize(width, 0)
        height = self._view.fontMetrics().boundingRect(self._room(width), WRAPPED, card.text)
        return QSize(width, height.height() + self._pictures(card) + 3 * CARD_MARGIN)

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: QModelIndex) -> None:
        """Paint it where it lies."""
        card = self._card(index)
        if card is None:
            return
        painter.save()
        box, palette = option.rect, self._view.palette()
        if option.state & QStyle.StateFlag.State_Selected:
            painter.fillRect(box, palette.highlight())
        bar = QRect(box.left(), box.top() + 2, CARD_MARGIN // 2, box.height() - 4)
        painter.fillRect(bar, QColor(FINDING_COLOURS[card.kind]))
        painter.setPen(palette.text().color())
        top = box.top() + CARD_MARGIN
        left = box.left() + 2 * CARD_MARGIN
        below = top + self._pictures(card)
        for caption, picture in zip(CAPTIONS, card.pictures, strict=False):
            left = self._picture(painter, left, (top, below), caption, picture)
        top = below
        room = self._room(box.width()).translated(box.left(), top)
        painter.drawText(room, WRAPPED, card.text)
        painter.restore()

    def _picture(
        self,
        painter: QPainter,
        left: int,
        between: tuple[int, int],
        caption: str,
        picture: Thumbnail,
    ) -> int:
        """One picture and its caption, on one line with others; returns where the next begins."""
        top, below = between
        height, width = picture.shape[:2]
        data = np.ascontiguousarray(picture)
        image = QImage(data.data, width, height, 3 * width, QImage.Format.Format_RGB888)
        painter.drawImage(left, top, image)
        line = self._view.fontMetrics().lineSpacing()
        words = QRect(left, below - line - 2, max(width, THUMBNAIL_SIDE), line)
        painter.drawText(words, int(Qt.AlignmentFlag.AlignLeft), caption)
        return left + max(width, THUMBNAIL_SIDE) + 2 * CARD_MARGIN

    def _pictures(self, card: Card) -> int:
        """Height of the pictures and their captions."""
        line = int(self._view.fontMetrics().lineSpacing())
        return max(len(picture) for picture in card.pictures) + line + 2 if card.pictures else 0

    def _room(self, width: int) -> QRect:
        return QRect(2 * CARD_MARGIN, 0, width - 3 * CARD_MARGIN, 10_000)

    def _card(self, index: QModelIndex) -> Card | None:
        place = index.row()
        return self._cards.shown[place] if place < len(self._cards.shown) else None
