"""The paper's losses (eq. 4 to 7) and the paired objective, as pure functions of tensors.

Images are (N, C, H, W) floats; every function returns a scalar tensor. Where SPEC readings
depart from the printed formula, the letter is selectable and named in the docstring.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Literal

import torch
from torch import Tensor
from torch.nn import functional as F

from ..network.network import Stage

SSIM_WINDOW = 7
SSIM_STRIDE = 3  # a dense SSIM costs more than the network does


def fidelity(stages: Sequence[Stage], reduction: Literal["mean", "sum"] = "mean") -> Tensor:
    """Eq. 5: squared distance of each illumination to the input of its stage.

    Parameters
    ----------
    stages : sequence of Stage
        As `Network.forward` returns them; V_{t-1} = S + E_{t-1} is ``stage.v``.
    reduction : {"mean", "sum"}
        Mean per element, or the letter: the sum of squares. Summed over stages in both.

    Notes
    -----
    The difference is u, so alone this loss drives L to S and R to white: `anchor` sets the
    brightness.
    """
    terms = [F.mse_loss(stage.illumination, stage.v, reduction=reduction) for stage in stages]
    return torch.stack(terms).sum()


def smoothness(
    p: Tensor,
    form: Literal["isotropic", "clamped", "absolute"] = "isotropic",
    eps: float = 1e-6,
) -> Tensor:
    """Eq. 6: variation of an image, mean over pixels.

    Parameters
    ----------
    p : Tensor, (N, C, H, W)
        An illumination.
    form : {"isotropic", "clamped", "absolute"}
        With forward differences dx, dy: ``sqrt(dx^2 + dy^2 + eps)``, or the letter's product made
        differentiable, ``sqrt(max(dx dy, 0) + eps)`` or ``sqrt(|dx dy| + eps)``. The letter is
        blind to edges along an axis.

    Raises
    ------
    ValueError
        If `form` is none of these.
    """
    here = p[..., :-1, :-1]
    dy = here - p[..., 1:, :-1]
    dx = here - p[..., :-1, 1:]
    if form == "isotropic":
        radicand = dx.square() + dy.square()
    elif form == "clamped":
        radicand = (dx * dy).clamp_min(0)
    elif form == "absolute":
        radicand = (dx * dy).abs()
    else:
        raise ValueError(f"form must be isotropic, clamped or absolute, not {form!r}.")
    return (radicand + eps).sqrt().mean()


def perceptual(
    features: Callable[[Tensor], Sequence[Tensor]],
    a: Tensor,
    b: Tensor,
    normaliser: Literal["product", "sum"] = "product",
) -> Tensor:
    """Eq. 7: distance of two images in the feature maps of VGG16.

    Parameters
    ----------
    features : callable
        Image to one or several feature maps (see `vgg.VGG16`).
    a, b : Tensor, (N, 3, H, W), 0..1
        In the paper S + E^T and L^T.
    normaliser : {"product", "sum"}
        Divide by W H C, or by the letter's W + H + C. Averaged over the batch in both.
    """
    total = a.new_zeros(())
    for fa, fb in zip(features(a), features(b), strict=True):
        size = fa.shape[1:].numel() if normaliser == "product" else sum(fa.shape[1:])
        total = total + (fa - fb).abs().sum() / (size * fa.shape[0])
    return total


def anchor(reflectance: Tensor, target: float) -> Tensor:
    """Squared distance of each image's mean brightness to `target`, the exposure asked for."""
    return (reflectance.mean(dim=(1, 2, 3)) - target).square().mean()


def squared(result: Tensor, reference: Tensor) -> Tensor:
    """Mean squared error where the reference is known (not NaN); 0 where nothing is."""
    known = ~reference.isnan()
    difference = torch.where(known, result - reference, 0.0)
    return difference.square().sum() / known.sum().clamp_min(1)


def charbonnier(a: Tensor, b: Tensor, eps: float = 1e-3) -> Tensor:
    """Mean of ``sqrt((a - b)^2 + eps^2) - eps``: L1 with a smooth floor."""
    return ((a - b).square() + eps**2).sqrt().mean() - eps


def ssim(a: Tensor, b: Tensor, stride: int = SSIM_STRIDE) -> Tensor:
    """Mean structural similarity (Wang et al. 2004), 7x7 uniform window, data range 1.

    At stride 1 it equals `skimage.metrics.structural_similarity` away from the borders that the
    latter crops too; larger strides sample the windows.
    """
    n = SSIM_WINDOW**2

    def window(x: Tensor) -> Tensor:
        return F.avg_pool2d(x, SSIM_WINDOW, stride)

    mean_a, mean_b = window(a), window(b)
    unbiased = n / (n - 1)
    var_a = unbiased * (window(a * a) - mean_a.square())
    var_b = unbiased * (window(b * b) - mean_b.square())
    cov = unbiased * (window(a * b) - mean_a * mean_b)
    c1, c2 = 0.01**2, 0.03**2
    numerator = (2 * mean_a * mean_b + c1) * (2 * cov + c2)
    denominator = (mean_a.square() + mean_b.square() + c1) * (var_a + var_b + c2)
    return (numerator / denominator).mean()


def match_brightness(image: Tensor, reference: Tensor) -> Tensor:
    """Scale each image so that its mean is its reference's."""
    mean = image.mean(dim=(1, 2, 3), keepdim=True).clamp_min(1e-4)
    return image * (reference.mean(dim=(1, 2, 3), keepdim=True) / mean)


def log_error(result: Tensor, reference: Tensor, least: float = 1e-4) -> Tensor:
    """Mean over images of ``ln(1 + MSE / least)`` after matching brightness: PSNR as a loss.

    A tenth of an image's error counts the same whether the image is clean or noisy; errors far
    below `least`, which is 40 dB, hardly count.
    """
    difference = match_brightness(result, reference) - reference
    return torch.log1p(difference.square().mean(dim=(1, 2, 3)) / least).mean()


def hue_shift(result: Tensor, image: Tensor, patch: int = 8) -> Tensor:
    """Mean sine of the angle between hues of patches of a result and of its image, (N, 3, H, W).

    Hues are angles in the plane of the colours' differences (the hexcone's, Smith 1978), taken of
    means of patches, for single noisy pixels have hues of their own. Patches count the more
    the more colour the image has there; greys do not.
    """
    a, b = (_hue_coordinates(F.avg_pool2d(x, patch)) for x in (result, image))
    turned = (a[0] * b[1] - a[1] * b[0]).abs()
    lengths = [(x[0].square() + x[1].square() + 1e-8).sqrt() for x in (a, b)]
    brightest = F.avg_pool2d(image, patch).amax(dim=1)
    weight = (2 * lengths[1] / (brightest + 1e-3) - 0.2).clamp(0, 1)
    return (weight * turned / (lengths[0] * lengths[1])).mean()


def _hue_coordinates(x: Tensor) -> tuple[Tensor, Tensor]:
    """Coordinates of hue and chroma, (N, H, W) each."""
    r, g, b = x.unbind(dim=1)
    return r - (g + b) / 2, 0.75**0.5 * (g - b)


def agreement(stages: Sequence[Stage]) -> Tensor:
    """Mean square of L_t - L_1 and of E_t: all stages are to agree with the first one."""
    first = stages[0].illumination
    drift = [(stage.illumination - first).square().mean() for stage in stages[1:]]
    excess = [stage.e.square().mean() for stage in stages[:-1]]
    return torch.stack(drift + excess).sum() if drift else first.new_zeros(())


def paired_objective(
    result: Tensor,
    reference: Tensor,
    *,
    absolute: float = 1.0,
    structure: float = 0.5,
    relative: float = 0.5,
    logarithmic: float = 0.0,
    smooth: float = 0.0,
) -> Tensor:
    """Distance of an enhanced image to a well-exposed reference.

    `absolute` times Charbonnier, plus `structure` times 1 - SSIM, plus `relative` times the
    Charbonnier distance after matching brightness: exposure is hardly predictable, structure is.
    Plus `logarithmic` times `log_error`, and `smooth` times eq. 6 on the enhanced image, which is
    to be without noise.

    Parameters
    ----------
    result, reference : Tensor, (N, 3, H, W), 0..1
    absolute, structure, relative, logarithmic, smooth : float
        Weights.
    """
    matched = match_brightness(result, reference)
    loss = (
        absolute * charbonnier(result, reference)
        + structure * (1 - ssim(result, reference))
        + relative * charbonnier(matched, reference)
    )
    loss = loss + logarithmic * log_error(result, reference) if logarithmic else loss
    return loss + smooth * smoothness(result) if smooth else loss
