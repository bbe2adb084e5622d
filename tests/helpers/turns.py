"""Whether the window's thread has turns of its own while something works: structure, not speed."""

import threading
from contextlib import contextmanager

from qtpy.QtCore import QTimer

PATIENCE = 120  # seconds until a hang is called one
TICK = 5  # ms: without a rest between its turns the window would leave the work no room


class Turns:
    """A timer in the window's thread, and steps that go on only when it has ticked.

    Attributes
    ----------
    threads : set of threading.Thread
        In which the watched steps ran.
    """

    def __init__(self):
        self.threads = set()
        self._ticked = threading.Event()
        self._timer = QTimer()
        self._timer.timeout.connect(self._ticked.set)
        self._timer.start(TICK)

    def watched(self, make):
        """A function that returns the same steps, each of which waits for a tick before it.

        Work in the window's own thread, or under a lock that it needs, would wait in vain.
        """

        def made(*args, **kwargs):
            steps = make(*args, **kwargs)
            self.threads.add(threading.current_thread())
            while True:
                self._ticked.clear()
                assert self._ticked.wait(PATIENCE), "the event loop does not turn"
                try:
                    step = next(steps)
                except StopIteration as stop:
                    return stop.value
                yield step

        return made

    def apart(self):
        """Whether the steps ran, and outside of the window's thread."""
        return bool(self.threads) and threading.main_thread() not in self.threads


class Shares:
    """What each call of a method changes in a viewer, as a list of words for each call."""

    def __init__(self, viewer):
        self.calls = []
        self._open = False
        viewer.layers.events.inserted.connect(lambda e: self._added(e.value))
        viewer.layers.events.removed.connect(lambda _: self.note("removed"))

    def note(self, word):
        """Count it as done by the call under way, if there is one."""
        if self._open:
            self.calls[-1].append(word)

    def counted(self, method):
        """The method, its calls being counted."""

        def call(*args, **kwargs):
            with self._call():
                return method(*args, **kwargs)

        return call

    def noted(self, method, word):
        """A function whose calls are changes."""

        def call(*args, **kwargs):
            self.note(word)
            return method(*args, **kwargs)

        return call

    def _added(self, layer):
        self.note("added")
        layer.events.data.connect(lambda _: self.note("changed"))

    @contextmanager
    def _call(self):
        self.calls.append([])
        self._open = True
        try:
            yield
        finally:
            self._open = False
