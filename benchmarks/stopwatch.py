"""From an action to the picture of it in a real window, and how long the window did not answer."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from time import perf_counter
from typing import Any, NamedTuple

from qtpy.QtCore import QEvent, QEventLoop, QObject, QTimer
from qtpy.QtWidgets import QWidget

TICK = 5  # ms
AFTER = 3  # ticks that are still watched when the picture is there
PATIENCE = 120  # seconds


class Timing(NamedTuple):
    """Seconds from the action to the picture, and the longest gap between two ticks meanwhile."""

    seconds: float
    gap: float


class _Painted(QObject):
    """Notes when a widget has first been painted with something being so."""

    def __init__(self, until: Callable[[], bool]) -> None:
        super().__init__()
        self._until = until
        self._seen = False
        self.at: float | None = None

    def eventFilter(self, widget: Any, event: Any) -> bool:
        # While updates are off, Qt may send the event, but the canvas draws nothing.
        painted = event.type() == QEvent.Type.Paint and widget.updatesEnabled()
        if painted and not self._seen and self._until():
            self._seen = True
            QTimer.singleShot(0, self._note)  # a turn later it is on the screen
        return False

    def _note(self) -> None:
        self.at = perf_counter()


def measure(
    act: Callable[[], Any], until: Callable[[], bool], surface: Callable[[], QWidget]
) -> Timing:
    """Act, and wait until a widget has been painted with something being so.

    Parameters
    ----------
    act : callable
    until : callable
        Asked whenever the widget is about to be painted.
    surface : callable
        Returns the widget; called after `act`, which may make it. Of napari's canvas, that is its
        OpenGL widget, whose painting is a draw event of vispy's canvas.
    """
    loop, timer, painted = QEventLoop(), QTimer(), _Painted(until)
    ticks: list[float] = []
    begun: list[float] = []

    def begin() -> None:
        begun.append(perf_counter())
        act()
        surface().installEventFilter(painted)

    def tick() -> None:
        ticks.append(perf_counter())
        drawn = painted.at is not None and ticks[-AFTER:][0] > painted.at
        if drawn or (begun and ticks[-1] - begun[0] > PATIENCE):
            loop.quit()

    timer.timeout.connect(tick)
    timer.start(TICK)
    QTimer.singleShot(4 * TICK, begin)
    loop.exec()
    timer.stop()
    surface().removeEventFilter(painted)
    if painted.at is None:
        raise TimeoutError(f"No picture within {PATIENCE} s.")
    gaps = [b - a for a, b in pairwise(ticks) if b > begun[0]]
    return Timing(painted.at - begun[0], max(gaps))


def longest_gap(seconds: float) -> float:
    """While nothing is done."""
    loop, timer, ticks = QEventLoop(), QTimer(), [perf_counter()]
    timer.timeout.connect(lambda: ticks.append(perf_counter()))
    timer.start(TICK)
    QTimer.singleShot(int(1000 * seconds), loop.quit)
    loop.exec()
    timer.stop()
    return max(b - a for a, b in pairwise(ticks))


def settle(condition: Callable[[], bool] = lambda: True, least: float = 0.5) -> None:
    """Let the window work for a while, and until something is so."""
    loop, timer, begun = QEventLoop(), QTimer(), perf_counter()

    def look() -> None:
        waited = perf_counter() - begun
        if waited > PATIENCE or (waited > least and condition()):
            loop.quit()

    timer.timeout.connect(look)
    timer.start(20)
    loop.exec()
    timer.stop()
    if not condition():
        raise TimeoutError(f"The window did not get there within {PATIENCE} s.")
