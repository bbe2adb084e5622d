"""How long a run is: steps as set, or as many as make its epochs or fill its minutes."""

from __future__ import annotations

import math
import time

import torch

from .distributed import agreed
from .outcome import judged
from .run_data import RunData
from .run_state import RunState
from .settings import TrainingSettings

TIMED_STEPS = 20  # that turn minutes into steps, after a few that warm up
TIMED_SECONDS = 10.0


def step_count(settings: TrainingSettings, data: RunData, device: torch.device) -> int:
    """Steps of a run.

    Time is measured on a run that is then thrown away, so that minutes give the very run that
    as many steps would have given.
    """
    if settings.epochs is not None:
        return math.ceil(settings.epochs * len(data.training) / settings.batch)
    if settings.minutes is None:
        return settings.steps
    trial = RunState(settings, device, TIMED_STEPS, reach=data.reach)
    for _ in range(3):
        trial.advance(data.training)
    start, done = time.perf_counter(), 0
    while done < TIMED_STEPS and agreed(lambda: time.perf_counter() - start) < TIMED_SECONDS:
        trial.advance(data.training)
        done += 1
    step = (time.perf_counter() - start) / done
    start = time.perf_counter()
    judged(trial, data)
    validation = time.perf_counter() - start
    whole = 60 * settings.minutes / (step + validation / settings.validate_every)
    return agreed(lambda: max(1, round(whole)))
