"""The kernel of the form mixing at work on planes: bands for several threads."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ...network.extent import inner_radius, margins
from ...network.formulas import (
    CALM,
    EVIDENT,
    HALVINGS,
    SHARE,
    SQUARE,
    WIDE_SHARE,
    by_softness,
    hearing_limits,
    mixing_figures,
    mixing_noise,
)
from ...preprocessing.noise import left_in_means
from ...preprocessing.screen import STRETCHED, TYPICAL, midtones
from ...preprocessing.tiling import reflect, spans
from ...runtime.threads import in_order, thread_count
from ..forms import VIEWS, pack
from .halving import LONE_REACH, THIN_REACH
from .lights import Lights

if TYPE_CHECKING:
    from ...network.network import Network
    from ...network.weights import Weights
    from .compiled import MixingKernel
    from .reduced_runner import StoredPlane

PIXELS = 1 << 21  # of a band, about: its planes stay in the cache that all cores share
LEAST_BAND = 128  # rows: its neighbours' means are made again

NoiseInMeans = tuple[np.float32, ...]  # shot, floor, and what is left of it in means


class MixingLevel(NamedTuple):
    """What one size needs: its noise, H's weights, and pixels beyond the band.

    Attributes
    ----------
    margin : int
        That its answer reaches beyond the band.
    thinned : int
        That its means reach beyond the band when thin things are left out.
    """

    noise: NoiseInMeans
    weights: tuple[NDArray[Any], ...]
    margin: int
    thinned: int


class MixingWork(NamedTuple):
    """What all bands share; `levels` are the finest first."""

    kernel: MixingKernel
    stored: StoredPlane
    levels: list[MixingLevel]
    u: np.float32
    limits: tuple[np.float32, ...]
    share: np.float32
    wide: np.float32


def mixed_bands(
    kernel: MixingKernel,
    network: Network | Weights,
    stored: StoredPlane,
    statistics: NDArray[np.float32],
    out: Lights,
) -> Iterator[tuple[int, int]]:
    """Fill `out` with L, yielding (done, total) after each band."""
    height, width = stored.pixels.shape[:2]
    u = np.float32(midtones(min(max(float(statistics[0, TYPICAL]), STRETCHED[0]), STRETCHED[1])))
    limits = tuple(np.float32(each.item()) for each in hearing_limits(statistics))
    shares = (np.float32(by_softness(statistics, each)[0]) for each in (SHARE, WIDE_SHARE))
    work = MixingWork(kernel, stored, _levels(network, statistics), u, limits, *shares)
    threads = thread_count()
    most = max(PIXELS // width, LEAST_BAND)
    each = max(-(-height // (threads * -(-height // (threads * most)))), LEAST_BAND)
    parts = spans(height, each, SQUARE)
    for done, _ in enumerate(in_order(partial(_mixed_band, work, out), parts), 1):
        yield done, len(parts)


def _levels(network: Network | Weights, statistics: NDArray[np.float32]) -> list[MixingLevel]:
    """All sizes, the coarsest of which H does not see."""
    statistics = np.asarray(statistics, np.float32)
    noise = shot, floor, grain = mixing_noise(statistics, np)
    around = margins(inner_radius(network.config))
    thinned = [around[HALVINGS] + CALM + EVIDENT]
    for _ in range(HALVINGS):
        thinned.insert(0, 2 * (thinned[0] + THIN_REACH))
    found = []
    for level, margin in enumerate(around):
        known = shot, floor, left_in_means(grain, level)
        numbers = tuple(np.float32(each.item()) for each in known)
        figures = mixing_figures(level, noise, statistics[:, TYPICAL], np)
        weights = pack(network, figures, VIEWS)[:-1]
        found.append(MixingLevel(numbers, weights, margin, thinned[level]))
    return found


def _mixed_band(work: MixingWork, out: Lights, part: tuple[int, int]) -> None:
    """L of some rows, from a multiple of `SQUARE` on, each channel by itself."""
    top, bottom = part
    width, channels = work.stored.pixels.shape[1:]
    light = out.begin(top, bottom)
    lines = light.reshape(bottom - top, -1)
    for k in range(lines.shape[1] // width):
        joint = light.ndim == 2 and channels > 1
        means = _coarser_means(work, part, -1 if joint else k, lines, k)
        mixture = _mixture(work, means, (bottom - top, width))
        corner = _corner(work.levels[0].thinned + THIN_REACH)
        work.kernel.finish(mixture, means[0], corner, work.share, work.u, lines, k)
    out.end(top, bottom, light)


def _coarser_means(
    work: MixingWork, part: tuple[int, int], channel: int, light: NDArray[np.float32], begins: int
) -> list[NDArray[np.float32]]:
    """The tame pixels and what is not thin of the coarser means; the pixels go to `light`."""
    pixels, black, span = work.stored
    height, width = pixels.shape[:2]
    first = work.levels[0]
    halo = first.thinned + THIN_REACH + LONE_REACH
    tall, wide = (-(-n // SQUARE) * SQUARE for n in (part[1] - part[0], width))
    rows = reflect(part[0] - halo, part[0] + tall + halo, height)
    columns = reflect(-halo, wide + halo, width)
    tame = np.empty((len(rows) - 2 * LONE_REACH, len(columns) - 2 * LONE_REACH), np.float32)
    take, inner = work.kernel.tame[pixels.dtype.name], (halo, halo + width)
    take(pixels, channel, rows, columns, inner, black, span, first.noise, tame, light, begins)
    found, means = [tame], tame
    for level, known in enumerate(work.levels):
        height, width = (n - 2 * THIN_REACH for n in means.shape)
        kept = np.empty((height if level else 2, width), np.float32)
        shape = (height // 2, width // 2) if level < HALVINGS else (0, 0)
        halved = np.empty(shape, np.float32)
        work.kernel.thin(means, known.noise, kept, halved)
        means = halved
        found += [kept] if level else []
    return found


def _mixture(
    work: MixingWork, means: list[NDArray[np.float32]], shape: tuple[int, int]
) -> NDArray[np.float32]:
    """What lies under the noise, with a margin of 1."""
    squares = (n - 2 * (CALM + EVIDENT) for n in means[-1].shape)
    before = np.empty((3, *squares), np.float32)
    work.kernel.calm(means[-1], work.levels[-1].noise, work.limits, work.wide, before)
    for level in reversed(range(HALVINGS)):
        noise, weights, margin, thinned = work.levels[level]
        height, width = (-(-n // SQUARE) * SQUARE // 2**level if level else n for n in shape)
        after = np.empty((3, height + 2 * margin, width + 2 * margin), np.float32)
        corner = _corner((thinned if level else thinned + THIN_REACH) - margin)
        skip = 2 * work.levels[level + 1].margin - margin
        work.kernel.listen(means[level], corner, before, skip, noise, work.limits, after)
        work.kernel.choose(means[level], corner, before, skip, noise, after, work.u, *weights)
        before = after
    return before[0]


def _corner(margin: int) -> tuple[int, int]:
    return margin, margin
