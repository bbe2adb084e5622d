"""Whether a trained network beats what needs no network, where it has not been trained."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.optimize import isotonic_regression

from ..data.pairs import Pair
from ..network.network import Network
from .baselines import auto_gamma
from .metrics import Image, Method, eight_bit, score_known

BINS = 256
SLIDERS = ("input", "automatic gamma", "best curve")


class Score(NamedTuple):
    """PSNR in dB and SSIM, means over the held-out parts."""

    name: str
    psnr: float
    ssim: float


def best_curve(pairs: Sequence[Pair]) -> Method:
    """The rising curve with the least squared error on the known pixels of pairs.

    One curve for all pixels and colours: the best that any brightness, contrast and gamma
    sliders could do. By isotonic regression over 256 bins of the dark values.
    """
    low = np.concatenate([p.low[~np.isnan(p.reference)] for p in pairs])
    reference = np.concatenate([p.reference[~np.isnan(p.reference)] for p in pairs])
    edges = np.unique(np.quantile(low, np.linspace(0, 1, BINS + 1)))
    place = np.clip(np.searchsorted(edges, low, side="right") - 1, 0, max(len(edges) - 2, 0))
    counts = np.bincount(place)
    used = counts > 0
    x = np.bincount(place, low)[used] / counts[used]
    y = np.bincount(place, reference)[used] / counts[used]
    rising = isotonic_regression(y, weights=counts[used]).x
    return lambda image: np.interp(image, x, rising)


def compare(
    networks: dict[str, Network], training: Sequence[Pair], held_out: Sequence[Pair]
) -> list[Score]:
    """Score networks, the input, automatic gamma and the best curve on held-out parts.

    Parameters
    ----------
    networks : dict of str to Network
        On the CPU.
    training : sequence of Pair
        What `best_curve` is fitted to.
    held_out : sequence of Pair
        With references.
    """
    curves: tuple[Method, ...] = (lambda image: image, auto_gamma, best_curve(training))
    methods = dict(zip(SLIDERS, curves, strict=True))
    scores = [
        _score(name, [(method(p.low), p) for p in held_out]) for name, method in methods.items()
    ]
    scores += [
        _score(name, [(enhanced(network, p), p) for p in held_out])
        for name, network in networks.items()
    ]
    return scores


def enhanced(network: Network, pair: Pair) -> NDArray[np.float32]:
    """R of one block on a whole dark image, (H, W, 3)."""
    low = torch.from_numpy(pair.low.transpose(2, 0, 1).copy())[None]
    with torch.inference_mode():
        r = network(low, torch.from_numpy(pair.statistics)[None], stages=1)[0].reflectance[0]
    image: NDArray[np.float32] = r.numpy().transpose(1, 2, 0)
    return image


def enhanced_part(
    network: Network, pair: Pair, rows: tuple[int, int], columns: tuple[int, int]
) -> NDArray[np.float32]:
    """R of one block on a part of a dark image, (rows, columns, 3), as of the whole."""
    part = pair.low[slice(*rows), slice(*columns)]
    return enhanced(network, Pair(pair.name, part, part, pair.whole or pair))


def verdict(scores: Sequence[Score]) -> str:
    """One plain sentence on the last of the scores against the others."""
    last, others = scores[-1], [s for s in scores[:-1] if s.name in SLIDERS]
    better = [s for s in others if s.psnr >= last.psnr]
    alike = [s for s in others if s.ssim >= last.ssim]
    if better:
        names = " and ".join(s.name for s in better)
        return f"It does not beat {names} on the validation set: a slider does as well."
    if alike:
        names = " and ".join(s.name for s in alike)
        return f"It is closer to the reference than any curve, but {names} keeps structure as well."
    return "It beats the input, automatic gamma and the best curve on the validation set."


def _score(name: str, results: list[tuple[Image, Pair]]) -> Score:
    values = [score_known(eight_bit(image), pair.reference) for image, pair in results]
    psnr, ssim = np.mean(values, axis=0)
    return Score(name, float(psnr), float(ssim))
