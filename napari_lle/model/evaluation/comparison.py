"""Whether a trained network beats what needs no network, where it has not been trained."""

from __future__ import annotations

from collections.abc import Collection, Generator, Iterator, Sequence
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.optimize import isotonic_regression

from ..data.pairs import Pair
from ..network.network import Network
from ..progress import Progress, finish
from .baselines import FREE, auto_gamma
from .metrics import Image, Method, eight_bit, score_known

GREY_LEVELS = 256
MOST_VALUES = 2**22  # that a curve is fitted to, about: 500 pairs have a hundred times more
FITTED_PAIRS = 4  # that the curves of untrained methods are fitted to
JUDGED_PAIRS = 12
JUDGED_SIDE = 512  # pixels of the middles of held-out parts that are judged
SLIDERS = ("input", "automatic gamma", "best curve")


Cut = tuple[slice, slice]


class Score(NamedTuple):
    """PSNR in dB and SSIM, means over the held-out parts; NaN where a figure cannot be had."""

    name: str
    psnr: float
    ssim: float

    def figures(self) -> dict[str, float]:
        """Those that are known, by name."""
        both = {"psnr": self.psnr, "ssim": self.ssim}
        return {name: value for name, value in both.items() if not np.isnan(value)}


def best_curve(pairs: Sequence[Pair]) -> Method:
    """The rising curve with the least squared error on the known pixels of pairs.

    One curve for all pixels and colours: the best that any brightness, contrast and gamma
    sliders could do. By isotonic regression over 256 bins of the dark values; of many pairs an
    even sample serves.
    """
    every = -(-sum(p.low.size for p in pairs) // MOST_VALUES)
    known = [~np.isnan(p.reference) for p in pairs]
    low = np.concatenate([p.low[k][::every] for p, k in zip(pairs, known, strict=True)])
    reference = np.concatenate([p.reference[k][::every] for p, k in zip(pairs, known, strict=True)])
    edges = np.unique(np.quantile(low, np.linspace(0, 1, GREY_LEVELS + 1)))
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
    """`compare_steps`, at once."""
    return finish(compare_steps(networks, training, held_out))


def compare_steps(
    networks: dict[str, Network], training: Sequence[Pair], held_out: Sequence[Pair]
) -> Generator[Progress, None, list[Score]]:
    """Score networks, sliders, and blurs and non-local means under their best curve.

    The curve is one for all pairs in colour. Grey pairs are of instruments whose files have scales
    of their own, which no curve for all of them can know: there each result, those of networks
    included, goes through the rising curve that suits its own reference, see `noisy_pairs`.

    Parameters
    ----------
    networks : dict of str to Network
        On the CPU.
    training : sequence of Pair
        What the best curves are fitted to: a few of them, spread evenly.
    held_out : sequence of Pair
        With references; the middles of a few are judged.

    Yields
    ------
    Progress
        After each piece of work, none of which takes long.
    """
    judged = some(held_out, JUDGED_PAIRS)
    grey = all_grey(judged)
    fitted = [] if grey else some(training, FITTED_PAIRS)
    cuts = [_known_middle(pair) for pair in judged]
    truths = [pair.reference[cut] for pair, cut in zip(judged, cuts, strict=True)]
    planes = sum(_colours(pair.low) for pair in [*fitted, *judged])
    total = len(SLIDERS) + len(FREE) * planes + len(networks) * len(judged)
    ahead = (Progress(done, total) for done in range(1, total + 1))

    def scored(name: str, images: Sequence[Image]) -> Score:
        suits = _suited if grey and name not in SLIDERS[:2] else _as_shown
        results = [(suits(*result), result[1]) for result in zip(images, truths, strict=True)]
        return _mean_score(name, results)

    curve: Method = _unchanged if grey else best_curve(training)
    scores = []
    sliders: tuple[Method, ...] = _unchanged, auto_gamma, curve
    for name, method in zip(SLIDERS, sliders, strict=True):
        images = [method(pair.low)[cut] for pair, cut in zip(judged, cuts, strict=True)]
        scores.append(scored(name, images))
        yield next(ahead)
    for name, method in FREE.items():
        curve = yield from _curve_after(method, fitted, ahead)
        images = []
        for pair, cut in zip(judged, cuts, strict=True):
            low = yield from _by_plane(method, pair.low[cut], ahead)
            images.append(curve(low))
        scores.append(scored(name, images))
    for name, network in networks.items():
        images = []
        for pair, cut in zip(judged, cuts, strict=True):
            images.append(enhanced_part(network, pair, cut))
            yield next(ahead)
        scores.append(scored(name, images))
    return scores


def _curve_after(
    method: Method, fitted: Sequence[Pair], ahead: Iterator[Progress]
) -> Generator[Progress, None, Method]:
    """The best curve of an untrained method's results; without pairs none."""
    quiet = []
    for pair in fitted:
        cut = _known_middle(pair)
        low = yield from _by_plane(method, pair.low[cut], ahead)
        quiet.append(Pair(pair.name, low, pair.reference[cut]))
    return best_curve(quiet) if quiet else _unchanged


def _suited(image: Image, reference: Image) -> Image:
    """An image under the rising curve that suits its reference best, where there is one."""
    if np.isnan(reference).all() or not np.isfinite(image).all():
        return image
    return best_curve([Pair("", image, reference)])(image)


def _as_shown(image: Image, _: Image) -> Image:
    return image


def _unchanged(image: Image) -> Image:
    return image


def all_grey(pairs: Sequence[Pair]) -> bool:
    """Whether no pair has colours."""
    return all(_colours(image) == 1 for pair in pairs for image in (pair.low, pair.reference))


def some(pairs: Sequence[Pair], count: int) -> list[Pair]:
    """Pairs, at most so many, spread evenly."""
    return (
        [pairs[i * len(pairs) // count] for i in range(count)] if len(pairs) > count else [*pairs]
    )


def _known_middle(pair: Pair) -> Cut:
    """The middle of the box of known pixels, `JUDGED_SIDE` pixels a side at most."""
    spans = []
    for axis in range(2):
        first, last = int(pair.known[:, axis].min()), int(pair.known[:, axis].max()) + 1
        start = max(first, (first + last - JUDGED_SIDE) // 2)
        spans.append(slice(start, min(start + JUDGED_SIDE, last)))
    return spans[0], spans[1]


def _colours(image: Image) -> int:
    """How many differ: 1 where all are equal, or unknown alike."""
    first = np.broadcast_to(image[..., :1], image.shape)
    return 1 if np.array_equal(image, first, equal_nan=True) else image.shape[-1]


def _by_plane(
    method: Method, image: Image, ahead: Iterator[Progress]
) -> Generator[Progress, None, NDArray[np.float32]]:
    """A method on each colour, once where all are equal."""
    planes = []
    for c in range(_colours(image)):
        planes.append(method(image[..., c]))
        yield next(ahead)
    return np.stack(planes * (image.shape[-1] // len(planes)), axis=-1).astype(np.float32)


def enhanced_whole(network: Network, pair: Pair) -> NDArray[np.float32]:
    """R of one block on a whole dark image, (H, W, 3)."""
    low = torch.from_numpy(pair.low.transpose(2, 0, 1).copy())[None]
    with torch.inference_mode():
        r = network(low, torch.from_numpy(pair.statistics)[None], stages=1)[0].reflectance[0]
    image: NDArray[np.float32] = r.numpy().transpose(1, 2, 0)
    return image


def enhanced_part(network: Network, pair: Pair, cut: Cut) -> NDArray[np.float32]:
    """R of one block on a part of a dark image, (rows, columns, 3), in the light of the whole."""
    part = pair.low[cut]
    return enhanced_whole(network, Pair(pair.name, part, part, pair.whole or pair))


def as_good(scores: Sequence[Score], names: Collection[str], figure: str = "psnr") -> list[str]:
    """Those of the named that do at least as well as the last of the scores."""
    last = getattr(scores[-1], figure)
    return [s.name for s in scores[:-1] if s.name in names and getattr(s, figure) >= last]


def listed(names: Sequence[str]) -> str:
    """Names as a part of a sentence: "a", "a and b", "a, b and c"."""
    return " and ".join(filter(None, [", ".join(names[:-1]), *names[-1:]]))


def no_training(names: Sequence[str]) -> str:
    """What these methods have in common, as a part of a sentence."""
    return f"need{'s' * (len(names) == 1)} no training"


def start_verdict(scores: Sequence[Score], start: str, untouched: str) -> str:
    """A sentence where the model that training started from does worse than what costs nothing."""
    known = {score.name: score.psnr for score in scores}
    if not known.get(start, np.inf) < known[untouched]:
        return ""
    return (
        f"The model that it started from does worse than the {untouched} ({known[start]:.2f} dB, "
        f"not {known[untouched]:.2f} dB): another start may serve better."
    )


def comparison_verdict(scores: Sequence[Score]) -> str:
    """One plain sentence on the last of the scores against the others."""
    others = (*SLIDERS, *FREE)
    better, structured = as_good(scores, others), as_good(scores, others, "ssim")
    free = [name for name in better if name in FREE]
    if free:
        return f"On the validation set it does not beat {listed(free)}, which {no_training(free)}."
    if better:
        return f"It does not beat {listed(better)} on the validation set: a slider does as well."
    if structured:
        keep = "keep" if len(structured) > 1 else "keeps"
        return f"It is closer to the reference, but {listed(structured)} {keep} structure as well."
    return (
        "It beats the input, automatic gamma, the best curve, blurs and non-local means on the "
        "validation set."
    )


def _mean_score(name: str, results: list[tuple[Image, Image]]) -> Score:
    values = [score_known(eight_bit(image), reference) for image, reference in results]
    psnr, ssim = np.mean(values, axis=0)
    return Score(name, float(psnr), float(ssim))
