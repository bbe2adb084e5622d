"""Hold a training in another thread, end it, and tell how long it will take."""

from __future__ import annotations

import threading
import time

PAUSE_CHECK = 0.05  # seconds between two looks whether a pause is over


class Controls:
    """Pause and stop, from another thread."""

    def __init__(self) -> None:
        self._going = threading.Event()
        self._going.set()
        self.stopped = False

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
        """End the run, with the best network so far."""
        self.stopped = True
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
