"""One pool of threads for the arithmetic of this process: to start threads takes a millisecond."""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import contextmanager
from functools import cache
from typing import Any, TypeVar

import psutil

T = TypeVar("T")
R = TypeVar("R")
THREADS = "NAPARI_LLE_THREADS"  # in the environment
_at_first: int | None = None  # threads of torch, before it was told otherwise
_lock = threading.Lock()
_pools: dict[int, ThreadPoolExecutor] = {}
_here = threading.local()


def thread_count() -> int:
    """How many threads work at once: torch's, where it is loaded, which may have been told."""
    torch: Any = sys.modules.get("torch")
    counted = getattr(torch, "get_num_threads", None)  # not yet there while it is being loaded
    return _usual() if counted is None else int(counted())


@cache
def _usual() -> int:
    """What torch begins with: what OpenMP is told, or one for each core that we may use."""
    told = os.environ.get("OMP_NUM_THREADS", "").split(",")[0]
    if told.isdecimal() and int(told) > 0:
        return int(told)
    allowed = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return min(allowed or 1, psutil.cpu_count(logical=False) or 1)


def in_order(
    work: Callable[[T], R], parts: Sequence[T], hurry: Callable[[], object] | None = None
) -> Iterator[R]:
    """Yield what `work` makes of each part, in their order, `thread_count` at once.

    Closing the iterator leaves out what has not begun, and waits for the rest, which `hurry` may
    be able to end. Work that itself comes here is done by its own thread.
    """
    threads = min(thread_count(), len(parts))
    if threads < 2 or getattr(_here, "works", False):
        yield from map(work, parts)
        return
    pool = _pool(thread_count())
    jobs: list[Future[R]] = []
    try:
        for part in parts:
            jobs.append(pool.submit(work, part))  # noqa: PERF401 - an interrupt must find them
        for job in jobs:
            yield job.result()
    except BaseException:
        if hurry:
            hurry()
        raise
    finally:
        for job in jobs:
            job.cancel()
        wait(jobs)


def use_threads() -> None:
    """Let torch, and what follows it, work in as many threads as the environment says, if it does.

    Raises
    ------
    ValueError
        If it says something else than a number.
    """
    global _at_first
    said = os.environ.get(THREADS, "0")
    if not said.isdecimal():
        raise ValueError(f"{THREADS} must be a number of threads, 0 for all, not {said!r}.")
    if not int(said) and _at_first is None:
        return
    import torch  # which everything here goes by, once it is there

    _at_first = _at_first or torch.get_num_threads()
    torch.set_num_threads(int(said) or _at_first)


@contextmanager
def alone() -> Iterator[None]:
    """Let torch work in one thread: over a thousand numbers several wait longer than they work."""
    import torch

    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)


def _pool(threads: int) -> ThreadPoolExecutor:
    with _lock:
        if threads not in _pools:
            _pools[threads] = ThreadPoolExecutor(threads, "napari-lle", _mark_worker)
        return _pools[threads]


def _mark_worker() -> None:
    _here.works = True


def _after_fork() -> None:
    """A forked process has none of the threads."""
    global _lock
    _lock = threading.Lock()
    _pools.clear()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)
