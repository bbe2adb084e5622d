"""How long work tells of itself: one kind of step, and one way to run steps to their end."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import closing
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

    Leaving the loop closes the generator.

    Attributes
    ----------
    answer : object
        What the generator returned; only there once it has ended by itself.
    reply : object
        What the generator is sent in return for the step at hand; None but where the loop sets it.
    """

    answer: R

    def __init__(self, steps: Generator[S, Any, R]) -> None:
        self._steps = steps
        self.reply: Any = None

    def __iter__(self) -> Generator[S, Any, None]:
        with closing(self._steps):
            while True:
                try:
                    step = self._steps.send(self.reply)
                except StopIteration as end:
                    self.answer = end.value
                    return
                self.reply = None
                yield step


def finish(steps: Generator[Any, Any, R]) -> R:
    """Run a generator to its end, and return what it returns."""
    run = Steps(steps)
    for _ in run:
        pass
    return run.answer
