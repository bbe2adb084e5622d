"""Run what works in steps, with a window and without."""

import time

from napari_lle.model.progress import Progress, Steps


def drain(steps):
    """All that a generator yields, and what it returns."""
    run = Steps(steps)
    return list(run), run.answer


def last(steps):
    """What a generator returns."""
    return drain(steps)[1]


def slow_steps(*args, **kwargs):
    """A job that does not end while a test looks at it."""
    for i in range(1000):
        time.sleep(0.02)
        yield Progress(i, 1000)


def run(qtbot, widget):
    """Click on the button, and wait for the end."""
    widget.form.run.native.click()
    qtbot.waitUntil(lambda: not widget.job.running)
