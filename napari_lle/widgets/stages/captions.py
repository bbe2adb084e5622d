"""Words over the cells of napari's grid.

napari 0.9 can write the names of layers itself; a name says less than a caption, a long one is cut,
and an older napari has none. These are labels that lie on the canvas.
"""

from __future__ import annotations

from contextlib import suppress
from typing import Any

from qtpy.QtCore import QEvent, QObject, Qt
from qtpy.QtOpenGLWidgets import QOpenGLWidget
from qtpy.QtWidgets import QLabel, QMainWindow, QWidget

INSET = 4  # pixels from the corner of a cell
LOOK = "background: rgba(0, 0, 0, 150); color: white; padding: 1px 5px; border-radius: 3px;"


class Captions(QObject):  # type: ignore[misc]
    """Labels in the upper left corners of cells; where there is no canvas, there are none.

    Parameters
    ----------
    viewer : napari.components.ViewerModel
    widget : QWidget
        Docked in its window.
    """

    def __init__(self, viewer: Any, widget: QWidget) -> None:
        super().__init__()
        self._viewer, self._widget = viewer, widget
        self._labels: list[tuple[Any, QLabel]] = []  # layers and what is written over them
        self._shape = (1, 1)
        self._canvas: QWidget | None = None

    def show(self, words: list[tuple[Any, str]], shape: tuple[int, int]) -> None:
        """Write over layers, in a grid of that shape with the uppermost layer first."""
        self.end()
        self._canvas, self._shape = canvas_near(self._widget), shape
        if self._canvas is None:
            return
        self._labels = [(layer, self._label(text)) for layer, text in words]
        self._canvas.installEventFilter(self)
        for layer, _ in self._labels:
            layer.events.visible.connect(self.place)
        self.place()

    def end(self) -> None:
        """Take the words away."""
        labels, self._labels = self._labels, []
        for layer, label in labels:
            with suppress(ValueError):
                layer.events.visible.disconnect(self.place)
            with suppress(RuntimeError):  # the window is gone
                label.hide()
                label.deleteLater()
        with suppress(RuntimeError):
            if self._canvas is not None:
                self._canvas.removeEventFilter(self)
        self._canvas = None

    def texts(self) -> list[str]:
        """What can be read on the canvas."""
        return [label.text() for _, label in self._labels if not label.isHidden()]

    def eventFilter(self, _: QObject, event: Any) -> bool:
        """Follow the canvas."""
        if event.type() == QEvent.Type.Resize:
            self.place()
        return False

    def place(self, *_: Any) -> None:
        """Put each label into the cell of its layer."""
        if self._canvas is None:
            return
        rows, columns = self._shape
        width, height = self._canvas.width() / columns, self._canvas.height() / rows
        seen = [layer for layer in reversed(self._viewer.layers) if layer.visible]
        for layer, label in self._labels:
            label.setVisible(layer in seen)
            if layer in seen:
                row, column = divmod(seen.index(layer) % (rows * columns), columns)
                label.move(round(column * width) + INSET, round(row * height) + INSET)
                label.setMaximumWidth(max(round(width) - 2 * INSET, 1))

    def _label(self, text: str) -> QLabel:
        label = QLabel(text, self._canvas)
        label.setStyleSheet(LOOK)
        label.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        label.adjustSize()
        return label


def canvas_near(widget: QWidget) -> QWidget | None:
    """What the viewer draws on in whose window a widget is docked; None where there is none.

    It is found by way of Qt: napari has no public way to it.
    """
    window = widget
    while window is not None and not isinstance(window, QMainWindow):
        window = window.parentWidget()
    central = None if window is None else window.centralWidget()
    return None if central is None else central.findChild(QOpenGLWidget)
