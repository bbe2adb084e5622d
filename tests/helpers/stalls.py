"""How long the event loop is kept from answering, by our own doing.

A timer ticks in the window's thread. A gap between two ticks is ours as far as threads of this
process computed in it, be it in the window's thread or in one that kept it waiting for Python's
lock; the time for which other programs had the processor is nobody's stall. On Linux the kernel
tells for how long a thread that was ready had to wait for a processor; elsewhere nothing is
subtracted.
"""

import threading
import time
from functools import partial
from pathlib import Path

import numpy as np
from qtpy.QtCore import QTimer

STALL = 0.1  # seconds that the window may not answer
TICK = 5  # ms


def clocks():
    """Seconds: of the wall, of all of the process, and ready to run but without a processor."""
    file = Path(f"/proc/self/task/{threading.get_native_id()}/schedstat")
    waited = int(file.read_text().split()[1]) / 1e9 if file.exists() else 0.0
    return time.monotonic(), time.process_time(), waited


class Loop:
    """Watches the event loop of the window's thread."""

    def __init__(self, qtbot):
        self._qtbot = qtbot

    def gaps(self, act, until, timeout=60_000):
        """Do something and wait; the gaps between ticks that were ours, in seconds."""
        ticks = []
        timer = QTimer()
        timer.timeout.connect(lambda: ticks.append(clocks()))
        ticks.append(clocks())
        timer.start(TICK)
        QTimer.singleShot(0, act)
        self._qtbot.waitUntil(lambda: len(ticks) > 3 and until(), timeout=timeout)
        ticks_at_end = len(ticks)
        self._qtbot.waitUntil(lambda: len(ticks) > ticks_at_end + 3)  # what is drawn after it
        timer.stop()
        ticks.append(clocks())
        wall, computed, waited = np.diff(ticks, axis=0).T
        return np.minimum(wall - waited, computed)

    def allowed(self, viewer, *makers):
        """The longest gap that is not ours, or `STALL`: napari needs time for a layer of each kind
        and to draw them all anew, and the machine for any window. Twice that, for a run does both
        at once, and what else the machine does slows down either."""
        longest, made = [self.quiet()], []
        for make in makers:
            for _ in range(2):  # the first one compiles shaders
                layer = make()
                added = partial(viewer.layers.__contains__, layer)
                gaps = self.gaps(partial(viewer.add_layer, layer), added)
                viewer.layers.remove(layer)
            viewer.add_layer(layer)
            made.append(layer)
            longest.append(gaps.max())
        for _ in range(5):
            changed = made[0].data.copy()
            longest.append(
                self.gaps(partial(setattr, made[0], "data", changed), lambda: True).max()
            )
        for layer in made:
            viewer.layers.remove(layer)
        return max(STALL, 2 * max(longest))

    def quiet(self, seconds=1.0):
        """The longest gap while nothing is done: what the machine makes of any window."""
        end = time.monotonic() + seconds
        return self.gaps(lambda: None, lambda: time.monotonic() > end).max()
