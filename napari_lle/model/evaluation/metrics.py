"""Figures that compare pictures, all floats (H, W, 3) in 0..1.

Where pictures are scored they are clipped and rounded to 8 bits first, as a saved one would be.
PSNR and SSIM are scikit-image's, SSIM with its default 7x7 window.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

Image = NDArray[np.floating[Any]]  # (H, W, 3) in 0..1
Method = Callable[[Image], Image]

METRICS = ("psnr", "ssim", "psnr_gt_mean", "ssim_gt_mean", "loe", "noise_gain", "cast")
LOE_SIDE = 100  # pixels of the longer side that the order of lightness is judged at
PROBE = 1 / 255  # deviation of the noise that is sent through a method


def eight_bit(image: Image) -> Image:
    """Clip to 0..1 and round to 255ths."""
    return np.rint(np.clip(image, 0, 1).astype(np.float64) * 255) / 255


def psnr(image: Image, reference: Image) -> float:
    """Peak signal-to-noise ratio in dB, data range 1; infinite where equal."""
    from skimage.metrics import peak_signal_noise_ratio

    with np.errstate(divide="ignore"):
        return float(peak_signal_noise_ratio(reference, image, data_range=1))


def ssim(image: Image, reference: Image) -> float:
    """Structural similarity, mean over channels; images of 7 x 7 pixels or more."""
    from skimage.metrics import structural_similarity

    return float(structural_similarity(reference, image, channel_axis=-1, data_range=1))


def score(image: Image, reference: Image) -> dict[str, float]:
    """PSNR and SSIM, as they are and after scaling to the reference's mean brightness."""
    plain, matched = eight_bit(image), eight_bit(match_mean(image, reference))
    return {
        "psnr": psnr(plain, reference),
        "ssim": ssim(plain, reference),
        "psnr_gt_mean": psnr(matched, reference),
        "ssim_gt_mean": ssim(matched, reference),
    }


def score_known(image: Image, reference: Image) -> tuple[float, float]:
    """PSNR and SSIM over the pixels whose reference is known, that is, not NaN."""
    known = ~np.isnan(reference)
    if known.all():
        return psnr(image, reference), ssim(image, reference)
    from skimage.metrics import structural_similarity

    filled = np.where(known, reference, image)
    _, local = structural_similarity(filled, image, channel_axis=-1, data_range=1, full=True)
    return psnr(image[known], reference[known]), float(local[known].mean())


def match_mean(image: Image, reference: Image) -> Image:
    """Scale an image to the mean of its reference; a black one stays."""
    mean = float(np.mean(image))
    return image * (float(np.mean(reference)) / mean) if mean > 0 else image


def lightness_order_error(image: Image, original: Image) -> float:
    """Share of pairs of pixels whose order of lightness changes (Wang et al. 2013), in per cent.

    Lightness is the largest channel, at `LOE_SIDE` pixels on the longer side. 0 for any rising
    curve; 50 for chance.
    """
    step = max(1, -(-max(image.shape[:2]) // LOE_SIDE))
    a, b = (np.clip(x, 0, 1)[::step, ::step].max(axis=-1).ravel() for x in (image, original))
    changed = sum(int(np.count_nonzero((a >= p) != (b >= q))) for p, q in zip(a, b, strict=True))
    return 100 * changed / a.size**2


def noise_gain(method: Method, original: Image, seed: int = 0) -> float:
    """How much more a method amplifies noise than brightness; below 1 it denoises.

    White noise of deviation `PROBE` is added to the input; the ratio of the deviations of the
    output's change and of the noise is divided by the ratio of mean brightness.
    """
    noise = np.random.default_rng(seed).normal(0, PROBE, original.shape)
    noisy = np.clip(original + noise, 0, 1).astype(np.float32)
    before, after = method(original), method(noisy)
    gain = float(np.std(after - before)) / float(np.std(noisy - original))
    brightness = float(np.mean(before)) / float(np.mean(original))
    return gain / brightness if brightness > 0 else 0.0


def colour_cast(image: Image, reference: Image) -> float:
    """Largest shift of a channel's mean after matching brightness, in 255ths."""
    shift = match_mean(image, reference).mean(axis=(0, 1)) - reference.mean(axis=(0, 1))
    return 255 * float(np.abs(shift - shift.mean()).max())


def figures(method: Method, original: Image, reference: Image) -> dict[str, float]:
    """All of `METRICS` for what a method makes of an image."""
    image = method(original)
    return {
        **score(image, reference),
        "loe": lightness_order_error(image, original),
        "noise_gain": noise_gain(method, original),
        "cast": colour_cast(image, reference),
    }
