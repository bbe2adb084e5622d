"""The walk of one image: how often a run passes from one module of the package into another.

Nothing of the package is imported here until it is run: ``docs/make/house.py`` measures other
revisions with the same file.
"""

from __future__ import annotations

import inspect
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any, NamedTuple

PACKAGE = "napari_lle"
SHAPE = (24, 40, 3)  # one strip of the kernel: what is done for every strip is done once


class Entry(NamedTuple):
    """A call from one module of the package, or from outside (''), into another."""

    module: str
    function: str
    source: str


class Walk:
    """Notes down the calls of functions and methods by which one module enters another.

    What belongs to a value that was handed over is no entry: its attributes, special methods, and
    functions inside functions, which are called back. A generator is one, however often resumed.
    """

    def __init__(self) -> None:
        self.entries: list[Entry] = []
        self.calls: Counter[str] = Counter()  # of each function, from wherever
        self._passed: set[int] = set()  # entries that went on into another module
        self._number: dict[FrameType, int] = {}
        self._resumed: set[FrameType] = set()

    def passes(self) -> Counter[str]:
        """How often the run passes through each module: enters it, and goes on from there.

        A module that answers by itself, arithmetic or a check, is a tool, and lies beside the way.
        """
        return Counter(self.entries[i].module for i in self._passed)

    def watch(self, frame: FrameType, event: str, _: Any) -> None:
        """For `sys.setprofile`."""
        module = _module(frame)
        if event != "call" or module is None or not _named(frame):
            return
        if frame.f_code.co_flags & inspect.CO_GENERATOR:
            if frame in self._resumed:
                return
            self._resumed.add(frame)
        function = frame.f_code.co_qualname
        self.calls[f"{module}.{function}"] += 1
        back = _caller(frame)
        source = "" if back is None else _module(back) or ""
        if source == module:
            return
        self._number[frame] = len(self.entries)
        self.entries.append(Entry(module, function, source))
        while back is not None and _module(back) in (source, None):
            if back in self._number:
                self._passed.add(self._number[back])
                break
            back = back.f_back


def _module(frame: FrameType) -> str | None:
    name = frame.f_globals.get("__name__", "")
    return name if name == PACKAGE or name.startswith(f"{PACKAGE}.") else None


def _caller(frame: FrameType) -> FrameType | None:
    """The frame of the package that called, past all that is not of the package."""
    back = frame.f_back
    while back is not None and _module(back) is None:
        back = back.f_back
    return back


def _named(frame: FrameType) -> bool:
    code = frame.f_code
    if code.co_name.startswith(("<", "__")) or "<locals>" in code.co_qualname:
        return False
    owner = frame.f_locals.get("self") if code.co_varnames[:1] == ("self",) else None
    found = None if owner is None else inspect.getattr_static(type(owner), code.co_name, None)
    return found is None or inspect.isfunction(found)


@contextmanager
def watched() -> Iterator[Walk]:
    """The walk of what this thread does meanwhile."""
    walk = Walk()
    sys.setprofile(walk.watch)
    try:
        yield walk
    finally:
        sys.setprofile(None)


@contextmanager
def watched_jobs() -> Iterator[Walk]:
    """The walk of what the jobs of widgets do meanwhile, in threads that Qt lends them."""
    from superqt.utils import WorkerBase

    walk, run = Walk(), WorkerBase.run

    def watched_run(worker: Any) -> None:
        sys.setprofile(walk.watch)
        try:
            run(worker)
        finally:
            sys.setprofile(None)

    WorkerBase.run = watched_run
    try:
        yield walk
    finally:
        WorkerBase.run = run
