"""Whether a model of one's own was worth its training: its scores beside what costs nothing."""

from __future__ import annotations

from collections.abc import Generator, Sequence

from ..data.pairs import Pair
from ..evaluation.comparison import (
    SLIDERS,
    Score,
    all_grey,
    compare_steps,
    comparison_verdict,
    start_verdict,
)
from ..evaluation.hidden_pixels import PLAIN_STRETCH, compare_hidden_steps, hidden_verdict
from ..network.checkpoint import load_model
from ..network.network import Network
from ..progress import Progress
from .run_data import parted
from .settings import TrainingSettings

BEFORE = "before"  # the model that training started from
FEW = 100  # steps under which nothing can be said: the learning rate has hardly been high
BUNDLED = "science"  # the model for noisy grey data that comes with the package
ALONE = "Trained without references: judge the result by eye, there is nothing to compare it with."


def verdict_steps(
    network: Network,
    settings: TrainingSettings,
    pairs: Sequence[Pair],
    held_out: Sequence[Pair] = (),
    done: int = FEW,
) -> Generator[Progress, None, tuple[list[Score], str]]:
    """Compare a trained network with its start and with what needs no training.

    Parameters
    ----------
    network : Network
        On the CPU.
    settings : TrainingSettings
        Of its run.
    pairs, held_out : sequence of Pair
        As `loop.train` took them.
    done : int
        Steps that were possible: of fewer than `FEW`, the figures are told but not judged.

    Yields
    ------
    Progress
        After each piece of work.

    Returns
    -------
    (list of Score, str)
        Empty where there is nothing to compare with; and a sentence.
    """
    sentence = inconclusive(done)
    training, judged, noisy = parted(pairs, settings, held_out)
    networks = {BEFORE: load_model(settings.base).network} if settings.base else {}
    if noisy:
        networks = networks or {BUNDLED: load_model(BUNDLED).network}
        steps = compare_hidden_steps({**networks, "after": network}, judged, noisy.reach)
        scores = yield from steps
        start = start_verdict(scores, BEFORE, PLAIN_STRETCH)
        return scores, f"{sentence or hidden_verdict(scores)} {start}".strip()
    if any(pair.alone for pair in judged):
        return [], f"{sentence} {ALONE}".strip()
    scores = yield from compare_steps({**networks, "after": network}, training, judged)
    untouched = SLIDERS[2 if all_grey(judged) else 0]  # as the start is judged
    start = start_verdict(scores, BEFORE, untouched)
    return scores, f"{sentence or comparison_verdict(scores)} {start}".strip()


def inconclusive(done: int) -> str:
    """That too few steps were possible to judge by, if so."""
    if done >= FEW:
        return ""
    steps = "1 step" if done == 1 else f"{done} steps"
    return f"Only {steps}: inconclusive. Train longer, or close other programs meanwhile."
