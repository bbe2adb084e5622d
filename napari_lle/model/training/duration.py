"""How long a run is, and in how many threads it works."""

from __future__ import annotations

import math
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from statistics import median
from typing import NamedTuple

import torch

from .distributed import agreed, processes
from .pace import Budgeted, Counted
from .run_data import RunData
from .run_state import RunState

TIMED_STEPS = 3  # by which a number of threads is judged, after one that warms up
PROBES = 5  # operations that tell whether threads wait for each other
FASTER = 0.95  # of the time that fewer threads take: what more of them must come to


class Trial(NamedTuple):
    """A number of threads, and the seconds that a step takes in it."""

    threads: int
    seconds: float


def set_pace(state: RunState, data: RunData) -> None:
    """Give a run that begins its length and its threads.

    The threads of a run in minutes are found by a short trial that is thrown away; all others
    work in as many as torch does, unless the settings say how many.
    """
    s = state.settings
    state.threads = s.threads or torch.get_num_threads()
    if s.minutes is None:
        steps = s.steps
        if s.epochs is not None:
            steps = math.ceil(s.epochs * len(data.training) / s.batch)
        state.pace = Counted(steps, s.validate_every, s.course)
        return
    start = time.monotonic()
    pace = Budgeted(60 * s.minutes, s.validate_every)
    if not s.threads and state.device.type == "cpu" and processes() == 1:
        trial = RunState(s, state.device, reach=data.reach)
        trial.pace = Counted(1000, s.validate_every)
        found = fastest(lambda: trial.advance(data.training), state.threads, _small_work)
        state.threads = found.threads
        pace = Budgeted(60 * s.minutes, s.validate_every, found.seconds)
    state.pace = pace
    state.seconds = agreed(lambda: time.monotonic() - start)


def fastest(
    work: Callable[[], object], most: int, probe: Callable[[], object] | None = None
) -> Trial:
    """The number of threads in which some work is done soonest, by a short trial.

    One thread first, then twice as many each time for as long as that is faster: on a machine
    that others keep busy, several may wait for each other for longer than they work. A `probe`,
    work that is over sooner, keeps the trial short there.
    """
    counts = [1]
    while counts[-1] < most:
        counts.append(min(2 * counts[-1], most))
    best = _timed(work, counts[0], math.inf)
    alone = _timed(probe, 1, math.inf) if probe and most > 1 else None
    for count in counts[1:]:
        if probe and alone and _timed(probe, count, alone.seconds).seconds > 2 * alone.seconds:
            break
        other = _timed(work, count, best.seconds)
        if other.seconds > FASTER * best.seconds:
            break
        best = other
    return best


def _small_work() -> None:
    """A few of the many operations of a step, each of which all threads wait for."""
    for _ in range(PROBES):
        torch.nn.functional.conv2d(torch.ones(6, 3, 80, 80), torch.ones(8, 3, 3, 3))


def _timed(work: Callable[[], object], threads: int, known: float) -> Trial:
    """The middle one of a few times; after the first where that is hopeless."""
    times: list[float] = []
    with in_threads(threads):
        for _ in range(TIMED_STEPS + 1):
            start = time.perf_counter()
            work()
            times.append(time.perf_counter() - start)
            if times[-1] > 4 * known:
                break
    return Trial(threads, median(times[1:] or times))


@contextmanager
def in_threads(count: int) -> Iterator[None]:
    """Let torch, and what follows it, work in so many threads, or as many as there are cores."""
    before = torch.get_num_threads()
    torch.set_num_threads(max(1, min(count, os.cpu_count() or count)))
    try:
        yield
    finally:
        torch.set_num_threads(before)
