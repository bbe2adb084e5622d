"""How good a result is, always beside what a slider would have done.

Outputs are clipped and rounded to 8 bits before they are scored, as a saved picture would be.
PSNR and SSIM are scikit-image's, SSIM with its default 7x7 window.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .checkpoint import Model, load_model
from .data import as_photograph, matched_files
from .files import read_image
from .inference import Progress, enhance

Image = NDArray[np.floating[Any]]  # (H, W, 3) in 0..1

METRICS = ("psnr", "ssim", "psnr_gt_mean", "ssim_gt_mean")

# c of the constant curve: best mean PSNR over the training pairs, see `fit_constant`.
CONSTANT = 0.05


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
    """All of `METRICS`; the last two after scaling to the reference's mean brightness."""
    mean = float(np.mean(image))
    matched = image * (float(np.mean(reference)) / mean) if mean > 0 else image
    plain, matched = eight_bit(image), eight_bit(matched)
    return {
        "psnr": psnr(plain, reference),
        "ssim": ssim(plain, reference),
        "psnr_gt_mean": psnr(matched, reference),
        "ssim_gt_mean": ssim(matched, reference),
    }


def auto_gamma(x: Image, target: float = 0.5) -> Image:
    """``x^g`` with ``g = log target / log mean``, which brings the mean grey to `target`.

    An image of mean 0 or 1 stays as it is.
    """
    x = x.astype(np.float64)
    mean = float(np.mean(x))
    return x ** (np.log(target) / np.log(mean)) if 0 < mean < 1 else x


def mtf(x: Image, background: float = 0.25) -> Image:
    """The automatic screen stretch of astronomy: shadows clipped, median to `background`.

    The midtones transfer function ``(m - 1) x / ((2m - 1) x - m)``, one curve for all channels,
    shadows at the median less 2.8 normalised median deviations.
    """
    x = x.astype(np.float64)
    median = float(np.median(x))
    deviation = 1.4826 * float(np.median(np.abs(x - median)))
    shadows = max(0.0, median - 2.8 * deviation)
    x = np.clip((x - shadows) / (1 - shadows), 0, 1)
    median = float(np.median(x))
    if not 0 < median < 1:
        return x
    m = median * (1 - background) / (median + background - 2 * median * background)
    return (m - 1) * x / ((2 * m - 1) * x - m)


def constant(x: Image, c: float = CONSTANT) -> Image:
    """``x / (x + c)``: the network with nothing learned but one number."""
    return x / (x + c)


def clahe(x: Image) -> Image:
    """Contrast-limited adaptive histogram equalisation, scikit-image's defaults."""
    from skimage.exposure import equalize_adapthist

    return np.asarray(equalize_adapthist(x))


BASELINES: dict[str, Callable[[Image], Image]] = {
    "input": lambda x: x,
    "auto_gamma": auto_gamma,
    "mtf": mtf,
    "constant": constant,
    "clahe": clahe,
}


def fit_constant(pairs: list[tuple[Image, Image]]) -> float:
    """The c of `constant` with the best mean PSNR over pairs of (low, reference)."""
    grid = np.arange(0.02, 0.31, 0.01)
    means = [np.mean([psnr(eight_bit(constant(x, c)), y) for x, y in pairs]) for c in grid]
    return float(round(grid[int(np.argmax(means))], 2))


def evaluate_steps(
    low: str | Path,
    reference: str | Path,
    model: str | Path | Model = "photo",
    *,
    device: str = "auto",
) -> Generator[Progress, None, dict[str, Any]]:
    """Score a model and the baselines on two folders of pairs matched by stem.

    Yields
    ------
    Progress
        After each pair.

    Returns
    -------
    dict
        As ``napari-lle evaluate --json`` writes it: ``model``, ``digest``, ``parameters``, ``n``,
        the means of `METRICS`, ``per_image``, and the same for each of ``baselines``.

    Raises
    ------
    ValueError
        If the folders or files cannot be used.
    """
    loaded = load_model(model)
    files = matched_files(low, reference)
    rows: list[dict[str, Any]] = []
    others: dict[str, list[dict[str, float]]] = {name: [] for name in BASELINES}
    for i, (stem, (dark, bright)) in enumerate(files.items()):
        picture = read_image(dark)
        x, y = as_photograph(picture.pixels, picture.rgb), as_photograph(read_image(bright).pixels)
        if x.shape != y.shape or min(x.shape[:2]) < 7:
            raise ValueError(f"{dark} and {bright} must be of one size, 7 pixels or more a side.")
        result = enhance(picture.pixels, loaded, device=device, rgb=picture.rgb).reflectance
        if not picture.rgb:
            result = np.repeat(result[..., None], 3, axis=-1)
        rows.append({"name": stem, **score(result[..., :3], y)})
        for name, method in BASELINES.items():
            others[name].append(score(method(x), y))
        yield Progress(i + 1, len(files))
    return {
        "model": loaded.name,
        "digest": loaded.digest,
        "parameters": loaded.network.inference_parameters(),
        "n": len(rows),
        **_means(rows),
        "per_image": rows,
        "baselines": {
            name: {**_means(scores), **({"c": CONSTANT} if name == "constant" else {})}
            for name, scores in others.items()
        },
    }


def _means(rows: list[dict[str, Any]]) -> dict[str, float]:
    return {metric: float(np.mean([row[metric] for row in rows])) for metric in METRICS}
