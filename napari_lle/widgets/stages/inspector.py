"""What the stage inspector finds in a plane and how it is shown; no window, no viewer."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from ...model.progress import Progress
from ..shared.layers import Region

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ...model.inspection.agreement import Agreement
    from ...model.inspection.trace import Trace
    from ...model.inspection.unrolled import Stages

KEPT_VALUES = 60_000_000  # float32 values that are kept at once: 240 MB
INSPECTED_PIXELS = 200_000  # of them, that limits and histograms are taken from
HISTOGRAM_BINS = 64
COMPARED_SIDE = 256  # pixels, side of the part that other models are compared on
LEAST_CONTRAST = (
    1 / 255
)  # contrast limit of E at least: what is no grey level is no more than a tint
INPUT_KEY = "input"  # key of the layer that shows it


class Kind(NamedTuple):
    """One of the quantities of a stage, and how it looks best."""

    word: str  # of captions
    meaning: str
    colormap: str
    colour: str  # in plots


KINDS = {
    "L": Kind("illumination", "what the image is divided by", "magma", "#f5a623"),
    "R": Kind("enhanced", "reflectance, the enhanced image", "gray", "#909090"),
    "u": Kind("residual", "what H adds to its input to get L", "viridis", "#4caf7d"),
    "E": Kind("auxiliary", "what the auxiliary block adds for the next stage", "PiYG", "#e0569b"),
    "V": Kind("seen", "input of the stage", "gray", "#5aa9e6"),
}


@dataclass(frozen=True)
class Request:
    """What to look at.

    Attributes
    ----------
    others : tuple of str
        Models that may be looked at instead, where the stages of `model` are equal.
    """

    model: str
    count: int
    device: str = "auto"
    noise: bool = False
    features: bool = False
    others: tuple[str, ...] = ()


@dataclass(frozen=True)
class Finding:
    """All stages of one region of a layer, ready to be shown.

    Attributes
    ----------
    stages : Stages
        Of the whole layer: the next plane has the same levels.
    trace : Trace
        Of the region.
    pixels : ndarray, (Y, X) or (Y, X, 3 or 4)
        Of the region, as they are in the layer.
    noise : ndarray, (Y, X), or None
    features : dict of str to ndarray, (Y, X)
    limits : dict of str to (float, float)
        Contrast limits by kind, the same for all stages.
    histograms : list of (edges, counts)
        Of L by stage, all with the same edges.
    distances : list of Distance
        Of each stage's L from the first.
    agreement : Agreement
        Of the stages' R.
    instead : (str, float) or None
        A model whose stages differ, and by how much, where those of this one are equal.
    """

    request: Request
    region: Region
    stages: Stages
    trace: Trace
    pixels: NDArray[Any]
    noise: NDArray[np.float32] | None
    features: dict[str, NDArray[np.float32]]
    limits: dict[str, tuple[float, float]]
    histograms: list[tuple[NDArray[Any], NDArray[Any]]]
    distances: list[Any]
    agreement: Agreement
    instead: tuple[str, float] | None

    @property
    def count(self) -> int:
        """T."""
        return self.trace.count

    def picture(self, kind: str, stage: int) -> NDArray[np.float32]:
        """What a layer shows, (Y, X); R in colour where it has any, else means over channels."""
        values = self.trace[kind][stage - 1]
        return values if kind == "R" else _grey(values)

    def map(self, key: str, stage: int) -> NDArray[Any] | None:
        """A picture or a further map by key, None where it was not asked for."""
        if key == INPUT_KEY:
            return self.pixels
        if key in KINDS:
            return self.picture(key, stage)
        if key == "difference":
            return _grey(self.trace.difference())
        if key == "gain":
            return _grey(self.trace.gain(stage))
        return self.noise if key == "noise" else self.features.get(key)

    def profile(self, row: int, column: int) -> dict[str, NDArray[np.float32]] | None:
        """Values of a pixel of the layer through the stages, by kind; None outside the region."""
        y, x = row - self.region.rows[0], column - self.region.columns[0]
        height, width = self.trace["L"].shape[1:3]
        if not (0 <= y < height and 0 <= x < width):
            return None
        return {k: self.trace[k][:, y, x].reshape(self.count, -1).mean(axis=1) for k in KINDS}


def _further(
    found: Stages, request: Request, plane: tuple[int, ...], part: Any
) -> Generator[Progress, None, tuple[NDArray[np.float32] | None, dict[str, NDArray[np.float32]]]]:
    """Gain of noise and feature maps, where they are asked for."""
    noise: NDArray[np.float32] | None = None
    features: dict[str, NDArray[np.float32]] = {}
    if request.noise:
        noise = _grey((yield from found.noise_gain(plane, part)))
    if request.features:
        features = yield from found.feature_maps(plane, part)
    return noise, features


def inspect_steps(
    data: Any, rgb: bool, region: Region, request: Request, known: Stages | None = None
) -> Generator[Progress, None, Finding]:
    """Run all stages on a region.

    Parameters
    ----------
    known : Stages, optional
        Of the same layer, model and count, from an earlier look.
    """
    from ...model.inspection.agreement import compare_stages
    from ...model.inspection.api import stages

    yield Progress(0, 1)  # a newer wish may have come already
    found = known or stages(
        data, request.model, count=request.count, device=request.device, rgb=rgb
    )
    spans = (region.rows, region.columns)
    part = None if spans == tuple((0, n) for n in found.plane_shape) else spans
    trace = yield from found.steps(region.plane, part)
    noise, features = yield from _further(found, request, region.plane, part)
    agreed = compare_stages(trace)
    instead = None
    if known is None and agreed.silent and request.count > 1:
        instead = yield from _another(data, rgb, region, request)
    return Finding(
        request,
        region,
        found,
        trace,
        np.asarray(data[(*region.plane, slice(*region.rows), slice(*region.columns))]),
        noise,
        features,
        {kind: limits(kind, trace[kind]) for kind in KINDS},
        histograms(trace["L"]),
        trace.distances(),
        agreed,
        instead,
    )


def _another(
    data: Any, rgb: bool, region: Region, request: Request
) -> Generator[Progress, None, tuple[str, float] | None]:
    """A model whose stages differ in the middle of a region."""
    from ...model.inspection.agreement import most_different

    rows, columns = (
        _middle_slice(span, min(1.0, COMPARED_SIDE / (span[1] - span[0])))
        for span in (region.rows, region.columns)
    )
    others = [name for name in request.others if name != request.model]
    return (
        yield from most_different(
            data, others, region.plane, (rows, columns), rgb=rgb, device=request.device
        )
    )


def limits(kind: str, values: NDArray[np.float32]) -> tuple[float, float]:
    """Contrast limits for all stages of a kind: from 0, or for E symmetric about it."""
    from ...model.inspection.agreement import display_limit

    if kind == "R":
        return 0.0, display_limit(values)
    some = _sample(values)
    high = float(np.percentile(np.abs(some), 99.9)) if some.size else 0.0
    if kind == "E":
        high = max(high, LEAST_CONTRAST)
        return -high, high
    return 0.0, max(high, 1e-6)


def histograms(lights: NDArray[np.float32]) -> list[tuple[NDArray[Any], NDArray[Any]]]:
    """Edges and shares of L by stage."""
    some = [_sample(light) for light in lights]
    low, high = min(s.min() for s in some), max(np.percentile(s, 99.9) for s in some)
    edges = np.linspace(low, max(high, low + 1e-6), HISTOGRAM_BINS + 1)
    return [(edges, np.histogram(s, edges)[0] / s.size) for s in some]


def reach(shape: tuple[int, int], region: Region, count: int, rgb: bool) -> Region:
    """The plane where it is small enough to keep all its stages, else the middle of the view.

    Parameters
    ----------
    shape : (rows, columns)
        Of the plane.
    region : Region
        The plane's index, and what is in view.
    """
    allowed = KEPT_VALUES // (len(KINDS) * count * (3 if rgb else 1))
    if shape[0] * shape[1] <= allowed:
        return Region(region.plane, (0, shape[0]), (0, shape[1]))
    area = (region.rows[1] - region.rows[0]) * (region.columns[1] - region.columns[0])
    share = min(1.0, (allowed / area) ** 0.5)
    rows, columns = (_middle_slice(span, share) for span in (region.rows, region.columns))
    return Region(region.plane, rows, columns)


def _middle_slice(span: tuple[int, int], share: float) -> tuple[int, int]:
    length = max(1, int((span[1] - span[0]) * share))
    first = span[0] + (span[1] - span[0] - length) // 2
    return first, first + length


def _grey(values: NDArray[np.float32]) -> NDArray[np.float32]:
    return values.mean(axis=-1) if values.ndim == 3 else values


def _sample(values: NDArray[np.float32]) -> NDArray[np.float32]:
    flat = values.ravel()
    flat = flat[:: max(1, flat.size // INSPECTED_PIXELS)]
    return flat[np.isfinite(flat)]
