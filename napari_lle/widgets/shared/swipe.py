"""A line on the canvas: layers of one kind left of it, of another kind right of it."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from typing import Any

from qtpy.QtCore import QEvent, QObject, QRectF, Qt
from qtpy.QtGui import QColor, QPainter
from qtpy.QtWidgets import QWidget

OUTSIDE = 1e5  # pixels beyond any canvas
GRASP_WIDTH, LINE_WIDTH, GRIP = 15, 2, 7  # pixels: what is grasped, what is drawn, half the handle


class SwipeError(RuntimeError):
    """There is no canvas to draw a line on, in words for the user."""


class Swipe:
    """Cuts layers off at a line that is dragged over the canvas.

    napari clips no images in 2-D; what is used here is its canvas's table of visuals, which is not
    meant for plugins, and the clipping of vispy. It may go when `experimental_clipping_planes`
    serve there, too.

    Parameters
    ----------
    viewer : napari.Viewer

    Raises
    ------
    SwipeError
        If the viewer has no window, one of a napari that works otherwise, or shows a grid.
    """

    def __init__(self, viewer: Any) -> None:
        viewer = getattr(viewer, "__wrapped__", viewer)  # in a proxy that warns of what follows
        try:
            self._canvas = viewer.window._qt_viewer.canvas
            self._visuals = self._canvas.layer_to_visual
        except AttributeError as error:
            raise SwipeError(
                "This version of napari has no canvas that a line can be drawn on."
            ) from error
        if getattr(viewer, "canvas", viewer).grid.enabled:  # napari 0.9 moved it
            raise SwipeError("Switch off the grid first: the line divides one view.")
        self._clipped: list[tuple[Any, Any]] = []  # a node and its filter
        self._sides: tuple[list[Any], list[Any]] = [], []
        self.line = SwipeLine(self._canvas.native, self._cut)

    def show(self, left: Sequence[Any], right: Sequence[Any]) -> None:
        """Layers to be seen on either side only; with none, there is no line."""
        self._sides = list(left), list(right)
        self._clear()
        for layers, keep_left in ((left, True), (right, False)):
            for layer in layers:
                for node in self._nodes(layer):
                    self._clip(node, keep_left)
        self.line.setVisible(bool(left and right))
        self._cut()

    def close(self) -> None:
        """Take the line away and show layers whole."""
        with suppress(RuntimeError):  # the window is gone
            self._clear()
            self._canvas.native.update()
            self.line.end()

    def _nodes(self, layer: Any) -> list[Any]:
        visual = self._visuals.get(layer)
        if visual is None:
            return []
        parts = [visual.node, *visual.node.children]  # the tiles of a large image
        return [part for part in parts if hasattr(part, "attach")]

    def _clip(self, node: Any, keep_left: bool) -> None:
        from vispy.visuals.filters import Clipper

        clipper = Clipper()
        clipper.keep_left = keep_left
        node.attach(clipper)
        self._clipped.append((node, clipper))

    def _cut(self) -> None:
        native = self._canvas.native
        x = self.line.middle() * native.devicePixelRatioF()
        for node, clipper in self._clipped:
            clipper.bounds = (
                (-OUTSIDE, -OUTSIDE, OUTSIDE + x, 2 * OUTSIDE)
                if clipper.keep_left
                else (x, -OUTSIDE, OUTSIDE, 2 * OUTSIDE)
            )
            node.update()

    def _clear(self) -> None:
        for node, clipper in self._clipped:
            node.detach(clipper)
            node.update()
        self._clipped = []


class SwipeLine(QWidget):  # type: ignore[misc]
    """The line with its handle: part of the canvas, it follows its size.

    Parameters
    ----------
    canvas : QWidget
    moved : callable
        Called when it lies elsewhere.
    """

    def __init__(self, canvas: QWidget, moved: Any) -> None:
        super().__init__(canvas)
        self._canvas, self._moved = canvas, moved
        self.share = 0.5  # of the canvas's width
        self.setCursor(Qt.CursorShape.SplitHCursor)
        self.setToolTip("Drag the line to either side.")
        self.setAttribute(Qt.WidgetAttribute.WA_NoSystemBackground)
        canvas.installEventFilter(self)
        self._place()

    def middle(self) -> float:
        """Where it lies, in pixels of Qt."""
        return self.share * self._canvas.width()

    def end(self) -> None:
        """Leave the canvas."""
        self._canvas.removeEventFilter(self)
        self.hide()
        self.deleteLater()

    def eventFilter(self, _: QObject, event: Any) -> bool:
        """Follow the canvas."""
        if event.type() == QEvent.Type.Resize:
            self._place()
            self._moved()
        return False

    def mouseMoveEvent(self, event: Any) -> None:
        """Go where it is dragged to."""
        x = self.mapToParent(event.position().toPoint()).x()
        self.share = min(max(x / max(self._canvas.width(), 1), 0.0), 1.0)
        self._place()
        self._moved()

    def paintEvent(self, _: Any) -> None:
        """A line that is seen on dark and on bright, and a handle in its middle."""
        pen = QPainter(self)
        pen.setRenderHint(QPainter.RenderHint.Antialiasing)
        x, y = self.width() / 2, self.height() / 2
        for colour, more in ((QColor("black"), 1.0), (QColor("white"), 0.0)):
            pen.setPen(Qt.PenStyle.NoPen)
            pen.setBrush(colour)
            width = LINE_WIDTH + 2 * more
            pen.drawRect(QRectF(x - width / 2, 0, width, self.height()))
            pen.drawEllipse(
                QRectF(
                    x - GRIP + 1 - more,
                    y - GRIP + 1 - more,
                    2 * (GRIP - 1 + more),
                    2 * (GRIP - 1 + more),
                )
            )

    def _place(self) -> None:
        self.setGeometry(
            round(self.middle()) - GRASP_WIDTH // 2, 0, GRASP_WIDTH, self._canvas.height()
        )
