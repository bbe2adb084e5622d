"""What training minimises: the paired objective, and the paper's as a sum of named terms."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple, Protocol

import torch
from torch import Tensor

from ..data.crops import Batch
from ..kernels import training_kernel
from ..losses import functional as losses
from ..losses.vgg import VGG16
from ..network.network import Network, Stage, trim
from .distributed import Share
from .settings import Paper, TrainingError, TrainingSettings

Features = Callable[[Tensor], Sequence[Tensor]]


class Crops(NamedTuple):
    """What a loss is taken from: `data.crops.Batch` as tensors, on the network's device.

    Attributes
    ----------
    low : Tensor, (N, 3, H + 2 halo, W + 2 halo)
    reference : Tensor, (N, 3, H, W)
        NaN where it is not known.
    statistics : Tensor, (N, 12)
        Of the whole images, see `statistics.Statistics`.
    """

    low: Tensor
    reference: Tensor
    statistics: Tensor

    @classmethod
    def of(cls, batch: Batch, device: torch.device, part: slice = slice(None)) -> Crops:
        """A part of a batch, on a device."""
        return cls(*(torch.from_numpy(values[part]).to(device) for values in batch))


class Objective(Protocol):
    """A loss, as a scalar.

    Of a share of a batch it is this share's part of the batch's loss: the parts add up to it.
    """

    def __call__(self, network: Network, crops: Crops, share: Share | None = None) -> Tensor:
        """The loss of a network on crops."""


class TermInputs(NamedTuple):
    """All that a term of the paper's objective may depend on.

    Attributes
    ----------
    stages : list of Stage
        Of one forward pass over `s`.
    s : Tensor, (N, 3, H, W)
        The normalised input.
    statistics : Tensor, (N, 12)
        Of the whole images, see `statistics.Statistics`.
    network : Network
        For terms that need another pass, at another exposure for instance.
    paper : Paper
    features : callable or None
        VGG16's, where its weights are at hand.
    """

    stages: Sequence[Stage]
    s: Tensor
    statistics: Tensor
    network: Network
    paper: Paper
    features: Features | None = None


def fidelity_term(inputs: TermInputs) -> Tensor:
    """Eq. 5, from the stage on that the settings name."""
    counted = inputs.stages[inputs.paper.fidelity_from - 1 :]
    return losses.fidelity(counted, inputs.paper.reduction) if counted else inputs.s.new_zeros(())


def smoothness_term(inputs: TermInputs) -> Tensor:
    """Eq. 6 on the illumination of every stage."""
    return sum_of(
        losses.smoothness(stage.illumination, inputs.paper.form) for stage in inputs.stages
    )


def perceptual_term(inputs: TermInputs) -> Tensor:
    """Eq. 7 between the last stage's input and its illumination."""
    if inputs.features is None:
        raise TrainingError("The perceptual loss needs VGG16's weights: give their file.")
    last = inputs.stages[-1]
    return losses.perceptual(inputs.features, last.v, last.illumination, inputs.paper.normaliser)


def exposure_term(inputs: TermInputs) -> Tensor:
    """The brightness anchor, on what the user will see."""
    if inputs.paper.exposure is None:
        return inputs.s.new_zeros(())
    return losses.anchor(inputs.stages[0].reflectance, inputs.paper.exposure)


def agreement_term(inputs: TermInputs) -> Tensor:
    """One block suffices: the later stages are to agree with the first one."""
    return losses.agreement(inputs.stages)


# To extend the objective: write one function of `TermInputs`; name it here and in settings.WEIGHTS.
TERMS: dict[str, Callable[[TermInputs], Tensor]] = {
    "fidelity": fidelity_term,
    "smoothness": smoothness_term,
    "perceptual": perceptual_term,
    "exposure": exposure_term,
    "agreement": agreement_term,
}


def paper_objective(inputs: TermInputs) -> Tensor:
    """Eq. 4: the weighted sum of all terms whose weight is not 0."""
    weights = inputs.paper.weights
    return sum_of(weights[name] * term(inputs) for name, term in TERMS.items() if weights[name])


def sum_of(terms: object) -> Tensor:
    """Sum of scalar tensors; at least one."""
    return torch.stack(list(terms)).sum()  # type: ignore[call-overload]


def make_objective(settings: TrainingSettings, device: torch.device) -> Objective:
    """The function that a run minimises.

    Raises
    ------
    ValueError
        If VGG16's weights are asked for and cannot be read.
    """
    if settings.objective == "paper":
        return _paper(settings, device)
    return _noisy if settings.objective == "noisy" else _paired(settings)


def _noisy(network: Network, crops: Crops, share: Share | None = None) -> Tensor:
    """The mean squared distance to targets as noisy as the images: their noise averages out."""
    share = share or Share(len(crops.low))
    result = network.enhance(crops.low, crops.statistics)
    return share.weight() * losses.squared(result, crops.reference)


def _paper(settings: TrainingSettings, device: torch.device) -> Objective:
    paper = settings.paper
    features: Features | None = None
    if paper.weights["perceptual"] and paper.vgg:
        features = VGG16(paper.layers, paper.convention).load(paper.vgg).to(device)

    def objective(network: Network, crops: Crops, share: Share | None = None) -> Tensor:
        share = share or Share(len(crops.low))
        if share.processes > 1 and paper.reduction == "sum":
            raise TrainingError(
                "With paper.reduction sum, a batch cannot be shared: set it to mean, or start one "
                "process."
            )
        stages = network(crops.low, crops.statistics)
        inputs = TermInputs(stages, crops.low, crops.statistics, network, paper, features)
        return share.weight() * paper_objective(inputs)

    return objective


def _paired(settings: TrainingSettings) -> Objective:
    s = settings

    def objective(network: Network, crops: Crops, share: Share | None = None) -> Tensor:
        share = share or Share(len(crops.low))
        result = network.enhance(crops.low, crops.statistics)
        loss = _distance(network, result, crops.reference, s)
        if s.hue:
            loss = loss + s.hue * losses.hue_shift(result, trim(crops.low, network.radius))
        loss = share.weight() * loss
        if s.auxiliary:
            loss = loss + s.auxiliary * _later_stages(network, crops, s.tie, share)
        return loss

    return objective


def _distance(network: Network, result: Tensor, reference: Tensor, s: TrainingSettings) -> Tensor:
    """`losses.paired_objective`, by compiled code where the network is run by it."""
    names = "absolute", "structure", "relative", "logarithmic"
    weights = {name: getattr(s, name) for name in names}
    found = result.new_zeros(())
    if s.squared:
        found = found + s.squared * losses.squared(result, reference)
    if any((*weights.values(), s.smooth)):
        found = found + _other_terms(network, result, reference, s, weights)
    return found


def _other_terms(
    network: Network,
    result: Tensor,
    reference: Tensor,
    s: TrainingSettings,
    weights: dict[str, float],
) -> Tensor:
    kernel = training_kernel(network)
    if kernel is None or result.dtype != torch.float32:
        known = known_or(reference, result)
        return losses.paired_objective(result, known, **weights, smooth=s.smooth)
    loss = kernel.paired(result, reference, **weights, stride=losses.SSIM_STRIDE)
    return loss + s.smooth * losses.smoothness(result) if s.smooth else loss


def _charbonnier(network: Network, result: Tensor, reference: Tensor) -> Tensor:
    kernel = training_kernel(network)
    if kernel is None or result.dtype != torch.float32:
        return losses.charbonnier(result, known_or(reference, result))
    return kernel.paired(result, reference, absolute=1, stride=1)


def known_or(reference: Tensor, result: Tensor) -> Tensor:
    """The reference, and where it is not known (NaN) the result: nothing is learned there."""
    return torch.where(reference.isnan(), result.detach(), reference)


def _later_stages(network: Network, crops: Crops, tie: float, share: Share) -> Tensor:
    """Later stages are to be as good as the first and equal to it.

    On corners of a third of the crops: on all of it they would cost T times the rest.
    """
    low, reference, statistics = crops
    third = -(-share.crops // 3)
    n, side, halo = share.among(third), reference.shape[-1] // 2, network.radius
    if not n:
        return low.new_zeros(())
    corner = low[:n, :, halo : halo + side, halo : halo + side]
    stages = network(corner, statistics[:n])
    target = reference[:n, :, :side, :side]
    later = [_charbonnier(network, stage.reflectance, target) for stage in stages[1:]]
    if not later:
        return low.new_zeros(())
    return share.weight(third) * (torch.stack(later).sum() + tie * losses.agreement(stages))
