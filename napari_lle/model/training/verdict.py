"""Whether a model of one's own was worth its training: its scores beside what costs nothing."""

from __future__ import annotations

from collections.abc import Generator, Sequence

from ..data.pairs import Pair
from ..evaluation.comparison import Score, compare_steps, comparison_verdict
from ..evaluation.hidden_pixels import compare_hidden_steps, hidden_verdict
from ..network.checkpoint import load_model
from ..network.network import Network
from ..progress import Progress
from .run_data import parted
from .settings import TrainingSettings

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
    networks = {"before": load_model(settings.base).network} if settings.base else {}
    if noisy:
        networks = networks or {BUNDLED: load_model(BUNDLED).network}
        steps = compare_hidden_steps({**networks, "after": network}, judged, noisy.reach)
        scores = yield from steps
        return scores, hidden_verdict(scores)
    if any(pair.alone for pair in judged):
        return [], ALONE
    scores = yield from compare_steps({**networks, "after": network}, training, judged)
    return scores, comparison_verdict(scores)
