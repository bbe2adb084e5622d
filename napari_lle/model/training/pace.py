"""When a run looks at its held-out images and when it is over: by steps, or by time.

A run in minutes begins at once and is planned anew all the time by what its steps take, so that
it keeps its minutes on a machine that others keep busy, too.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from dataclasses import asdict, replace
from typing import Any

from .course import Course, schedule

REPLANNED = 0.02  # of the time, after which a run is planned anew
EARLY = 64  # steps up to which it is planned anew at each power of two
CAREFUL = 0.005  # of the time, that the first step counts for at most: half the rise
RECENT = 0.1  # of the time, by which the rest is judged
LONGEST = 0.2  # of the time, without a look at the held-out images
LOOKING = 0.3  # of the time so far that may go into such looks


class Counted:
    """A run of so many steps, or one that repeats the course of another.

    Attributes
    ----------
    steps : int
        Of the whole run.
    course : Course or None
    """

    def __init__(self, steps: int, every: int, course: Course | None = None) -> None:
        self.steps, self.every, self.course = steps, every, course

    def learning(self, step: int) -> float:
        """Share of the learning rate for a step, counted from 0."""
        return self.course.learning(step) if self.course else schedule(step, self.steps)

    def expected(self, _: int) -> int:
        """Steps of the whole run."""
        return self.steps

    def left(self) -> float | None:
        """Seconds to go, where they are known."""
        return None

    def passed(self, step: int, seconds: float) -> None:
        """A step was done, so many seconds after the beginning."""

    def over(self, step: int) -> bool:
        """Whether it was the last one."""
        return step >= self.steps

    def judges(self, step: int) -> bool:
        """Whether to look at the held-out images after it."""
        if self.course:
            return step in self.course.judged
        return step % self.every == 0 or self.over(step)

    def judged(self, step: int, seconds: float) -> None:
        """That took until now."""


class Budgeted:
    """A run of so many seconds.

    Attributes
    ----------
    course : Course
        What it has done so far.
    """

    def __init__(self, budget: float, every: int, expected: float = 0.05) -> None:
        """`expected` are the seconds of a step, as far as is known before the first."""
        self.budget, self.every = budget, every
        self.course = Course(rates=(min(expected / budget, CAREFUL),))
        self.seconds = 0.0
        self.looking = 0.0  # seconds spent so far, and those of the last look
        self.look = 0.0
        self.began = 0.0  # of the look under way
        self.looked = 0.0  # share of the time at the last

    def learning(self, step: int) -> float:
        """Share of the learning rate for a step, counted from 0."""
        return self.course.learning(step)

    @property
    def share(self) -> float:
        """Of the time for steps that has passed; a last look is to come."""
        return min(1.0, self.seconds / max(self.budget - self.look, 1e-9))

    def expected(self, step: int) -> int:
        """Steps of the whole run, by what they take at present."""
        if self.over(step):
            return step
        return step + max(1, math.ceil((1 - self.share) / max(self.course.rates[-1], 1e-9)))

    def left(self) -> float | None:
        """Seconds to go."""
        return max(0.0, self.budget - self.seconds)

    def passed(self, step: int, seconds: float) -> None:
        """A step was done, so many seconds after the beginning: plan anew now and then."""
        self.seconds = seconds
        known, share = self.course, self.share
        early = step <= EARLY and step & (step - 1) == 0
        if step <= known.steps[-1] or not (early or share - known.shares[-1] >= REPLANNED):
            return
        # Over a while, with its looks at held-out images; at first since the step before.
        since = max(bisect_right(known.shares, share - RECENT) - 1, 0)
        since = since if share > RECENT else -1
        rate = (share - known.shares[since]) / (step - known.steps[since])
        self.course = replace(
            known,
            steps=(*known.steps, step),
            shares=(*known.shares, share),
            rates=(*known.rates, max(rate, 1e-9)),
        )

    def over(self, step: int) -> bool:
        """Whether there is no time for another step."""
        return step > 0 and self.share + self.course.rates[-1] / 2 >= 1

    def judges(self, step: int) -> bool:
        """Whether to look at the held-out images: often enough, and not for most of the time."""
        since = step - (self.course.judged or (0,))[-1]
        due = since >= self.every or self.share - self.looked >= LONGEST
        bearable = self.looking + self.look <= LOOKING * self.seconds
        self.began = self.seconds
        return self.over(step) or (due and bearable)

    def judged(self, step: int, seconds: float) -> None:
        """That took until now."""
        self.seconds, self.look = seconds, seconds - self.began
        self.looking += self.look
        self.looked = self.share
        self.course = replace(self.course, judged=(*self.course.judged, step))

    def record(self) -> dict[str, Any]:
        """What `resumed` goes on from, as plain values."""
        figures = {k: v for k, v in vars(self).items() if k != "course"}
        return {**figures, "course": asdict(self.course)}

    @classmethod
    def resumed(cls, record: dict[str, Any]) -> Budgeted:
        """A run that goes on from its `record`."""
        pace = cls(record["budget"], record["every"])
        vars(pace).update(record)
        pace.course = Course(**{k: tuple(v) for k, v in record["course"].items()})
        return pace
