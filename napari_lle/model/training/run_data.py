"""What a run trains on and what it judges by."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from ..data.pairs import Pair, annotated, split_by_scene
from ..data.self_pairs import self_pairs
from ..data.splitting import complete
from ..network.network import Network
from .noisy import Noisy, noisy_data
from .settings import TrainingError, TrainingSettings


class RunData(NamedTuple):
    """Pairs of a run.

    Attributes
    ----------
    training, held_out : sequence of Pair
        As the objective takes them.
    noisy : Noisy or None
        How noisy images are learned from.
    given : tuple of two sequences of Pair
        The same before dark images were made pairs of themselves: what the run is known by.
    """

    training: Sequence[Pair]
    held_out: Sequence[Pair]
    noisy: Noisy | None
    given: tuple[Sequence[Pair], Sequence[Pair]]

    @property
    def reach(self) -> int | None:
        """Of the spots that are hidden in training."""
        return self.noisy.reach if self.noisy else None


def run_data(
    pairs: Sequence[Pair], settings: TrainingSettings, held_out: Sequence[Pair] = ()
) -> RunData:
    """Split pairs, and make pairs where the objective needs them.

    Raises
    ------
    TrainingError
        If the objective cannot learn from such pairs.
    """
    if settings.objective == "paired" and any(pair.alone for pair in pairs):
        raise TrainingError("The paired objective needs references: give them, or choose paper.")
    if any(pair.partial for pair in pairs) and settings.objective != "paired":
        raise TrainingError("Annotations say where references hold: train the paired objective.")
    training, held_out, noisy = parted(pairs, settings, held_out)
    given = training, held_out
    if settings.objective == "self":
        training = self_pairs(training, settings.network.start, seed=settings.seed)
        if any(pair.alone for pair in held_out):
            held_out = self_pairs(held_out, settings.network.start, draws=1)
    return RunData(training, held_out, noisy, given)


def parted(
    pairs: Sequence[Pair], settings: TrainingSettings, held_out: Sequence[Pair] = ()
) -> tuple[Sequence[Pair], Sequence[Pair], Noisy | None]:
    """What a run trains on and judges by, and for noisy images how."""
    if settings.objective == "noisy":
        gap = Network(settings.network).receptive_field
        noisy = noisy_data([*pairs, *held_out], settings.held_out, gap)
        return noisy.training, noisy.held_out, noisy
    if held_out:
        return pairs, held_out, None
    if len(pairs) == 1 and settings.objective == "paired" and not pairs[0].alone:
        return *_cut_into_blocks(pairs[0], Network(settings.network).receptive_field), None
    return *split_by_scene(pairs, settings.held_out), None


def _cut_into_blocks(pair: Pair, gap: int) -> tuple[list[Pair], list[Pair]]:
    """The only pair, cut into blocks of which some validate, as the window cuts it."""
    known = ~np.isnan(pair.reference[..., 0])
    try:
        parts = annotated(pair, complete(None, known, gap))
    except ValueError as error:
        raise TrainingError(str(error)) from None
    training, held_out = ([part] if part else [] for part in parts)
    return training, held_out
