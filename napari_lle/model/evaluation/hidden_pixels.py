"""How well methods find what noise hides, where there is no reference: by pixels hidden from them.

Pixels of held-out images are hidden, or another frame of the same scene is, and each method's
result is compared with them. They are as noisy as the rest, so that even the truth would not reach
a high figure; but noise is the same for all methods, and the nearest to the truth is the nearest
to them. Of frames it is known: two of one scene differ by twice the variance of the noise of one,
which is taken off.
"""

from __future__ import annotations

from collections.abc import Generator, Sequence

import numpy as np
import torch
from numpy.typing import NDArray

from ..data.blind_spots import hide
from ..data.crops import Batch, centre
from ..data.pairs import Pair
from ..network.network import Network
from ..preprocessing.screen import stretched
from ..progress import Progress
from .baselines import FREE
from .comparison import JUDGED_PAIRS, JUDGED_SIDE, Score, as_good, listed, no_training, some
from .metrics import Method

PLAIN_STRETCH = "plain stretch"
METHODS: dict[str, Method] = {PLAIN_STRETCH: lambda x: x, **FREE}
LEAST_ERROR = 1e-6  # of a mean squared error: what noise that is taken off leaves
SEEN_MARGIN = 16  # pixels around what is judged that a method may look at


def compare_hidden_steps(
    networks: dict[str, Network], held_out: Sequence[Pair], reach: int | None
) -> Generator[Progress, None, list[Score]]:
    """Score methods without training and networks by hidden pixels, or by other frames.

    Parameters
    ----------
    networks : dict of str to Network
        On the CPU.
    held_out : sequence of Pair
        Grey; references are targets under the screen stretch.
    reach : int or None
        Of the spots to hide; None where references are other frames.

    Yields
    ------
    Progress
        After each piece of work.

    Returns
    -------
    list of Score
        PSNR against the noisy targets, of frames without their noise; SSIM, which noise spoils,
        is NaN.
    """
    judged = some(held_out, JUDGED_PAIRS)
    names = [*METHODS, *networks]
    errors: dict[str, list[NDArray[np.float32]]] = {name: [] for name in names}
    done = 0
    for pair in judged:
        halo = max([SEEN_MARGIN, *(network.radius for network in networks.values())])
        batch = centre(pair, JUDGED_SIDE, halo)
        if reach is not None:
            batch = hide(batch, halo, reach, np.random.default_rng(0))
        target = batch.reference[0, 0]
        known = ~np.isnan(target)
        for name in names:
            found = _first_channel(batch, halo, networks.get(name), METHODS.get(name))
            errors[name].append((found - target)[known])
            done += 1
            yield Progress(done, len(judged) * len(names))
    squared = {name: float(np.mean(np.concatenate(e) ** 2)) for name, e in errors.items()}
    noise = 0.0 if reach is not None else squared[PLAIN_STRETCH] / 2
    return [
        Score(name, float(-10 * np.log10(max(value - noise, LEAST_ERROR))), float("nan"))
        for name, value in squared.items()
    ]


def hidden_verdict(scores: Sequence[Score]) -> str:
    """One plain sentence on the last of the scores against the others."""
    better = as_good(scores, [score.name for score in scores])
    free = [name for name in better if name in METHODS]
    if free:
        return (
            f"{listed(free)} predicted the held-out pixels as well and {no_training(free)}: "
            "use that."
        )
    if better:
        return f"{listed(better)} predicted the held-out pixels as well."
    return "It predicted the held-out pixels better than blurs and non-local means."


def _first_channel(
    batch: Batch, halo: int, network: Network | None, method: Method | None
) -> NDArray[np.float32]:
    """What a network or a method makes of the first channel of a batch of one, (H, W)."""
    if network is not None:
        spare = halo - network.radius
        low = batch.low[..., spare:-spare, spare:-spare] if spare else batch.low
        with torch.inference_mode():
            statistics = torch.from_numpy(batch.statistics)
            r = network.enhance(torch.from_numpy(np.ascontiguousarray(low)), statistics)
        return np.asarray(r[0, 0].numpy())
    assert method is not None
    shown = method(stretched(batch.low[0, 0], batch.statistics[0]))
    return np.asarray(shown[halo:-halo, halo:-halo], np.float32)
