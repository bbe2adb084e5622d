"""How long work tells of itself: one kind of step, and one way to run steps to their end."""

from __future__ import annotations

from collections.abc import Generator
from typing import Any, Generic, NamedTuple, TypeVar

S = TypeVar("S")
R = TypeVar("R")


class Progress(NamedTuple):
    """One step of a long job: `done` of `total`, and at times something to tell the user."""

    done: int
    total: int
    note: str = ""


class Steps(Generic[S, R]):
    """A generator to loop over, whose answer is there after the loop.

    Attributes
    ----------
    answer : object
        What the generator returned; only there once it has ended by itself.
    """

    answer: R

    def __init__(self, steps: Generator[S, Any, R]) -> None:
        self._steps = steps

    def __iter__(self) -> Generator[S, Any, None]:
        self.answer = yield from self._steps


def finish(steps: Generator[Any, Any, R]) -> R:
    """Run a generator to its end, and return what it returns."""
    run = Steps(steps)
    for _ in run:
        pass
    return run.answer
