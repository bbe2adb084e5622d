"""How a network in training does on held-out images, and whether it has collapsed.

A network can reach a low loss by making everything white, black or flat: all its stages then
agree perfectly. Such a network is named for what it is, and kept only where a run has no better.
"""

from __future__ import annotations

import math
from collections.abc import Generator, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

from ..data.blind_spots import hide
from ..data.crops import centre
from ..data.pairs import Pair
from ..evaluation.metrics import eight_bit, psnr, score_known
from ..kernels import find_training, training_kernel
from ..network.network import Network
from ..progress import Progress
from .noisy import Noisy
from .objectives import Crops, Objective

NEARLY_WHITE, NEARLY_BLACK = 0.98, 0.01
EXTREME_SHARE = 0.05  # of unsaturated values that may end white or black
WRONG_BY = 0.1  # from the reference: what is nearly as black or white as it has not gone wrong
LEAST_SHADING = 0.01  # relative deviation of the illumination of a shaded scene, at least
NEARER = 0.95  # of the distance to the references, at most, that a flat illumination leaves
HALF_STEP = 0.5 / 255  # closer than this to 0 or 1 an 8-bit value says nothing
SMALLEST_WITH_SSIM = 7  # side of an image that has an SSIM
WHOLE = 1024  # side of the centre that stands for a large image, or for all of a few small ones


def judge_steps(
    network: Network,
    objective: Objective,
    pairs: Sequence[Pair],
    size: int,
    device: torch.device,
    noisy: Noisy | None = None,
) -> Generator[Progress, None, dict[str, Any]]:
    """Score a network on held-out images; larger ``score`` is better.

    Parameters
    ----------
    network : Network
        With the weights to judge.
    objective : Objective
        What training minimises; ``held_out_loss`` is its mean over the images' centres.
    pairs : sequence of Pair
        With references, the score is SSIM; without, or with noisy ones, the negative loss.
    size : int
        Side of the centres that the loss is of, in pixels; PSNR and SSIM are of whole images.
    device : torch.device
    noisy : Noisy, optional
        What the references are, where they are as noisy as the images.

    Yields
    ------
    Progress
        Between images.

    Returns
    -------
    dict
        ``held_out_loss``, ``score``, ``psnr`` and ``ssim`` where there are references, the
        figures of `examine`, and ``verdict``: empty, or what is wrong.
    """
    network = find_training(network) or network
    referenced = not noisy and not any(pair.alone for pair in pairs)
    # Of one image, the little that the loss is taken from could well be its only bright spot.
    looked = max(size, round(WHOLE / math.sqrt(len(pairs))))
    losses, scores, examined = [], [], []
    for done, pair in enumerate(pairs):
        if done:
            yield Progress(done, len(pairs))
        losses.append(_centre_loss(network, objective, pair, size, device, noisy))
        if referenced:
            scores.append(_compare(network, pair, device))
        examined.append(_examine_one(network, pair, looked, device))
    figures: dict[str, Any] = {"held_out_loss": float(np.mean(losses))}
    figures["score"] = -figures["held_out_loss"]
    if referenced:
        figures["psnr"], figures["ssim"] = map(float, np.mean(scores, axis=0))
        figures["score"] = figures["ssim"]
    figures |= _together(network, examined, device)
    return {**figures, "verdict": fault(figures)}


def examine(
    network: Network, pairs: Sequence[Pair], size: int, device: torch.device
) -> dict[str, float]:
    """What tells a sound network from a collapsed one, on the centres of images.

    Returns
    -------
    dict
        ``agreement_max`` and ``agreement_mean``: of |L_t - L_1| over all stages. ``extreme``:
        share of unsaturated values at R > 0.98 or R < 0.01 whose reference is not near.
        ``variation``: mean relative deviation of u, 0 where the network is one curve for all
        pixels. ``shading``: relative deviation of the illumination of `shaded_phantom`.
        ``remaining``, where there are references: mean distance of R to them, as a share of the
        images' own.
    """
    return _together(network, [_examine_one(network, p, size, device) for p in pairs], device)


def _together(
    network: Network, found: list[dict[str, float]], device: torch.device
) -> dict[str, float]:
    """The figures of `examine` of all images, and what a phantom shows."""
    phantom = shaded_phantom()
    low, _, statistics = Crops.of(centre(phantom, WHOLE, 0), device)
    with torch.inference_mode():
        light = network(low, statistics, stages=1)[0].illumination
    return {
        "agreement_max": max(f["agreement_max"] for f in found),
        **{k: float(np.mean([f[k] for f in found if k in f])) for k in _means_of(found)},
        "shading": _relative_deviation(light),
    }


def fault(figures: dict[str, Any]) -> str:
    """What is wrong with a network, in half a sentence; empty if nothing is.

    A flat illumination is as it should be where it brings images nearer to their references: of
    a noisy image and a clean one, equally bright, noise alone is to go.
    """
    if not all(math.isfinite(v) for k, v in figures.items() if k != "psnr"):
        return "its results on the validation set are not finite"
    if figures["extreme"] > EXTREME_SHARE:
        share = f"{100 * figures['extreme']:.0f} %"
        return f"it turns {share} of the unsaturated pixels of the validation images white or black"
    if figures["shading"] < LEAST_SHADING and figures.get("remaining", 1.0) > NEARER:
        return "its illumination of a shaded scene is flat"
    return ""


def shaded_phantom() -> Pair:
    """A textured scene under a light that falls off from left to right by 4 stops."""
    y, x = np.mgrid[:64, :96]
    texture = 0.5 + 0.2 * ((y // 8 + x // 8) % 2) + 0.1 * np.sin(y / 3)
    light = 0.3 * 2.0 ** (-4 * x / 95)
    image = (texture * light)[..., None] * np.array([1.0, 0.9, 0.8])
    low = image.astype(np.float32)
    return Pair("phantom", low, low)


def _centre_loss(
    network: Network,
    objective: Objective,
    pair: Pair,
    size: int,
    device: torch.device,
    noisy: Noisy | None,
) -> float:
    """What training minimises, on the centre of an image."""
    batch = centre(pair, size, network.radius)
    if noisy and noisy.reach is not None:
        batch = hide(batch, network.radius, noisy.reach, np.random.default_rng(0))
    with torch.inference_mode():
        return float(objective(network, Crops.of(batch, device)))


def _examine_one(network: Network, pair: Pair, size: int, device: torch.device) -> dict[str, float]:
    low, reference, statistics = Crops.of(centre(pair, size, 0), device)
    with torch.inference_mode():
        stages = network(low, statistics, 1 if network.repeating else None)
    first = stages[0].illumination
    drift = torch.stack([(stage.illumination - first).abs() for stage in stages])
    r = stages[0].reflectance
    counted = (low > HALF_STEP) & (low < 1 - HALF_STEP)
    wrong = _extreme(r)
    remaining = {}
    if not pair.alone:
        known = ~reference.isnan()
        counted &= ~_extreme(reference) & known
        wrong &= (r - reference).abs() > WRONG_BY
        before, after = (torch.where(known, x - reference, 0).abs().sum() for x in (low, r))
        least = 1e-6 * known.sum()
        remaining = {"remaining": float(after / before.clamp_min(least))} if known.any() else {}
    return {
        **remaining,
        "agreement_max": float(drift.max()),
        "agreement_mean": float(drift[1:].mean()) if len(stages) > 1 else 0.0,
        "extreme": float((wrong & counted).sum() / counted.sum().clamp_min(1)),
        "variation": _relative_deviation(stages[0].u),
    }


def _means_of(found: list[dict[str, float]]) -> list[str]:
    """Names of the figures whose mean over images counts; some lack what others have."""
    return list(dict.fromkeys(k for f in found for k in f if k != "agreement_max"))


def _extreme(r: Tensor) -> Tensor:
    return (r > NEARLY_WHITE) | (r < NEARLY_BLACK)


def _relative_deviation(x: Tensor) -> float:
    return float(x.std() / x.mean().abs().clamp_min(1e-9))


def _compare(network: Network, pair: Pair, device: torch.device) -> tuple[float, float]:
    low, _, statistics = Crops.of(centre(pair, max(pair.low.shape), network.radius), device)
    with torch.inference_mode():
        r = network.enhance(low, statistics)[0].cpu().numpy()
    image = eight_bit(r.transpose(1, 2, 0))
    kernel = training_kernel(network)
    if kernel is None or min(r.shape[1:]) < SMALLEST_WITH_SSIM or np.isnan(pair.reference).any():
        return score_known(image, pair.reference)
    return psnr(image, pair.reference), kernel.similarity(image, pair.reference)
