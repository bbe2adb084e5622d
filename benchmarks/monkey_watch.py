"""What must not happen in a window, whatever is done in it: the monkey's list of faults."""

from __future__ import annotations

import gc
import sys
import threading
import traceback
import warnings
from collections import Counter, deque
from collections.abc import Callable, Iterator
from functools import partial
from types import CellType, FrameType, FunctionType, GeneratorType, MethodType
from typing import Any, Self

import dask.threaded
from napari.layers import Layer
from napari.utils.notifications import ErrorNotification, notification_manager
from qtpy.QtCore import QThreadPool
from superqt.utils import WorkerBase

from napari_lle.widgets.shared import jobs
from napari_lle.widgets.shared.marks import CanvasMark
from napari_lle.widgets.training.pair_steps import Entry

OWN = "napari_lle"
MEANT = Entry  # knows the layer that it was read from, there or not
WITH_VIEWER = CanvasMark  # listens as long as there is a viewer
KEPT = 100  # of the last words before a fault


class Watch:
    """Hears of exceptions in slots, threads and destructors, of napari's errors and of jobs.

    Attributes
    ----------
    faults : list of str
    jobs : int
        How many were begun.
    """

    def __init__(self) -> None:
        self.faults: list[str] = []
        self.jobs = 0
        self._threads = set(threading.enumerate())
        self._undo: list[Callable[[], Any]] = []
        self._living: list[jobs.Job] = []

    def __enter__(self) -> Self:
        self._swap(sys, "excepthook", lambda _, error, __: self.note("in a slot", error))
        self._swap(sys, "unraisablehook", lambda it: self.note(f"in {it.object}", it.exc_value))
        self._swap(threading, "excepthook", lambda it: self.note("in a thread", it.exc_value))
        self._swap(warnings, "showwarning", self._warned)
        ready = notification_manager.notification_ready
        ready.connect(self._notified)
        self._undo.append(lambda: ready.disconnect(self._notified))
        begin, watch = jobs.Job.__init__, self

        def counted(job: jobs.Job, *args: Any, **kwargs: Any) -> None:
            watch.jobs += 1
            begin(job, *args, **kwargs)
            watch._living = [each for each in (*watch._living, job) if each.running]

        self._swap(jobs.Job, "__init__", counted)
        return self

    def __exit__(self, *_: Any) -> None:
        for undo in reversed(self._undo):
            undo()

    @property
    def busy(self) -> bool:
        """Whether a job is under way."""
        return any(job.running for job in self._living)

    def note(self, where: str, error: BaseException) -> None:
        """Count an exception, with where it came from."""
        told = "".join(traceback.format_exception(error)).rstrip()
        whose = "" if f"{OWN}/" in told else "of napari alone: "
        self.faults.append(f"{whose}{type(error).__name__} {where}\n{told}")

    def look(self, panels: list[Any], viewer: Any) -> None:
        """Count what is wrong while nothing works: layers that are gone, and buttons that wait."""
        there = set(viewer.layers)
        for panel in panels:
            name = type(panel).__name__
            gone = {p: la for p, la in held(panel) if la not in there}
            self.faults += [f"{name}{p} holds “{la.name}”, which is gone" for p, la in gone.items()]
            if panel.form.progress.visible:
                self.faults.append(f"{name} shows a run, and there is none")

    def look_after(self, viewer: Any) -> None:
        """Count what a closed window has left behind."""
        gc.collect()
        more = set(threading.enumerate()) - self._threads
        more -= pooled()
        self.faults += [f"the thread {each.name} goes on" for each in more if not each.daemon]
        self.faults += [f"the worker {each} goes on" for each in WorkerBase._worker_set]
        if count := QThreadPool.globalInstance().activeThreadCount():
            self.faults.append(f"{count} threads of Qt go on")
        deaf = Counter(listeners(viewer))
        self.faults += [f"{each} still listens, {n} times" for each, n in deaf.items()]

    def _swap(self, owner: Any, name: str, new: Any) -> None:
        self._undo.append(partial(setattr, owner, name, getattr(owner, name)))
        setattr(owner, name, new)

    def _warned(self, message: Any, kind: type, file: str, line: int, *_: Any) -> None:
        if f"{OWN}/" in file:
            self.faults.append(f"{kind.__name__} of {file}:{line}: {message}")

    def _notified(self, event: Any) -> None:
        if isinstance(event, ErrorNotification):  # and no sentence of Restore
            self.note("told by napari", event.exception)


def held(root: Any) -> Iterator[tuple[str, Layer]]:
    """Layers that objects of this package hold on to, with the way to them."""
    todo, seen = deque([("", root)]), set()
    while todo:
        path, it = todo.popleft()
        if isinstance(it, Layer):
            yield path, it
        elif id(it) not in seen and not isinstance(it, MEANT):
            seen.add(id(it))
            todo += [(f"{path}{name}", each) for name, each in parts(it)]


def parts(it: Any) -> list[tuple[str, Any]]:
    """What an object consists of, as far as it is one of this package or holds some."""
    if isinstance(it, dict):
        return [(f"[{key!r:.20}]", each) for key, each in it.items()] + [("", key) for key in it]
    if isinstance(it, list | tuple | set | frozenset | deque):
        return [("[]", each) for each in it]
    if isinstance(it, MethodType):
        return [("", it.__self__)]
    if isinstance(it, partial):
        return [("()", each) for each in (it.func, *it.args, *it.keywords.values())]
    if isinstance(it, FunctionType):
        return [("()", each) for each in it.__closure__ or ()] if OWN in it.__module__ else []
    if isinstance(it, CellType):
        return [] if it == CellType() else [("", it.cell_contents)]
    if isinstance(it, GeneratorType):
        return [] if it.gi_frame is None else [(" at ", it.gi_frame)]
    if isinstance(it, FrameType):
        return [(f" {name}", each) for name, each in it.f_locals.items()]
    if hasattr(it, "reset_choices") and hasattr(it, "choices"):
        return [(".choices", it.choices), (".value", it.value)]
    if type(it).__module__.startswith(OWN) and hasattr(it, "__dict__"):
        return [(f".{name}", each) for name, each in vars(it).items()]
    return []


def listeners(viewer: Any) -> list[str]:
    """What of this package still listens to a viewer."""
    scene = getattr(viewer, "scene", viewer)
    groups = [viewer.events, viewer.layers.events, viewer.layers.selection.events]
    groups += [viewer.dims.events, scene.camera.events, viewer.cursor.events]
    found = []
    for group in groups:
        for emitter in group.emitters.values():
            for callback in emitter.callbacks:
                owner = callback[0]() if isinstance(callback, tuple) else callback
                module = getattr(owner, "__module__", "") or ""
                if module.startswith(OWN) and not isinstance(owner, WITH_VIEWER):
                    found.append(type(owner).__qualname__)
    return found


def pooled() -> set[threading.Thread]:
    """Threads that dask keeps for its next computation."""
    pool = dask.threaded.default_pool
    return set() if pool is None else set(pool._threads)
