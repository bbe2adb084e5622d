"""Run a generator of progress beside the window, and tell it exactly once how the run ended."""

from __future__ import annotations

from collections.abc import Callable, Generator
from contextlib import closing, suppress
from threading import Event
from time import monotonic
from typing import Any, NamedTuple

from napari.qt.threading import create_worker
from napari.utils import progress
from qtpy.QtCore import QTimer

from ...model.progress import Steps
from .dask_cache import bear_threads
from .responsiveness import brief_turns, load_libraries

INTERVAL = 0.05  # seconds between reports: small tiles must not flood the event loop
DRAWN = 30  # ms after which the window has been drawn, or begins to be
PATIENCE = 1.0  # seconds that a job waits until what it noted is shown


class JobError(Exception):
    """A RuntimeError of the job; superqt would swallow the RuntimeError itself.

    Its worker takes every RuntimeError for one of a deleted Qt object and ends without a signal;
    CUDA's "out of memory" is a RuntimeError, too. We know of no issue on it. It may go when a
    worker of superqt tells such errors, which `tests/widgets/shared/test_jobs.py` would show.
    """


class _Finished(NamedTuple):
    value: Any


def _ignore(*_: Any) -> None:
    pass


class Job:
    """A generator at work in a thread.

    Exactly one of `on_done`, `on_error` and `on_cancelled` is called, in the window's thread, and
    none after `abandon`.

    Parameters
    ----------
    steps : generator
        Yields ``(done, total, note)`` and returns the result. It is closed when the job ends,
        however that comes about.
    on_progress : callable
        Takes what the generator yields, at most some twenty times a second; notes always arrive,
        and the job waits while the window shows them.
    on_done : callable
        Takes the result.
    on_error : callable
        Takes the exception.
    on_cancelled : callable
        Takes nothing.
    label : str
        Text of napari's progress bar; without it there is none.
    """

    def __init__(
        self,
        steps: Generator[Any, None, Any],
        *,
        on_progress: Callable[[Any], Any] = _ignore,
        on_done: Callable[[Any], Any] = _ignore,
        on_error: Callable[[Exception], Any] = _ignore,
        on_cancelled: Callable[[], Any] = _ignore,
        label: str = "",
    ) -> None:
        bear_threads()
        self._steps = steps
        self._on_progress = on_progress
        self._on_done = on_done
        self._on_error = on_error
        self._on_cancelled = on_cancelled
        self._stop = False
        self._shown = Event()
        self._outcome: _Finished | Exception | None = None
        self._bar = progress(total=0, desc=label) if label else None
        self._worker: Any = create_worker(_guarded, self, _start_thread=False, _ignore_errors=True)
        # napari's own relay of errors works with some Qt bindings only: leave it to `on_error`.
        with suppress(TypeError, RuntimeError):
            self._worker.errored.disconnect()
        self._worker.yielded.connect(self._report)
        self._worker.returned.connect(self._keep)
        self._worker.errored.connect(self._keep)
        self._worker.finished.connect(self._finish)
        self._worker.start()

    @property
    def running(self) -> bool:
        """Whether the end has not been told yet."""
        return self._worker is not None

    def cancel(self) -> None:
        """Stop at the next step; the result of a step under way is thrown away."""
        self._stop = True

    def stopped(self) -> bool:
        """Whether it was told to stop."""
        return self._stop

    def abandon(self) -> None:
        """Cancel without telling anybody: for a window that goes away."""
        self._on_progress = self._on_done = self._on_error = self._on_cancelled = _ignore
        self.cancel()

    def _report(self, step: Any) -> None:
        if self._bar is not None:
            self._bar.total = step[1]
            self._bar.update(step[0] - self._bar.n)
        if not self._stop:
            self._on_progress(step)
        QTimer.singleShot(DRAWN, self._shown.set)

    def _keep(self, outcome: Any) -> None:
        self._outcome = outcome

    def _finish(self) -> None:
        self._worker = None
        stopped = self._stop
        self._steps.close()
        if self._bar is not None:
            self._bar.close()
        done, error, cancelled = self._on_done, self._on_error, self._on_cancelled
        outcome, self._outcome = self._outcome, None
        self.abandon()  # what they hold, such as layers, is not kept until the next job
        if isinstance(outcome, Exception):
            error(outcome)
        elif stopped or outcome is None:
            cancelled()
        else:
            done(outcome.value)


def _guarded(job: Job) -> Generator[Any, None, _Finished | None]:
    """The job's steps, thinned out, ended by `Job.cancel`, with errors that arrive."""
    last = 0.0
    with closing(job._steps), brief_turns():
        load_libraries()
        if job.stopped():
            return None
        steps = Steps(job._steps)
        try:
            for step in steps:
                if monotonic() - last > INTERVAL or step[2]:
                    last = monotonic()
                    job._shown.clear()
                    yield step
                    if step[2] and not job.stopped():
                        job._shown.wait(PATIENCE)
                if job.stopped():
                    return None
        except RuntimeError as error:
            raise JobError(str(error) or type(error).__name__) from error
    return _Finished(steps.answer)
