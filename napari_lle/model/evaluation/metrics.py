"""Figures that compare pictures, all floats (H, W, 3) in 0..1.

Where pictures are scored they are clipped and rounded to 8 bits first, as a saved one would be.
PSNR and SSIM are scikit-image's, SSIM with its default 7x7 window.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import Any

import numpy as np
from numpy.typing import NDArray

Image = NDArray[np.floating[Any]]  # (H, W, 3) in 0..1
Method = Callable[[Image], Image]

METRICS = (
    "psnr",
    "ssim",
    "psnr_gt_mean",
    "ssim_gt_mean",
    "loe",
    "noise_gain",
    "cast",
    "sharpness",
)
LOE_SIDE = 100  # pixels of the longer side that the order of lightness is judged at
FINEST = 1.0  # deviation in pixels of the blur that the finest octave is apart from
PROBE_NOISE = 1 / 255  # deviation of the noise that is sent through a method


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


def noisy(original: Image, seed: int = 0) -> Image:
    """An image with white noise of deviation `PROBE_NOISE`."""
    noise = np.random.default_rng(seed).normal(0, PROBE_NOISE, original.shape)
    return np.clip(original + noise, 0, 1).astype(np.float32)


def noise_gain(
    method: Method, original: Image, before: Image | None = None, probed: Image | None = None
) -> float:
    """How much more a method amplifies noise than brightness; below 1 it denoises.

    The ratio of the deviations of the output's change and of the noise that is added to the input
    is divided by the ratio of mean brightness.

    Parameters
    ----------
    method : callable
    original : (H, W, 3)
    before : (H, W, 3), optional
        What the method makes of it, where that is known.
    probed : (H, W, 3), optional
        What `noisy` makes of it, where that is known.
    """
    before = method(original) if before is None else before
    probed = noisy(original) if probed is None else probed
    gain = float(np.std(method(probed) - before)) / float(np.std(probed - original))
    light = float(np.mean(original))
    if light == 0:
        return float("nan")  # of a black image no method can be said to brighten it
    brightness = float(np.mean(before)) / light
    return gain / brightness if brightness > 0 else 0.0


def colour_cast(image: Image, reference: Image) -> float:
    """Largest shift of a channel's mean after matching brightness, in 255ths."""
    shift = match_mean(image, reference).mean(axis=(0, 1)) - reference.mean(axis=(0, 1))
    return 255 * float(np.abs(shift - shift.mean()).max())


def sharpness(image: Image, reference: Image) -> float:
    """Share of the reference's finest octave that an image shows, brightness matched.

    The slope of its detail, grey less grey blurred by `FINEST`, over the reference's: 1 where edges
    are as steep, 0 where there are none. Noise does not count, for it is none of the reference's.
    """
    from skimage.filters import gaussian

    grey, other = match_mean(image, reference).mean(axis=-1), reference.mean(axis=-1)
    detail, wanted = (x - gaussian(x, FINEST) for x in (grey, other))
    power = float(np.sum(wanted * wanted))
    return float(np.sum(detail * wanted)) / power if power > 0 else float("nan")


def figures(
    method: Method,
    original: Image,
    reference: Image,
    wanted: Collection[str] = METRICS,
    probed: Image | None = None,
) -> dict[str, float]:
    """Some of `METRICS`, in their order, for what a method makes of an image.

    `probed` as for `noise_gain`, for which alone it serves.
    """
    image = method(original)
    plain = eight_bit(image)
    matched = plain  # where nothing that is wanted is of it
    if {"psnr_gt_mean", "ssim_gt_mean"} & set(wanted):
        matched = eight_bit(match_mean(image, reference))
    measures: dict[str, Callable[[], float]] = {
        "psnr": lambda: psnr(plain, reference),
        "ssim": lambda: ssim(plain, reference),
        "psnr_gt_mean": lambda: psnr(matched, reference),
        "ssim_gt_mean": lambda: ssim(matched, reference),
        "loe": lambda: lightness_order_error(image, original),
        "noise_gain": lambda: noise_gain(method, original, image, probed),
        "cast": lambda: colour_cast(image, reference),
        "sharpness": lambda: sharpness(image, reference),
    }
    return {name: measures[name]() for name in METRICS if name in wanted}
