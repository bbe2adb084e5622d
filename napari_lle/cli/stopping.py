"""Ctrl-C in a training: it ends after the step, with the best weights so far; twice, at once."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Generator
from contextlib import closing
from typing import Any, TypeVar

from ..model.progress import Steps
from .console import complain

E = TypeVar("E")
R = TypeVar("R")


def until_interrupted(events: Generator[E, Any, R], stop: Any) -> Generator[E, None, R]:
    """Pass on events; after Ctrl-C send the generator `stop`, and return what it then returns.

    Where several processes train together, or another thread than the first asks, Ctrl-C ends
    them as ever.
    """
    alone = int(os.environ.get("WORLD_SIZE", "1")) == 1
    if not alone or threading.current_thread() is not threading.main_thread():
        return (yield from events)
    asked = False

    def ask(*_: Any) -> None:
        nonlocal asked
        if asked:
            raise KeyboardInterrupt
        asked = True
        complain("Ending with the best weights so far; press Ctrl-C again to end without them.")

    before = signal.signal(signal.SIGINT, ask)
    run = Steps(events)
    try:
        with closing(iter(run)) as told:
            for event in told:
                yield event
                run.reply = stop if asked else None
        return run.answer
    finally:
        signal.signal(signal.SIGINT, before)
