import gc
import threading
import time
import weakref

import pytest

from napari_lle.widgets.shared.jobs import Job, JobError


class Log:
    """Everything a job says, and in which thread."""

    def __init__(self):
        self.steps, self.ends, self.threads = [], [], set()

    def callbacks(self):
        return {
            "on_progress": self.steps.append,
            "on_done": lambda value: self.end("done", value),
            "on_error": lambda error: self.end("error", error),
            "on_cancelled": lambda: self.end("cancelled", None),
        }

    def end(self, kind, value):
        self.ends.append((kind, value))
        self.threads.add(threading.current_thread())


def counting(n, closed, pause=0.0):
    try:
        for i in range(n):
            time.sleep(pause)
            yield i + 1, n, ""
    finally:
        closed.append(threading.current_thread())
    return "result"


@pytest.fixture
def log(qapp):
    return Log()


def test_result_arrives_once_and_in_the_window_s_thread(qtbot, log):
    closed = []
    job = Job(counting(5, closed), label="count", **log.callbacks())
    assert job.running
    qtbot.waitUntil(lambda: not job.running)
    assert log.ends == [("done", "result")]
    assert log.threads == {threading.main_thread()}
    assert len(closed) == 1
    assert closed[0] is not threading.main_thread()
    assert log.steps[0] == (1, 5, "")


def test_many_steps_do_not_flood_the_window_but_notes_arrive(qtbot, log):
    def steps():
        for i in range(5000):
            yield i, 5000, "halved" if i == 4321 else ""

    job = Job(steps(), **log.callbacks())
    qtbot.waitUntil(lambda: not job.running)
    assert len(log.steps) < 100
    assert (4321, 5000, "halved") in log.steps


def test_cancel_ends_after_the_step_under_way_and_closes_the_generator(qtbot, log):
    closed, made, allowed = [], [], threading.Semaphore(1)

    def steps():
        try:
            for i in range(1000):
                allowed.acquire()
                made.append(i)
                yield i, 1000, ""
        finally:
            closed.append(True)

    job = Job(steps(), **log.callbacks())
    qtbot.waitUntil(lambda: bool(log.steps))
    job.cancel()
    allowed.release(1000)
    qtbot.waitUntil(lambda: not job.running)
    assert len(made) <= 2
    assert log.ends == [("cancelled", None)]
    assert closed == [True]


def test_a_result_that_comes_after_cancel_is_thrown_away(qtbot, log):
    def steps():
        yield 0, 1, ""
        time.sleep(0.3)
        return "late"

    job = Job(steps(), **log.callbacks())
    qtbot.waitUntil(lambda: bool(log.steps))
    job.cancel()
    qtbot.waitUntil(lambda: not job.running)
    assert log.ends == [("cancelled", None)]


@pytest.mark.parametrize("kind", [RuntimeError, ValueError, MemoryError])
def test_errors_arrive_with_their_words(qtbot, log, kind):
    def steps():
        yield 0, 1, ""
        raise kind("it broke")

    job = Job(steps(), **log.callbacks())
    qtbot.waitUntil(lambda: not job.running)
    ((how, error),) = log.ends
    assert how == "error"
    assert str(error) == "it broke"
    assert isinstance(error, JobError if kind is RuntimeError else kind)


def test_what_a_job_was_told_is_let_go_at_its_end(qtbot):
    told = Log()
    job = Job(counting(1, []), on_done=told.steps.append, on_error=told.end)
    qtbot.waitUntil(lambda: not job.running)
    assert told.steps == ["result"]
    there = weakref.ref(told)
    del told
    gc.collect()
    assert there() is None and not job.running


def test_an_abandoned_job_ends_in_silence(qtbot, log):
    closed = []
    job = Job(counting(10_000, closed, pause=0.02), **log.callbacks())
    qtbot.waitUntil(lambda: bool(log.steps))
    job.abandon()
    qtbot.waitUntil(lambda: not job.running)
    assert log.ends == []
    assert len(closed) == 1


def test_napari_s_own_quit_counts_as_cancel(qtbot, log):
    closed = []
    job = Job(counting(10_000, closed, pause=0.02), **log.callbacks())
    qtbot.waitUntil(lambda: bool(log.steps))
    job._worker.quit()
    qtbot.waitUntil(lambda: not job.running)
    assert log.ends == [("cancelled", None)]
    assert len(closed) == 1
