"""What needs no network: the methods that every result is shown beside."""

from __future__ import annotations

import numpy as np

from .metrics import Image, Method, eight_bit, psnr

# c of the constant curve: best mean PSNR over the training pairs, see `fit_constant`.
CONSTANT = 0.05


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


def asinh(x: Image, background: float = 0.25) -> Image:
    """Astronomy's other stretch, by the inverse hyperbolic sine; the median becomes `background`.

    An image whose median is 0, or as bright already, stays as it is.
    """
    from scipy.optimize import brentq

    x = x.astype(np.float64)
    median = float(np.median(x))
    if not 0 < median < background:
        return x

    def excess(log_a: float) -> float:
        a = np.exp(log_a)
        return float(np.arcsinh(a * median) / np.arcsinh(a)) - background

    if excess(50.0) < 0:  # darker than any a can lift
        return x
    a = np.exp(brentq(excess, -10.0, 50.0))
    return np.asarray(np.arcsinh(a * x) / np.arcsinh(a))


def constant(x: Image, c: float = CONSTANT) -> Image:
    """``x / (x + c)``: the network with nothing learned but one number."""
    return x / (x + c)


def clahe(x: Image) -> Image:
    """Contrast-limited adaptive histogram equalisation, scikit-image's defaults."""
    from skimage.exposure import equalize_adapthist

    return np.asarray(equalize_adapthist(x))


def gaussian(image: Image, sigma: float) -> Image:
    """The blur that every viewer offers."""
    from scipy.ndimage import gaussian_filter

    return np.asarray(gaussian_filter(np.asarray(image, dtype=np.float64), sigma))


def non_local_means(image: Image) -> Image:
    """Averages of like patches (Buades et al. 2005), scikit-image's, as strong as the noise asks.

    The noise is taken for equally strong everywhere: of a count, give the square root.

    Parameters
    ----------
    image : ndarray, (Y, X)
    """
    from skimage.restoration import denoise_nl_means

    x = np.asarray(image, dtype=np.float64)
    crossed = (x[:-1, :-1] - x[1:, :-1] - x[:-1, 1:] + x[1:, 1:]) / 2
    sigma = float(np.median(np.abs(crossed))) * 1.4826
    if sigma == 0:
        return x
    options = {"patch_size": 5, "patch_distance": 6, "fast_mode": True}
    return np.asarray(denoise_nl_means(x, h=0.8 * sigma, sigma=sigma, **options))


# What costs nothing against noise, for a plane of about equal noise everywhere.
FREE: dict[str, Method] = {
    "blur 1": lambda x: gaussian(x, 1),
    "blur 2": lambda x: gaussian(x, 2),
    "non-local means": non_local_means,
}

BASELINES: dict[str, Method] = {
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
