"""Whether a model of one's own was worth its training: its scores beside what costs nothing."""

from __future__ import annotations

from collections.abc import Generator, Sequence

from ..data.pairs import Pair
from ..evaluation.comparison import (
    SLIDERS,
    Score,
    compare_steps,
    comparison_verdict,
    start_verdict,
)
from ..evaluation.hidden_pixels import STRETCH, compare_hidden_steps, hidden_verdict
from ..network.checkpoint import load_model
from ..network.network import Network
from ..progress import Progress
from .run_data import parted
from .settings import TrainingSettings

BEFORE = "before"  # the model that training started from
BUNDLED = "science"  # the model for noisy grey data that comes with the package
ALONE = "Trained without references: judge the result by eye, there is nothing to compare it with."


def verdict_steps(
    network: Network,
    settings: TrainingSettings,
    pairs: Sequence[Pair],
    held_out: Sequence[Pair] = (),
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

    Yields
    ------
    Progress
        After each piece of work.

    Returns
    -------
    (list of Score, str)
        Empty where there is nothing to compare with; and a sentence.
    """
    training, judged, noisy = parted(pairs, settings, held_out)
    networks = {BEFORE: load_model(settings.base).network} if settings.base else {}
    if noisy:
        networks = networks or {BUNDLED: load_model(BUNDLED).network}
        steps = compare_hidden_steps({**networks, "after": network}, judged, noisy.reach)
        scores = yield from steps
        start = start_verdict(scores, BEFORE, STRETCH)
        return scores, f"{hidden_verdict(scores)} {start}".strip()
    if any(pair.alone for pair in judged):
        return [], ALONE
    scores = yield from compare_steps({**networks, "after": network}, training, judged)
    start = start_verdict(scores, BEFORE, SLIDERS[0])
    return scores, f"{comparison_verdict(scores)} {start}".strip()
