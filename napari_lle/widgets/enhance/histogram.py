"""A small histogram of a layer, in which its black and white levels are dragged."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from qtpy.QtCore import QPointF, QRectF, QSize, Qt, Signal
from qtpy.QtGui import QColor, QPainter, QPolygonF
from qtpy.QtWidgets import QSizePolicy, QWidget

BLACK, WHITE = "black", "white"
LEVEL_COLOURS = {BLACK: "#4c8dff", WHITE: "#ffb000"}  # seen on dark and on light
HISTOGRAM_HEIGHT = 64
BAR = 2  # pixels wide
HANDLE = 5  # pixels, half the width of a handle
GRASP_DISTANCE = 12  # pixels from a level that can be grasped
SPAN_BESIDE = 0.15  # of the span between the levels that is shown on either side


class Histogram(QWidget):  # type: ignore[misc]
    """Counts of pixel values on a logarithmic scale; the first and last bins take what lies beyond.

    Signals
    -------
    dragged : str, float
        A level, `BLACK` or `WHITE`, and where it is now.
    reset : none
        By a double click.
    """

    dragged = Signal(str, float)
    reset = Signal()

    def __init__(self) -> None:
        super().__init__()
        self._values: NDArray[np.float64] = np.empty(0)
        self._levels: dict[str, float] = {}
        self._range = (0.0, 1.0)
        self._counted: tuple[Any, NDArray[np.float64]] = (None, np.empty(0))
        self._held = ""
        self._ink = QColor("gray")
        self.setMouseTracking(True)
        self.setFixedHeight(HISTOGRAM_HEIGHT)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setToolTip(
            "Pixel values, on a logarithmic scale. Drag the blue line to set black, the orange one "
            "to set white; double-click to have both found again."
        )

    def sizeHint(self) -> QSize:
        """As narrow as the widget may get."""
        return QSize(200, HISTOGRAM_HEIGHT)

    def recolour(self, text: str) -> None:
        """Draw bars in the colour that the viewer's theme has for text."""
        self._ink = QColor(text)
        self.update()

    def clear(self) -> None:
        """Show nothing."""
        self._values, self._levels = np.empty(0), {}
        self.update()

    def show_values(self, values: NDArray[np.float64], black: float, white: float) -> None:
        """Show finite values and levels, ``black < white``."""
        if values is not self._values:
            self._values, self._held = values, ""
        self._levels = {BLACK: black, WHITE: white}
        if not self._held:  # while a level is dragged the ground stays
            margin = SPAN_BESIDE * (white - black)
            self._range = black - margin, white + margin
        self.update()

    def place_of(self, value: float) -> float:
        """The column of a value."""
        low, high = self._range
        return (value - low) / (high - low) * self.width()

    def heights(self) -> NDArray[np.float64]:
        """Of the bars, from left to right, 0 to 1."""
        bars = max(self.width() // BAR, 1)
        state = (id(self._values), self._range, bars)
        if self._counted[0] != state:
            counts, _ = np.histogram(np.clip(self._values, *self._range), bars, self._range)
            most = max(np.log1p(counts.max(initial=0)), 1.0)
            self._counted = state, np.log1p(counts) / most
        return self._counted[1]

    def paintEvent(self, _: Any) -> None:
        """Bars, and a line with a handle at each level."""
        pen = QPainter(self)
        ink = QColor(self._ink)
        ink.setAlpha(40)
        pen.fillRect(self.rect(), ink)
        if not self._levels:
            return
        ink.setAlpha(150)
        bottom = float(self.height())
        for i, height in enumerate(self.heights()):
            pen.fillRect(QRectF(i * BAR, bottom * (1 - height), BAR, bottom * height), ink)
        pen.setRenderHint(QPainter.RenderHint.Antialiasing)
        for level, value in self._levels.items():
            x, colour = round(self.place_of(value)), QColor(LEVEL_COLOURS[level])
            pen.fillRect(QRectF(x - 1, 0, 2, bottom), colour)
            pen.setPen(Qt.PenStyle.NoPen)
            pen.setBrush(colour)
            pen.drawPolygon(
                QPolygonF([QPointF(x - HANDLE, 0), QPointF(x + HANDLE, 0), QPointF(x, 2 * HANDLE)])
            )

    def mousePressEvent(self, event: Any) -> None:
        """Take hold of the level that is near."""
        self._held = self._near(event.position().x())

    def mouseMoveEvent(self, event: Any) -> None:
        """Drag a level, never beyond the other one."""
        x = event.position().x()
        if not self._held:
            near = self._near(x)
            self.setCursor(Qt.CursorShape.SplitHCursor if near else Qt.CursorShape.ArrowCursor)
            return
        low, high = self._range
        step = (high - low) / self.width()
        value = low + min(max(x, 0.0), self.width()) * step
        if self._held == BLACK:
            value = min(value, self._levels[WHITE] - step)
        else:
            value = max(value, self._levels[BLACK] + step)
        self._levels[self._held] = value
        self.update()
        self.dragged.emit(self._held, value)

    def mouseReleaseEvent(self, _: Any) -> None:
        """Let go, and make room on both sides."""
        if self._held:
            self._held = ""
            self.show_values(self._values, self._levels[BLACK], self._levels[WHITE])

    def mouseDoubleClickEvent(self, _: Any) -> None:
        """Forget what was dragged."""
        self._held = ""
        self.reset.emit()

    def _near(self, x: float) -> str:
        distances = {name: abs(self.place_of(v) - x) for name, v in self._levels.items()}
        found = min(distances, key=distances.__getitem__, default="")
        return found if found and distances[found] <= GRASP_DISTANCE else ""
