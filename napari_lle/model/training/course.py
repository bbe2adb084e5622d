"""How the learning rate falls: with the steps, or with the time that a run in minutes has."""

from __future__ import annotations

import math
from bisect import bisect_right
from dataclasses import dataclass

WARMUP = 50  # the learning rate rises over one part in so many, and falls from there


@dataclass(frozen=True)
class Course:
    """What a run in minutes has done, so that it can be repeated step by step.

    Attributes
    ----------
    steps : tuple of int
        Steps done when it was planned anew; the first is 0.
    shares : tuple of float
        Of the time that had passed at each of them, 0 to 1.
    rates : tuple of float
        What each step from there on was expected to add.
    judged : tuple of int
        Steps after which it looked at the held-out images.
    """

    steps: tuple[int, ...] = (0,)
    shares: tuple[float, ...] = (0.0,)
    rates: tuple[float, ...] = (1e-3,)
    judged: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        lengths = {len(self.steps), len(self.shares), len(self.rates)}
        if len(lengths) > 1 or not self.steps or self.steps[0] != 0:
            raise ValueError("A course has as many steps, shares and rates, from step 0 on.")

    def learning(self, step: int) -> float:
        """Share of the learning rate for a step, counted from 0."""
        at = bisect_right(self.steps, step) - 1
        start = self.shares[at] + (step - self.steps[at]) * self.rates[at]
        return learning_rate(min(start, 1.0), min(start + self.rates[at], 1.0))


def learning_rate(start: float, end: float) -> float:
    """Share of the learning rate for a step from one share of the time to another.

    As `schedule`, for steps that take up any part of the run.
    """
    if start < 1 / WARMUP:
        return min(1.0, end * WARMUP)
    return 0.5 * (1 + math.cos(math.pi * (start - 1 / WARMUP) / (1 - 1 / WARMUP)))


def schedule(step: int, steps: int) -> float:
    """Share of the learning rate: up over the first 2 % of steps, then down a cosine to 0."""
    warmup = max(1, steps // WARMUP)
    if step < warmup:
        return (step + 1) / warmup
    return 0.5 * (1 + math.cos(math.pi * (step - warmup) / max(1, steps - warmup)))
