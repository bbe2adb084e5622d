"""Hold a training in another thread, end it, and tell how long it will take."""

from __future__ import annotations

import threading
import time

PAUSE_CHECK = 0.05  # seconds between two looks whether a pause is over


class Controls:
    """Pause and stop, from another thread.

    Attributes
    ----------
    stops : int
        How many times a stop was asked for: a second time, no comparison is wanted either.
    """

    def __init__(self) -> None:
        self._going = threading.Event()
        self._going.set()
        self.stops = 0

    @property
    def stopped(self) -> bool:
        """Whether the training is to end."""
        return self.stops > 0

    @property
    def paused(self) -> bool:
        """Whether the run waits."""
        return not self._going.is_set()

    def pause(self, on: bool) -> None:
        """Pause, or continue."""
        if on:
            self._going.clear()
        else:
            self._going.set()

    def stop(self) -> None:
        """End the training, with the best network so far, or the comparison that follows it."""
        self.stops += 1
        self._going.set()


class Clock:
    """Time left, by the pace so far, pauses not counted."""

    def __init__(self) -> None:
        self._start = time.monotonic()
        self._first: int | None = None

    def wait(self, seconds: float) -> float:
        """Sleep, without counting it; returns the seconds that it took."""
        start = time.monotonic()
        time.sleep(seconds)
        slept = time.monotonic() - start
        self._start += slept
        return slept

    def left(self, step: int, steps: int) -> float:
        """Seconds until the last step."""
        if self._first is None:
            self._first, self._start = step, time.monotonic()
            return 0.0
        pace = (time.monotonic() - self._start) / max(step - self._first, 1)
        return pace * (steps - step)
